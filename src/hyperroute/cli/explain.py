"""``hyperroute explain``: what would be tried and why, what not and why not."""

from __future__ import annotations

from hyperroute.cli.asking import Down, Here, Needs, Output, Tokens, planned
from hyperroute.cli.options import Facts, Intent, Json, Model, Tables
from hyperroute.cli.say import answering, emit, no


def explain(
    *,
    model: Model = None,
    intent: Intent = None,
    tokens: Tokens = 1000,
    output: Output = None,
    needs: Needs = None,
    down: Down = None,
    facts: Facts = None,
    here: Here = False,
    tables: Tables = None,
    as_json: Json = False,
) -> None:
    """Say for every offer why it would be tried, or the first requirement that it fails."""
    with answering(as_json=as_json):
        made = planned(
            model=model,
            intent=intent,
            tokens=tokens,
            output=output,
            needs=needs,
            down=down,
            facts=facts,
            tables=tables,
            here=here,
            as_json=as_json,
        )
        if as_json:
            emit(made.to_json())
        else:
            print(made.explain())
        if made.refusal is not None:
            no()
