"""A thousand clients come and go, and nothing of them stays: no thread, no object, no exchange."""

from __future__ import annotations

import asyncio
import gc
import os
import threading
import weakref
from pathlib import Path

from hyperroute.client import AsyncClient, Client, Router
from hyperroute.plugins.registry import discover
from hyperroute.testing.replies import refusal, streamed, whole
from hyperroute.testing.world import World

CLIENTS = 1_000
TABLE = """
hyperroute: 1
providers: {one: {plugin: openai, url: "https://one.test", keys: [env:ONE], speaks: [chat]}}
models: {m: {kind: chat, offers: [{at: one}]}}
"""
BODY = {"model": "m", "messages": [{"role": "user", "content": "hi"}]}


def open_files():
    return len(list(Path("/proc/self/fd").iterdir())) if os.path.isdir("/proc/self/fd") else 0  # noqa: PTH112 - as short


def world_of():
    world = World()
    world.serve("https://one.test", (whole("openai.chat"), streamed("openai.chat")))
    return world


def test_a_thousand_routers_and_clients_leave_nothing_behind():
    registry = discover().with_secrets(lambda reference: f"key of {reference}")
    alive: list[weakref.ref[object]] = []
    worlds: list[World] = []

    def once():
        world = world_of()
        router = Router.loads(TABLE, registry=registry)
        with Client(router, transport=world, clock=world) as client:
            client.send(BODY)
            next(stream := client.stream(BODY))
            stream.close()
        worlds.append(world)
        alive.extend((weakref.ref(client), weakref.ref(client.desk), weakref.ref(stream)))

    once()
    gc.collect()
    threads, files = threading.active_count(), open_files()
    for _ in range(CLIENTS):
        once()
    gc.collect()
    assert threading.active_count() == threads
    assert open_files() <= files
    assert sum(ref() is not None for ref in alive) == 0
    assert sum(world.open_now for world in worlds) == 0


def test_a_thousand_async_clients_leave_nothing_behind():
    registry = discover().with_secrets(lambda reference: f"key of {reference}")
    router = Router.loads(TABLE, registry=registry)
    alive: list[weakref.ref[object]] = []

    async def main():
        for _ in range(CLIENTS):
            there = world_of().awaiting()
            async with AsyncClient(router, transport=there, clock=there) as client:
                await client.send(BODY)
                stream = client.stream(BODY)
                await anext(stream)
                await stream.close()
            assert there.world.open_now == 0
            alive.extend((weakref.ref(client), weakref.ref(client.desk), weakref.ref(stream)))
        return len(asyncio.all_tasks())

    threads = threading.active_count()
    assert asyncio.run(main()) == 1
    gc.collect()
    assert threading.active_count() == threads
    assert sum(ref() is not None for ref in alive) == 0


def test_clients_with_transports_of_their_own_end_their_threads():
    """Nothing was sent, so nothing was opened; what was made all the same is let go of."""
    router = Router.loads(
        TABLE, registry=discover().with_secrets(lambda reference: f"key of {reference}")
    )
    Client(router).close()
    gc.collect()
    threads, files = threading.active_count(), open_files()
    for _ in range(50):
        Client(router).close()
    gc.collect()
    assert threading.active_count() == threads
    assert open_files() <= files


TWO = """
hyperroute: 1
providers:
  one: {plugin: openai, url: "https://one.test", keys: [env:ONE], speaks: [chat]}
  two: {plugin: openai, url: "https://two.test", keys: [env:TWO], speaks: [chat]}
models: {m: {kind: chat, offers: [{at: one}, {at: two}]}}
policies:
  base: {errors: {server_error: next}}
"""


def test_calls_leave_no_work_for_the_collector():
    """Nothing of a call refers to itself in a circle, whether it was served at once or elsewhere."""
    registry = discover().with_secrets(lambda reference: f"key of {reference}")
    world, down = World(), refusal("openai.chat", 500, kind="server_error", message="down")
    world.serve("https://one.test", (whole("openai.chat"), down))
    world.serve("https://two.test", (whole("openai.chat"),))
    with Client(Router.loads(TWO, registry=registry), transport=world, clock=world) as client:
        client.send(BODY)
        gc.collect()
        gc.disable()
        try:
            for _ in range(4):
                assert client.send(BODY).record.served
            assert gc.collect() == 0
        finally:
            gc.enable()
