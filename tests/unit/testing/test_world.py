import asyncio
import gzip

import pytest

from hyperroute.canon.wire import HttpRequest
from hyperroute.runtime.ports import Limits, TransportError
from hyperroute.testing.replies import SSE, streamed, whole
from hyperroute.testing.script import MS, SECOND, Script
from hyperroute.testing.world import World

REQUEST = HttpRequest(method="POST", url="https://a/v1", body=b"{}")
FOREVER = 10**18


def limits(connect=5 * SECOND, first_byte=60 * SECOND, idle=60 * SECOND, total=FOREVER):
    return Limits(connect, first_byte, idle, total)


def world_with(*scripts) -> World:
    world = World()
    world.serve("https://a/", scripts)
    return world


def fault(function) -> str:
    with pytest.raises(TransportError) as caught:
        function()
    return caught.value.fault


def test_an_answer_takes_the_time_of_its_script_and_no_other():
    script = Script(chunks=(b"a", b"b"), head_after_ns=SECOND, chunk_after_ns=MS, waits_ns=(7,))
    world = world_with(script)
    exchange = world.open(REQUEST, limits=limits())
    assert (world.now(), exchange.head.status) == (SECOND, 200)
    assert (exchange.read(timeout_ns=SECOND), world.now()) == (b"a", SECOND + 7)
    assert (exchange.read(timeout_ns=SECOND), world.now()) == (b"b", SECOND + 7 + MS)
    assert (exchange.read(timeout_ns=SECOND), world.open_now) == (b"", 0)
    assert exchange.read(timeout_ns=SECOND) == b""
    assert world.unix_ns() - world.unix_at_zero_ns == world.now()
    assert world.sent[0].complete


@pytest.mark.parametrize(
    ("script", "within", "expected", "at"),
    [
        (Script(fault="dns"), limits(), "dns", 0),
        (Script(fault="connect_timeout"), limits(), "connect_timeout", 5 * SECOND),
        (Script(fault="first_byte"), limits(), "first_byte", 60 * SECOND),
        (Script(fault="reset", head_after_ns=9), limits(), "reset", 9),
        (Script(head_after_ns=61 * SECOND), limits(), "first_byte", 60 * SECOND),
        (Script(head_after_ns=61 * SECOND), limits(total=SECOND), "first_byte", SECOND),
        (Script(raw=b"junk"), limits(), "protocol", 0),
    ],
)
def test_what_keeps_a_head_from_coming(script, within, expected, at):
    world = world_with(script)
    assert fault(lambda: world.open(REQUEST, limits=within)) == expected
    assert (world.now(), world.open_now, world.sent[0].fault) == (at, 0, expected)


@pytest.mark.parametrize(
    ("script", "expected", "at"),
    [
        (Script(chunks=(b"x",), end="stall"), "idle", 60 * SECOND),
        (Script(chunks=(b"x", b"y"), waits_ns=(0, 61 * SECOND)), "idle", 60 * SECOND),
        (Script(chunks=(b"x",), end="reset"), "reset", 0),
        (Script(chunks=(b"x",), end="cut"), "cut", 0),
        (Script(chunks=(b"x",), length=2), "cut", 0),
    ],
)
def test_what_keeps_a_body_from_ending(script, expected, at):
    world = world_with(script)
    exchange = world.open(REQUEST, limits=limits())
    assert exchange.read(timeout_ns=60 * SECOND) == b"x"
    assert fault(lambda: exchange.read(timeout_ns=60 * SECOND)) == expected
    assert (world.now(), world.open_now) == (at, 0)
    assert fault(lambda: exchange.read(timeout_ns=SECOND)) == expected


def test_the_deadline_of_the_whole_ends_a_read_before_its_own_limit():
    world = world_with(Script(chunks=(b"x",), end="stall"))
    exchange = world.open(REQUEST, limits=limits(total=3 * SECOND))
    exchange.read(timeout_ns=60 * SECOND)
    assert fault(lambda: exchange.read(timeout_ns=60 * SECOND)) == "idle"
    assert world.now() == 3 * SECOND


