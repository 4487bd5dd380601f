"""One suite over every place where replicas meet."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

import pytest

from hyperroute.canon.units import MILLISECOND, SECOND
from hyperroute.errors import StoreError
from hyperroute.stores.gossiping import LEASE_NS, PAGE, Gossip, Incoming, Outgoing
from hyperroute.stores.valkey_gossip import ValkeyGossip
from hyperroute.testing.replicas import Meeting


@dataclass
class Place:
    """Where the replicas of one test meet."""

    join: Callable[[], Gossip]


@pytest.fixture(params=["meeting", "valkey"])
def place(request: pytest.FixtureRequest) -> Iterator[Place]:
    opened: list[Gossip] = []
    if request.param == "meeting":
        meeting = Meeting(now=lambda: 60 * SECOND)

        def join() -> Gossip:
            return meeting.replica(str(len(opened)))
    else:
        url = request.getfixturevalue("valkey")

        def join() -> Gossip:
            return ValkeyGossip(url)

    def joined() -> Gossip:
        opened.append(join())
        return opened[-1]

    yield Place(joined)
    for one in opened:
        one.close()


def texts(heard: Incoming) -> list[str]:
    return [text for text, _ in heard.words]


def test_the_others_hear_each_word_once_and_in_order(place: Place) -> None:
    one, other = place.join(), place.join()
    said = one.exchange(Outgoing(words=("a", "b")))
    assert said.words == ()
    heard = other.exchange(Outgoing(words=("c",)))
    assert texts(heard) == ["a", "b"]
    assert all(0 <= age < 10 * SECOND for _, age in heard.words)
    assert texts(other.exchange(Outgoing(since=heard.since))) == []
    assert texts(one.exchange(Outgoing(since=said.since))) == ["c"]


def test_who_comes_later_hears_what_was_said_before(place: Place) -> None:
    place.join().exchange(Outgoing(words=("é", '["x"]')))
    assert texts(place.join().exchange(Outgoing())) == ["é", '["x"]']


def test_many_words_are_heard_page_by_page(place: Place) -> None:
    one, other = place.join(), place.join()
    said = [f"w{number}" for number in range(2 * PAGE + 5)]
    for first in range(0, len(said), 500):
        one.exchange(Outgoing(words=tuple(said[first : first + 500])))
    found, since, more = list[str](), "", True
    while more:
        heard = other.exchange(Outgoing(since=since))
        found += texts(heard)
        since, more = heard.since, heard.more
    assert found == said


def test_a_lease_is_one_replicas_until_it_gives_it_back(place: Place) -> None:
    one, other = place.join(), place.join()
    assert one.exchange(Outgoing(wanted=("x", "y"))).granted == ("x", "y")
    assert other.exchange(Outgoing(wanted=("y", "z"))).granted == ("z",)
    assert one.exchange(Outgoing(wanted=("x",))).granted == ("x",)
    other.exchange(Outgoing(freed=("x",), kept=("y",)))
    assert other.exchange(Outgoing(wanted=("x", "y"))).granted == ()
    one.exchange(Outgoing(freed=("x",), kept=("y",)))
    assert other.exchange(Outgoing(wanted=("x", "y"))).granted == ("x",)


def test_replicas_are_counted(place: Place) -> None:
    one, other = place.join(), place.join()
    assert one.exchange(Outgoing()).replicas == 1
    assert other.exchange(Outgoing()).replicas == 2
    assert one.exchange(Outgoing()).replicas == 2


def test_a_lease_runs_out_unless_it_is_kept_and_a_silent_replica_is_none() -> None:
    clock = [0]
    meeting = Meeting(now=lambda: clock[0])
    one, other = meeting.replica("one"), meeting.replica("other")
    one.exchange(Outgoing(wanted=("x", "y")))
    clock[0] += LEASE_NS - 1
    assert other.exchange(Outgoing(wanted=("x",))).granted == ()
    assert one.exchange(Outgoing(kept=("x",))).replicas == 2
    clock[0] += 1
    heard = other.exchange(Outgoing(wanted=("x", "y")))
    assert heard.granted == ("y",)
    clock[0] += LEASE_NS
    assert other.exchange(Outgoing(wanted=("x",))).replicas == 1


def test_a_server_keeps_leases_and_words_no_longer_than_they_are_good_for(valkey: str) -> None:
    import redis

    one = ValkeyGossip(valkey)
    one.exchange(Outgoing(words=("w",), wanted=("x",)))
    tag = f"{{{valkey.partition('prefix=')[2]}}}"
    with redis.Redis.from_url(valkey.partition("?")[0]) as client:
        lives = {name: client.pttl(f"{tag}:{name}") for name in ("words", "replicas", "probe:x")}
        assert 86_390_000 < lives["words"] <= 86_400_000
        assert 4_000 < lives["replicas"] <= 5_000
        assert 14_000 < lives["probe:x"] <= 15_000
        client.script_flush()
        client.pexpire(f"{tag}:probe:x", 500)
        one.exchange(Outgoing(kept=("x", "none")))
        assert client.pttl(f"{tag}:probe:x") > 14_000
        assert not client.exists(f"{tag}:probe:none")
    one.close()


def test_nobody_there_is_told_without_the_password() -> None:
    one = ValkeyGossip("redis://ada:hush@127.0.0.1:1/0", patience_ns=500 * MILLISECOND)
    with pytest.raises(StoreError, match="does not answer") as caught:
        one.exchange(Outgoing())
    assert "hush" not in str(caught.value)
    one.close()
