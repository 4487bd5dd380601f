"""``hyperroute chat``: one question, the answer as it comes, and one line about what it took."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Annotated, Any

import typer

from hyperroute.cli.asking import usd
from hyperroute.cli.options import Intent, Json, Model, Tables, place
from hyperroute.cli.say import answering, described, emit, misuse, no, one_line
from hyperroute.errors import Interrupted, Refused

if TYPE_CHECKING:
    from hyperroute.canon.events import StreamEvent
    from hyperroute.client import Client, Router
    from hyperroute.routing.record import Record

SPOKEN = ("chat", "messages", "responses")
"""Endpoints for which this command writes a body, best first."""

ANSWER_TOKENS = 4096
"""Where a dialect demands a limit and nobody gave one."""


def chat(
    prompt: Annotated[
        str,
        typer.Argument(
            metavar="PROMPT", help="What to ask; - reads it from stdin.", show_default=False
        ),
    ],
    *,
    model: Model = None,
    intent: Intent = None,
    system: Annotated[
        str | None, typer.Option("--system", metavar="TEXT", help="Instructions that go before it.")
    ] = None,
    max_tokens: Annotated[
        int | None,
        typer.Option("--max-tokens", metavar="N", min=1, help="Tokens of the answer, at most."),
    ] = None,
    simulated: Annotated[
        bool,
        typer.Option("--simulated", help="Let a simulated provider answer: no key, no network."),
    ] = False,
    tables: Tables = None,
    as_json: Json = False,
) -> None:
    """Ask one question; the answer streams to stdout, what it took goes to stderr."""
    if (model is None) == (intent is None):
        misuse("say either --model or --intent", as_json=as_json)
    text = sys.stdin.read() if prompt == "-" else prompt
    with answering(as_json=as_json):
        from hyperroute.cli.simulating import simulated_registry
        from hyperroute.client import Client, Router

        registry = simulated_registry() if simulated else None
        router = Router.load(place(tables, as_json=as_json), registry=registry)
        asked = Asked(text, model, intent, system, max_tokens)
        with Client(router) as client:
            try:
                _converse(client, asked, as_json=as_json)
            except Refused as error:
                if error.code != "no_credential":
                    raise
                _lacking(client, error, asked, as_json=as_json)


@dataclass(frozen=True, slots=True)
class Asked:
    """What the command line said."""

    text: str
    model: str | None
    intent: str | None
    system: str | None
    max_tokens: int | None

    def body(self, endpoint: str) -> dict[str, Any]:
        """Write it as a request of an endpoint's dialect."""
        named = {"model": self.model} if self.model is not None else {"intent": self.intent}
        user = {"role": "user", "content": self.text}
        match endpoint:
            case "messages":
                limit: dict[str, Any] = {"max_tokens": self.max_tokens or ANSWER_TOKENS}
                system = {"system": self.system} if self.system is not None else {}
                return {**named, **system, **limit, "messages": [user]}
            case "responses":
                limit = {"max_output_tokens": self.max_tokens} if self.max_tokens else {}
                system = {"instructions": self.system} if self.system is not None else {}
                return {**named, **system, **limit, "input": self.text}
            case _:
                limit = {"max_completion_tokens": self.max_tokens} if self.max_tokens else {}
                first = (
                    [{"role": "system", "content": self.system}] if self.system is not None else []
                )
                return {**named, **limit, "messages": [*first, user]}


def _converse(client: Client, asked: Asked, *, as_json: bool) -> None:
    from hyperroute.proving.tests import DIALECTS

    endpoint = _endpoint(client, asked)
    said: list[str] = []
    with client.stream(asked.body(endpoint), dialect=DIALECTS[endpoint]) as stream:
        try:
            for piece in _texts(stream):
                said.append(piece)
                if not as_json:
                    print(piece, end="", flush=True)
        except Interrupted as error:
            if not as_json:
                raise
            # What was delivered stands, also in a document about its failure.
            emit({"text": "".join(said), "error": described(error)})
            no()
        finally:
            if said and not as_json:
                print(flush=True)
        record = stream.record
    assert record is not None, "a stream that ended well has its record"
    if as_json:
        emit({"text": "".join(said), **_taken(record), "record": record.to_json()})
    else:
        print(_line(record), file=sys.stderr)


