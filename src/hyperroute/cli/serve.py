"""``hyperroute serve``: the gateway as a server."""

from __future__ import annotations

import os
import sys
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Annotated

import typer

from hyperroute.cli.options import Keys, State, Tables, keys_url, place
from hyperroute.cli.say import answering, misuse, no

if TYPE_CHECKING:
    from hyperroute.gateway.server import Serving
    from hyperroute.runtime.replicas import Degraded
    from hyperroute.runtime.tab import Wallets

Host = Annotated[str, typer.Option("--host", metavar="HOST", help="Address to listen on.")]
Port = Annotated[
    int, typer.Option("--port", metavar="N", min=1, max=65535, help="Port to listen on.")
]
Workers = Annotated[
    int, typer.Option("--workers", metavar="N", min=1, help="Processes that answer.")
]
Simulated = Annotated[
    bool,
    typer.Option("--simulated", help="Let a simulated provider answer: no key, no network."),
]
_ASKED: Mapping[Wallets, str] = MappingProxyType(
    {
        "none": "not asked; usage and budgets of keys are kept",
        "floor": "must hold 200 credits to enter, and are charged in full",
        "strict": "the most a request may cost is set aside",
    }
)

WithWallets = Annotated[
    str | None,
    typer.Option(
        "--wallets",
        metavar="none|floor|strict",
        help="Whether callers pay from wallets: floor asks for 200 credits and charges in full, strict "
        "sets the worst case aside. Default: floor where a state is named, else none.",
    ),
]
NoKeys = Annotated[
    bool, typer.Option("--no-keys", help="Let anybody call: for this machine alone.")
]
FetchMedia = Annotated[
    bool,
    typer.Option(
        "--fetch-media",
        help="Fetch media named by URL for providers that need its bytes, from public https "
        "addresses only; else such requests are refused.",
    ),
]
Shared = Annotated[
    str | None,
    typer.Option(
        "--shared",
        metavar="URL",
        help="A Valkey or Redis that all replicas share for rates and health: redis://HOST:PORT/0. "
        "Default: HYPERROUTE_SHARED, or none.",
    ),
]
LimitsDegraded = Annotated[
    str,
    typer.Option(
        "--limits-degraded",
        metavar="closed|open",
        help="While that is down: closed refuses what a rate limits, open has each process count alone.",
    ),
]
Idempotency = Annotated[
    bool | None,
    typer.Option(
        "--idempotency/--no-idempotency",
        help="Keep answers in the state for a day, for callers that send an Idempotency-Key. "
        "Default: where the state keeps money.",
        show_default=False,
    ),
]
Watch = Annotated[bool, typer.Option("--watch", help="Reload when a file of the table changes.")]
Log = Annotated[
    bool, typer.Option("--log/--no-log", help="Write a line of JSON per request to stderr.")
]
RouteHeaders = Annotated[
    bool,
    typer.Option(
        "--route-headers/--no-route-headers",
        help="Tell callers which offer served, after how many attempts.",
    ),
]
WithMetrics = Annotated[
    bool, typer.Option("--metrics", help="Answer GET /metrics, for Prometheus.")
]
WithOtel = Annotated[
    bool,
    typer.Option("--otel", help="Send OpenTelemetry spans where OTEL_EXPORTER_OTLP_… says."),
]
Mail = Annotated[
    str | None,
    typer.Option(
        "--mail",
        metavar="URL",
        help="Where mails about keys at their limits go: smtp://user:password@host?from=…&to=…, "
        "file:PATH or log: Default: HYPERROUTE_MAIL, or log:",
    ),
]
RootPath = Annotated[
    str, typer.Option("--root-path", metavar="PATH", help="Where a proxy mounts this server.")
]

_OLD_KEYS = "hyperroute-keys.json"
"""Where keys were by default before there was a state."""


