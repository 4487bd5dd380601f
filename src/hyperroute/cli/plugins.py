"""``hyperroute plugins``: what came from where, what is broken, and how to begin one."""

from __future__ import annotations

import sys

import typer

from hyperroute.cli import scaffold
from hyperroute.cli.options import Json
from hyperroute.cli.say import answering, columns, emit

app = typer.Typer(rich_markup_mode=None, pretty_exceptions_enable=False, add_completion=False)


app.command("new")(scaffold.new)


@app.callback(invoke_without_command=True)
def plugins(context: typer.Context, as_json: Json = False) -> None:
    """Print what plugins are installed and what each adds."""
    if context.invoked_subcommand is not None:
        return
    with answering(as_json=as_json):
        from hyperroute.plugins.registry import discover

        registry = discover()
        adds: dict[str, list[str]] = {origin.plugin: [] for origin in registry.plugins}
        for thing, origin in registry.origins.items():
            adds.setdefault(origin.plugin, []).append(thing)
        if as_json:
            emit(
                {
                    "plugins": [
                        {
                            "name": origin.plugin,
                            "distribution": origin.distribution or None,
                            "version": origin.version or None,
                            "adds": adds[origin.plugin],
                        }
                        for origin in registry.plugins
                    ],
                    "failures": [
                        {"name": failure.origin.plugin, "reason": failure.reason}
                        for failure in registry.failures
                    ],
                }
            )
            return
        rows = [
            (
                origin.plugin,
                f"{origin.distribution} {origin.version}".strip() or "built in",
                ", ".join(adds[origin.plugin]) or "secrets only",
            )
            for origin in registry.plugins
        ]
        for line in columns(rows):
            print(line)
        for failure in registry.failures:
            print(f"hyperroute: {failure}", file=sys.stderr)