def test_compressed_bodies_are_opened_as_the_real_transports_do():
    packed = gzip.compress(b"hello")
    headers = (*SSE, ("content-encoding", "gzip"))
    good = Script(headers=headers, chunks=(packed[:5], packed[5:]))
    bad = Script(headers=headers, chunks=(packed[:-1],))
    world = world_with(good, bad)
    exchange = world.open(REQUEST, limits=limits())
    assert exchange.read(timeout_ns=SECOND) == b"hello"
    assert exchange.read(timeout_ns=SECOND) == b""
    exchange = world.open(REQUEST, limits=limits())
    assert exchange.read(timeout_ns=SECOND) == b"hello"
    assert fault(lambda: exchange.read(timeout_ns=SECOND)) == "encoding"


def test_closing_early_is_seen_as_unfinished():
    world = world_with(streamed("openai.chat"))
    exchange = world.open(REQUEST, limits=limits())
    exchange.read(timeout_ns=SECOND)
    assert world.open_now == 1
    exchange.close()
    exchange.close()
    assert (world.open_now, world.sent[0].complete) == (0, False)
    assert fault(lambda: exchange.read(timeout_ns=SECOND)) == "cut"


def test_one_seed_throws_the_same_dice():
    assert World(7).dice.random() == World(7).dice.random() != World(8).dice.random()


def test_sleeping_tasks_wait_together_and_wake_in_order():
    async def main():
        here = World().awaiting()
        woken = []

        async def sleeper(name, ns):
            await here.sleep(ns)
            woken.append((name, here.now()))

        names = [("c", 30), ("a", 10), ("b", 20), ("b2", 20)]
        await asyncio.gather(*(sleeper(name, ns) for name, ns in names))
        return woken

    assert asyncio.run(main()) == [("a", 10), ("b", 20), ("b2", 20), ("c", 30)]


def test_time_does_not_move_while_somebody_is_still_working():
    async def main():
        here = World().awaiting()
        seen = []

        async def worker():
            for _ in range(50):
                await here.sleep(0)
                seen.append(here.now())

        await asyncio.gather(here.sleep(SECOND), worker())
        return set(seen), here.now()

    assert asyncio.run(main()) == ({0}, SECOND)


def test_the_async_twin_tells_the_same_story():
    script = whole("openai.chat")
    paced = Script(headers=script.headers, chunks=script.chunks, head_after_ns=3, chunk_after_ns=4)
    world = world_with(paced)

    async def main():
        here = world.awaiting()
        assert here is world.awaiting()
        exchange = await here.open(REQUEST, limits=limits())
        assert exchange.head.header("content-type") == "application/json"
        body = await exchange.read(timeout_ns=SECOND)
        assert await exchange.read(timeout_ns=SECOND) == b""
        assert await exchange.read(timeout_ns=SECOND) == b""
        await exchange.close()
        await here.close()
        return body, here.unix_ns() - world.unix_at_zero_ns

    assert asyncio.run(main()) == (script.body, 7)
    assert world.open_now == 0


@pytest.mark.parametrize("phase", ["head", "body"])
def test_a_cancelled_task_leaves_nothing_open_and_no_time_behind(phase):
    slow = {"head": Script(head_after_ns=9 * SECOND), "body": Script(chunks=(b"x",), end="stall")}
    world = world_with(slow[phase])

    async def call(here):
        exchange = await here.open(REQUEST, limits=limits())
        while await exchange.read(timeout_ns=50 * SECOND):
            pass

    async def main():
        here = world.awaiting()
        task = asyncio.create_task(call(here))
        await here.sleep(SECOND)
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
        await here.sleep(SECOND)

    for _ in range(2):  # a second loop must not find the waiters of the first
        asyncio.run(main())
    assert world.open_now == 0
    assert world.now() == 4 * SECOND
    assert [sent.ended_at for sent in world.sent] == [SECOND, 3 * SECOND]
