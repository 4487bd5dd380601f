"""The gateway as a server: uvicorn around the ASGI application, one process or several.

Workers are processes that import this module by themselves, so what the command line said reaches
them as JSON in one environment variable, which this module writes and reads and nobody else.
"""

from __future__ import annotations

import json
import logging
import os
import signal
import socket
from collections.abc import Sequence
from contextlib import closing
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final, Self

from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import put
from hyperroute.accounts.pepper import pepper_of
from hyperroute.canon.mutation import Shelved
from hyperroute.client import AsyncClient, Router
from hyperroute.gateway.asgi import Application, asgi_app
from hyperroute.gateway.awaiting import Gateway
from hyperroute.gateway.backing import Backing
from hyperroute.gateway.door import Door
from hyperroute.gateway.idempotent import DEFAULT_KEEPING
from hyperroute.gateway.mail import sink_of
from hyperroute.gateway.metrics import Metrics
from hyperroute.gateway.postman import AsyncPostman
from hyperroute.gateway.sweeper import AsyncSweeper
from hyperroute.gateway.tracing import tracer_of
from hyperroute.gateway.visit import Observer, Visit, log_entry, told_to
from hyperroute.ledger.book import book
from hyperroute.runtime.board import Board
from hyperroute.runtime.clock import SystemClock
from hyperroute.runtime.quotas import Quotas
from hyperroute.runtime.replicas import Degraded, shared_state
from hyperroute.runtime.tab import Till, Wallets
from hyperroute.stores.base import Store
from hyperroute.stores.opening import opened

if TYPE_CHECKING:
    from hyperroute.plugins.registry import Registry

_VARIABLE: Final = "HYPERROUTE_SERVING"
_GRACE_S: Final = 300
"""How long streams may go on after the server was told to stop."""

_access = logging.getLogger("hyperroute.access")


@dataclass(frozen=True, slots=True, kw_only=True)
class Serving:
    """What a server was told.

    Attributes:
        tables: ``None``: the shipped one.
        simulated: Every provider answered by one that needs no key and no network.
        state: URL of the store that keeps keys, limits and money.
        shared: URL of the Valkey or Redis that all replicas share; ``None``: none.
        limits_degraded: What becomes of rates while that is down (``runtime.replicas``).
        asks_keys: Let nobody in without one of its keys.
        wallets: Whether callers pay from wallets (``runtime.tab.Wallets``).
        mail: Where mails about keys go (``gateway.mail``).
        idempotency: Keep answers in the state for a day, for callers that name an idempotency key.
        workers: Processes.
        log: Write a line of JSON for each request to stderr.
        watch: Reload when a table's files change.
        fetch_media: Fetch media that a request names by URL, where the provider needs its bytes.
        tells_route: Send ``x-hyperroute-served-by``, ``-attempts`` and ``-decision``.
        metrics: Answer ``GET /metrics``.
        otel: Write spans, to wherever OpenTelemetry's own environment variables say.
        root_path: Where a proxy mounts us.
    """

    tables: str | None = None
    state: str = "memory:"
    shared: str | None = None
    limits_degraded: Degraded = "closed"
    asks_keys: bool = False
    wallets: Wallets = "none"
    mail: str = "log:"
    idempotency: bool = False
    simulated: bool = False
    host: str = "127.0.0.1"
    port: int = 8787
    workers: int = 1
    log: bool = True
    watch: bool = False
    fetch_media: bool = False
    tells_route: bool = True
    metrics: bool = False
    otel: bool = False
    root_path: str = ""
    grace_s: int = _GRACE_S

    @classmethod
    def told(cls) -> Self:
        """Read what the parent process was told."""
        return cls(**json.loads(os.environ[_VARIABLE]))

    def router(self) -> Router:
        """Load the tables.

        Raises:
            TableError: With every problem of them.
            PluginError: A plugin is broken, or two clash.
        """
        path = None if self.tables is None else Path(self.tables)
        return Router.load(path, registry=self.registry())

    def registry(self) -> Registry:
        """Find what plugins add.

        Raises:
            PluginError: A plugin is broken, or two clash.
        """
        from hyperroute.plugins.registry import discover

        return _simulated() if self.simulated else discover()

    @property
    def keeps_money(self) -> bool:
        """Whether runs are held and charged: where callers are known, in a store that has books."""
        return self.asks_keys and not self.state.startswith("file:")

    @property
    def shares_rates(self) -> bool:
        """Whether all workers count rates together: where their counters are in one database."""
        return self.shared is not None or self.state.partition(":")[0] not in {"memory", "file"}