def _endpoint(client: Client, asked: Asked) -> str:
    """Choose the endpoint that the name is served at; a wrong name is refused there as anywhere."""
    from hyperroute.proving.tests import entry

    kind, endpoint = entry(client.router.table, model=asked.model, intent=asked.intent)
    return endpoint if kind == "chat" and endpoint in SPOKEN else "chat"


def _texts(events: Iterator[StreamEvent]) -> Iterator[str]:
    """Pick what a reader wants to see: words and refusals, not thoughts and not tools."""
    from hyperroute.canon.content import Refusal, Text
    from hyperroute.canon.events import PartDelta, PartStarted

    shown: set[int] = set()
    for event in events:
        match event:
            case PartStarted(index, Text() | Refusal() as part):
                shown.add(index)
                if part.text:
                    yield part.text
            case PartDelta(index, text) if index in shown:
                yield text
            case _:
                pass


def _taken(record: Record) -> dict[str, Any]:
    return {
        "served": record.served,
        "attempts": len(record.attempts),
        "latency_ms": record.latency_ns // 1_000_000,
        "input_tokens": record.usage.input_tokens,
        "output_tokens": record.usage.output_tokens,
        "cost_usd": usd(record.cost, record.scale),
    }


def _line(record: Record) -> str:
    taken = _taken(record)
    attempts = taken["attempts"]
    price = taken["cost_usd"]
    return ", ".join(
        (
            f"{taken['served']}",
            f"{attempts} attempt{'s' if attempts != 1 else ''}",
            f"{taken['latency_ms']} ms",
            f"{_count(taken['input_tokens'])} tokens in",
            f"{_count(taken['output_tokens'])} out",
            f"{price} USD" if price is not None else "price unknown",
        )
    )


def _count(tokens: int | None) -> str:
    return "unknown" if tokens is None else str(tokens)


def _lacking(client: Client, error: Refused, asked: Asked, *, as_json: bool) -> None:
    """Say which variables would help, and what works without them.

    Raises:
        typer.Exit: Always.
    """
    name = asked.model or asked.intent or ""
    wanted = _variables(client, asked, _endpoint(client, asked))
    works = _working(client.router, client.missing)
    if as_json:
        emit(
            {
                "error": {
                    "type": "Refused",
                    "code": error.code,
                    "status": error.status,
                    "message": one_line(error),
                    "set_one_of": wanted,
                    "works_now": works,
                }
            }
        )
        no()
    helps = f"; set {' or '.join(wanted)}" if wanted else ""
    instead = f"--model {works} works now" if works else "add --simulated to try it without a key"
    print(
        f"hyperroute: no account that offers {name!r} has a credential here{helps}; {instead}",
        file=sys.stderr,
    )
    no()


def _variables(client: Client, asked: Asked, endpoint: str) -> list[str]:
    """Name what is not set, one entry for each account that could have answered."""
    from hyperroute.proving.tests import DIALECTS

    router = client.router
    request = router.read(asked.body(endpoint), dialect=DIALECTS[endpoint])
    able = dict.fromkeys(one.offer.provider for one in router.plan(request).candidates)
    told = (_unset(router, name, client.missing) for name in able)
    return list(dict.fromkeys(" and ".join(names) for names in told if names))


def _unset(router: Router, provider: str, missing: Mapping[str, str]) -> list[str]:
    entry = router.table.providers[provider]
    plugin = router.registry.providers.get(entry.plugin)
    references = [entry.url or "", *entry.headers.values()] if provider in missing else []
    if entry.keys is None:
        references += [plugin.secret] if plugin is not None and provider in missing else []
    elif entry.keys and all(key.id in missing for key in entry.keys):
        references.append(entry.keys[0].secret)
    names = [text.removeprefix("env:") for text in references if text.startswith("env:")]
    return [name for name in dict.fromkeys(names) if not os.environ.get(name)]


def _working(router: Router, missing: Mapping[str, str]) -> str | None:
    """Find a model that is offered by an account that has all it needs."""
    table = router.table
    for service in table.services.values():
        model = service.model
        if model.kind != "chat" or not model.listed or model.is_pattern or model.clients:
            continue
        for offer in model.offers:
            keys = table.providers[offer.provider].keys
            ready = keys is None or not keys or any(key.id not in missing for key in keys)
            if offer.provider not in missing and ready:
                return model.name
    return None
