"""True-looking bytes of both OpenAI dialects against the events that they mean."""

import dataclasses
import json
from pathlib import Path

import pytest

from hyperroute.canon.events import StreamEvent
from hyperroute.canon.grammar import violations
from hyperroute.dialects.base import Dialect
from hyperroute.dialects.openai_chat import OPENAI_CHAT
from hyperroute.dialects.openai_responses import OPENAI_RESPONSES

FIXTURES = Path(__file__).parents[2] / "fixtures"
DIALECTS: dict[str, Dialect] = {d.name: d for d in (OPENAI_CHAT, OPENAI_RESPONSES)}
BODIES = sorted(
    path
    for name in DIALECTS
    for path in (FIXTURES / name).iterdir()
    if path.name.endswith((".stream.txt", ".reply.json"))
)


def told(value: object) -> object:
    """Write a value as the fixtures do: its type, and the members that say something."""
    if not dataclasses.is_dataclass(value):
        return value
    members = {
        field.name: told(member)
        for field in dataclasses.fields(value)
        if (member := getattr(value, field.name)) is not None
        and member is not False
        and member not in ("", (), {})
    }
    return {"type": type(value).__name__, **members}


def plain(event: StreamEvent) -> object:
    members = told(event)
    assert isinstance(members, dict)
    sealed = members.get("sealed")
    if isinstance(sealed, dict):
        members["sealed"] = sealed
    return {"event": members.pop("type"), **members}


@pytest.mark.parametrize("path", BODIES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_bytes_mean_these_events(path: Path) -> None:
    decoder = DIALECTS[path.parent.name].decoder(stream=path.name.endswith("stream.txt"))
    events = [*decoder.feed(path.read_bytes()), *decoder.close()]
    expected = path.with_name(path.name.split(".")[0] + ".events.json")
    read = json.loads(json.dumps([plain(event) for event in events]))
    assert json.loads(expected.read_text("utf-8")) == read
    assert violations(events) == []


@pytest.mark.parametrize("path", BODIES, ids=lambda p: f"{p.parent.name}/{p.name}")
def test_every_fixture_says_where_it_is_from(path: Path) -> None:
    source = path.with_name(path.name.split(".")[0] + ".SOURCE")
    assert source.read_text("utf-8").strip()
