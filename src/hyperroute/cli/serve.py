"""``hyperroute serve``: the gateway as a server."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Annotated

import typer

from hyperroute.cli.keys import keys_file
from hyperroute.cli.options import Keys, Tables, place
from hyperroute.cli.say import answering, misuse, no


def serve(
    *,
    host: Annotated[str, typer.Option("--host", metavar="HOST", help="Address to listen on.")] = (
        "127.0.0.1"
    ),
    port: Annotated[
        int, typer.Option("--port", metavar="N", min=1, max=65535, help="Port to listen on.")
    ] = 8787,
    workers: Annotated[
        int, typer.Option("--workers", metavar="N", min=1, help="Processes that answer.")
    ] = 1,
    simulated: Annotated[
        bool,
        typer.Option("--simulated", help="Let a simulated provider answer: no key, no network."),
    ] = False,
    tables: Tables = None,
    keys: Keys = None,
    open_to_all: Annotated[
        bool, typer.Option("--no-keys", help="Let anybody call: for this machine alone.")
    ] = False,
    watch: Annotated[
        bool, typer.Option("--watch", help="Reload when a file of the table changes.")
    ] = False,
    log: Annotated[
        bool, typer.Option("--log/--no-log", help="Write a line of JSON per request to stderr.")
    ] = True,
    route_headers: Annotated[
        bool,
        typer.Option(
            "--route-headers/--no-route-headers",
            help="Tell callers which offer served, after how many attempts.",
        ),
    ] = True,
    metrics: Annotated[
        bool, typer.Option("--metrics", help="Answer GET /metrics, for Prometheus.")
    ] = False,
    otel: Annotated[
        bool,
        typer.Option("--otel", help="Send OpenTelemetry spans where OTEL_EXPORTER_OTLP_… says."),
    ] = False,
    root_path: Annotated[
        str, typer.Option("--root-path", metavar="PATH", help="Where a proxy mounts this server.")
    ] = "",
) -> None:
    """Serve every dialect to every client: change the base URL and the key, nothing else."""
    with answering(as_json=False):
        try:
            import uvicorn  # noqa: F401 - what is missing is told before anything is printed
        except ModuleNotFoundError:
            misuse("serving needs an extra: pip install 'hyperroute[gateway]'")
        from hyperroute.gateway import server
        from hyperroute.routing.limiting import unenforced

        path = place(tables)
        serving = server.Serving(
            tables=None if path is None else str(Path(path).resolve()),
            keys=None if open_to_all else str(keys_file(keys).resolve()),
            simulated=simulated,
            host=host,
            port=port,
            workers=workers,
            log=log,
            watch=watch,
            tells_route=route_headers,
            metrics=metrics,
            otel=otel,
            root_path=root_path.rstrip("/"),
        )
        router = serving.router()  # a broken table is told here, once, and not by every worker
        first = server.first_key(serving)
        for name, url in server.base_urls(serving):
            _say(f"{name + ' base URL:':<20} {url}")
        if first is not None:
            _say(f"{'first key:':<20} {first}", f"{'':<20} kept as a digest in {serving.keys}")
        for line in unenforced(router.table):
            _say(f"note: {line}")
        if workers > 1 and router.table.limits:
            _say(f"note: each of {workers} workers holds to its share of every rate")
        try:
            server.serve(serving)
        except OSError as error:
            _say(f"hyperroute: cannot listen at {host}:{port}: {error.strerror or error}")
            no()


def _say(*lines: str) -> None:
    for line in lines:
        print(line, file=sys.stderr)
