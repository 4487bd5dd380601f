"""``hyperroute plan``: what would be tried, in which order, at what price."""

from __future__ import annotations

from typing import Any

from hyperroute.cli.asking import Down, Here, Needs, Output, Tokens, planned, usd
from hyperroute.cli.options import Facts, Intent, Json, Model, Tables
from hyperroute.cli.say import answering, columns, emit, no


def plan(
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
    """Print the candidates of a request in order, with estimated and worst price."""
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
            _tell(made)
        if made.refusal is not None:
            no()


def _tell(made: Any) -> None:
    if made.refusal is not None:
        print(f"{made.refusal.code}: {made.refusal.message}")
        return
    scale = made.table.scale
    rows = [("", "OFFER", "SENDS", "EXPECTED USD", "WORST USD")]
    rows += [
        (
            f"{number}.",
            candidate.offer.id,
            candidate.sends,
            usd(candidate.expected, scale) or "unknown",
            usd(candidate.worst, scale) or "unknown",
        )
        for number, candidate in enumerate(made.candidates, 1)
    ]
    for line in columns(rows):
        print(line)
    seconds = made.deadline_ns / 1_000_000_000
    print(f"at most {made.attempts_max} attempts within {seconds:g} s")