def serve(
    *,
    host: Host = "127.0.0.1",
    port: Port = 8787,
    workers: Workers = 1,
    simulated: Simulated = False,
    tables: Tables = None,
    state: State = None,
    keys: Keys = None,
    no_keys: NoKeys = False,
    wallets: WithWallets = None,
    shared: Shared = None,
    limits_degraded: LimitsDegraded = "closed",
    mail: Mail = None,
    idempotency: Idempotency = None,
    watch: Watch = False,
    fetch_media: FetchMedia = False,
    log: Log = True,
    route_headers: RouteHeaders = True,
    metrics: WithMetrics = False,
    otel: WithOtel = False,
    root_path: RootPath = "",
) -> None:
    """Serve every dialect to every client: change the base URL and the key, nothing else."""
    with answering(as_json=False):
        try:
            import uvicorn  # noqa: F401 - what is missing is told before anything is printed
        except ModuleNotFoundError:
            misuse("serving needs an extra: pip install 'hyperroute[gateway]'")
        from hyperroute.gateway.server import Serving

        path = place(tables)
        named = state or os.environ.get("HYPERROUTE_STATE")
        url = keys_url(state, keys) if state or keys or not no_keys else "memory:"
        if idempotency and url.startswith("file:"):
            misuse("--idempotency keeps answers in a state; a keys file keeps none: name --state")
        money = not no_keys and not url.startswith("file:")
        _start(
            Serving(
                tables=None if path is None else str(Path(path).resolve()),
                state=url,
                asks_keys=not no_keys,
                shared=shared or os.environ.get("HYPERROUTE_SHARED") or None,
                limits_degraded=_degraded(limits_degraded),
                wallets=_wallets(wallets or ("floor" if named else "none")),
                mail=_mail(mail or os.environ.get("HYPERROUTE_MAIL") or "log:"),
                idempotency=money if idempotency is None else idempotency,
                simulated=simulated,
                host=host,
                port=port,
                workers=workers,
                log=log,
                watch=watch,
                fetch_media=fetch_media,
                tells_route=route_headers,
                metrics=metrics,
                otel=otel,
                root_path=root_path.rstrip("/"),
            )
        )


def _mail(url: str) -> str:
    """See that mails can go there.

    Raises:
        typer.Exit: They cannot.
    """
    from hyperroute.gateway.mail import sink_of

    try:
        sink_of(url)
    except ValueError as error:
        misuse(f"--mail: {error}")
    return url


def _degraded(word: str) -> Degraded:
    """Read what becomes of rates while nobody counts them together.

    Raises:
        typer.Exit: It is no such word.
    """
    kinds: tuple[Degraded, ...] = ("closed", "open")
    found = next((one for one in kinds if one == word), None)
    if found is None:
        misuse(f"--limits-degraded needs closed or open, not {word!r}")
    return found


def _wallets(word: str) -> Wallets:
    """Read how wallets are asked.

    Raises:
        typer.Exit: It is no such word.
    """
    found = next((one for one in _ASKED if one == word), None)
    if found is None:
        misuse(f"--wallets needs none, floor or strict, not {word!r}")
    return found


def _others(url: str | None) -> str:
    """Name the server that all replicas share, without its password.

    Raises:
        typer.Exit: The URL names none.
    """
    from hyperroute.errors import StoreError
    from hyperroute.stores.valkey_url import server_at

    try:
        return "" if url is None else server_at(url).name
    except StoreError as error:
        misuse(f"--shared: {error}")


def _start(serving: Serving) -> None:
    """Tell what there is to know, and serve.

    Raises:
        typer.Exit: Nothing can listen there.
    """
    from hyperroute.gateway import server
    from hyperroute.routing.limiting import unenforced
    from hyperroute.stores.opening import shown

    others = _others(serving.shared)
    router = serving.router()  # a broken table is told here, once, and not by every worker
    first = server.first_key(serving)
    for name, url in server.base_urls(serving):
        _say(f"{name + ' base URL:':<20} {url}")
    if first is not None:
        _say(f"{'first key:':<20} {first}", f"{'':<20} kept as a digest in {shown(serving.state)}")
    if others:
        _say(f"{'shared:':<20} {others}")
    if serving.keeps_money:
        _say(f"{'wallets:':<20} {_ASKED[serving.wallets]}")
    if first is not None and Path(_OLD_KEYS).exists():
        _say(f"note: the keys in {_OLD_KEYS} are not used; --keys {_OLD_KEYS} does")
    for line in unenforced(router.table, money=serving.keeps_money):
        _say(f"note: {line}")
    if serving.workers > 1 and router.table.limits and not serving.shares_rates:
        _say(f"note: each of {serving.workers} workers holds to its share of every rate")
    try:
        server.serve(serving)
    except OSError as error:
        _say(
            f"hyperroute: cannot listen at {serving.host}:{serving.port}: {error.strerror or error}"
        )
        no()


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)
