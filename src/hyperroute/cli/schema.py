"""``hyperroute schema``: the JSON Schema of the language, for editors."""

from __future__ import annotations

from hyperroute.cli.say import answering, emit


def schema() -> None:
    """Print the JSON Schema of the routing language, for editors."""
    with answering(as_json=True):
        from hyperroute.tables.json_schema import json_schema

        emit(json_schema())
