"""The commands, gathered. Each imports what it needs when it runs, so that ``--help`` is quick."""

from __future__ import annotations

from typing import Annotated

import typer

from hyperroute.cli import (
    chat,
    check,
    diff,
    equal,
    explain,
    image,
    importing,
    keys,
    ledger,
    models,
    plan,
    plugins,
    prove,
    schema,
    serve,
    test,
    translate,
    usage,
)
from hyperroute.cli import (
    credits as credits_,
)

app = typer.Typer(
    name="hyperroute",
    help="Route requests to AI providers by tables that can be read, explained and tested.",
    no_args_is_help=True,
    add_completion=False,
    rich_markup_mode=None,
    pretty_exceptions_enable=False,
)


def _version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import version

        print(version("hyperroute"))
        raise typer.Exit


@app.callback()
def root(
    _version: Annotated[
        bool, typer.Option("--version", callback=_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Route requests to AI providers by tables that can be read, explained and tested."""


app.command("chat")(chat.chat)
app.command("plan")(plan.plan)
app.command("explain")(explain.explain)
app.command("check")(check.check)
app.command("diff")(diff.diff)
app.command("equal")(equal.equal)
app.command("test")(test.run_tests)
app.command("prove")(prove.prove)
app.command("schema")(schema.schema)
app.command("models")(models.models)
app.command("image")(image.image)
app.command("serve")(serve.serve)
app.command("translate")(translate.translate)
app.add_typer(credits_.app, name="credits")
app.add_typer(importing.app, name="import")
app.add_typer(keys.app, name="keys")
app.add_typer(ledger.app, name="ledger")
app.add_typer(plugins.app, name="plugins")
app.add_typer(usage.app, name="usage")