def serve(serving: Serving) -> None:
    """Serve until told to stop; streams may end first.

    Raises:
        ModuleNotFoundError: The extra ``gateway`` is not installed.
        OSError: Nothing can listen at the address.
    """
    import uvicorn

    with socket.create_server((serving.host, serving.port), family=_family(serving.host)):
        pass  # a port that is taken is told before any worker starts
    for number in (signal.SIGTERM, signal.SIGINT):
        # uvicorn raises the signal again once it has ended well; then there is nothing left to do.
        signal.signal(number, _stopped)
    os.environ[_VARIABLE] = json.dumps(asdict(serving))
    uvicorn.run(
        "hyperroute.gateway.server:application",
        factory=True,
        host=serving.host,
        port=serving.port,
        workers=serving.workers,
        root_path=serving.root_path,
        access_log=False,
        server_header=False,
        log_config=None,
        timeout_keep_alive=75,
        timeout_graceful_shutdown=serving.grace_s,
    )


def _stopped(_number: int, _frame: object) -> None:
    """End well: the server was told to stop, and it did."""


def _family(host: str) -> socket.AddressFamily:
    return socket.AF_INET6 if ":" in host else socket.AF_INET


def application() -> Application:
    """Build the application of one worker."""
    serving = Serving.told()
    observers: list[Observer] = []
    if serving.log:
        _log_to_stderr()
        observers.append(_logged)
    metrics = Metrics.new() if serving.metrics else None
    if metrics is not None:
        observers.append(metrics.observe)
    if serving.otel:
        observers.append(tracer_of(_exporting()))
    board = Board(counters=Quotas(workers=serving.workers, learns=serving.keeps_money))
    shared = shared_state(
        serving.shared,
        _store(serving),
        board=board,
        now=SystemClock.now,
        limits=serving.limits_degraded,
    )
    backing = Backing(shared)
    store = backing.store
    client = AsyncClient(
        serving.router(),
        watch=serving.watch,
        fetch_media=serving.fetch_media,
        board=board,
        till=Till(store, wallets=serving.wallets) if serving.keeps_money else None,
    )
    postman = AsyncPostman(store, sink_of(serving.mail), client.clock)
    if serving.asks_keys:
        observers.append(postman.observe)
    gateway = Gateway(
        client,
        door=_door(serving),
        store=store,
        observer=told_to(*observers),
        tells_route=serving.tells_route,
        metrics=None if metrics is None else metrics.page,
        dependences=shared.dependences,
        keeping=DEFAULT_KEEPING if serving.idempotency else None,
    )
    mails = (postman,) if serving.asks_keys else ()
    sweeps = (AsyncSweeper(store, client.clock),) if serving.keeps_money else ()
    return asgi_app(gateway, close=True, alongside=(backing, *mails, *sweeps))


def base_urls(serving: Serving) -> Sequence[tuple[str, str]]:
    """Say what each kind of client is to be given as its base URL."""
    host = f"[{serving.host}]" if ":" in serving.host else serving.host
    root = f"http://{host}:{serving.port}{serving.root_path}"
    return (
        ("OpenAI", f"{root}/v1"),
        ("Anthropic", root),
        ("Gemini", root),
    )


def first_key(serving: Serving) -> str | None:
    """Make a key where the state has none yet, and return its secret to be shown.

    Raises:
        StoreError: The state cannot be read or written.
    """
    if not serving.asks_keys:
        return None
    with closing(_store(serving)) as store:
        if store.read([Shelved("key")]) != ((),):
            return None
        secret, key = issue(
            name="first",
            owner_type="user",
            owner_id="first",
            pepper=pepper_of(serving.state, os.environ),
            now=SystemClock.unix_ns(),
        )
        store.commit([put(key)])
        return secret


def _store(serving: Serving) -> Store:
    return opened(serving.state, serving.registry().stores, now=SystemClock.unix_ns, book=book)


def _door(serving: Serving) -> Door:
    pepper = pepper_of(serving.state, os.environ) if serving.asks_keys else None
    return Door(
        pepper=pepper,
        workers=1 if serving.shares_rates else serving.workers,
        money=serving.keeps_money,
    )


def _logged(visit: Visit) -> None:
    _access.info(json.dumps(log_entry(visit), ensure_ascii=False))


def _exporting() -> object:
    """Send spans by OTLP, in batches, from a thread of their own."""
    from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter
    from opentelemetry.sdk.resources import Resource
    from opentelemetry.sdk.trace import TracerProvider
    from opentelemetry.sdk.trace.export import BatchSpanProcessor

    provider = TracerProvider(resource=Resource.create({"service.name": "hyperroute"}))
    provider.add_span_processor(BatchSpanProcessor(OTLPSpanExporter()))
    return provider


def _log_to_stderr() -> None:
    if not _access.handlers:
        handler = logging.StreamHandler()
        handler.setFormatter(logging.Formatter("%(message)s"))
        _access.addHandler(handler)
        _access.setLevel(logging.INFO)
        _access.propagate = False


def _simulated() -> Registry:
    from hyperroute.plugins.registry import discover
    from hyperroute_simulated import simulated_registry

    return simulated_registry(discover())


__all__ = ["Serving", "application", "base_urls", "first_key", "serve"]
