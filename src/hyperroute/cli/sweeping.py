"""``hyperroute ledger sweep``: what processes that died have left behind."""

from __future__ import annotations

from hyperroute.cli.options import Json, State, state_url
from hyperroute.cli.say import answering, emit


def sweep(*, state: State = None, as_json: Json = False) -> None:
    """End the holds of processes that died, once; every gateway does so by itself every 30 seconds."""
    url = state_url(state, as_json=as_json)
    with answering(as_json=as_json):
        from dataclasses import asdict

        from hyperroute.cli.state import opened_state
        from hyperroute.ledger import sweeping

        with opened_state(url) as store:
            swept = asdict(sweeping.sweep(store))
        if as_json:
            emit({"swept": swept})
        else:
            print(", ".join(f"{count} {name}" for name, count in swept.items()))


__all__ = ["sweep"]
