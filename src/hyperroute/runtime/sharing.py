"""What replicas share of health: trips, cool-downs, recoveries, and the lease of the one probe.

The board stays what a run asks, and answers without waiting. In the background a *round* tells the
others what has changed and takes in what they said: soon after a change, and every half second in
any case, so that is how old an opinion can be. One thing is waited for, because it is rare and must
be one over all replicas (invariant 22): the lease of a probe, for which the machine's permit becomes
the driver's business.

Advisory state (architecture.md, law 10): a store that is down costs attempts. Each replica then goes
by what it saw itself, probes included; what it could not tell it tells when the store is back.
"""

from __future__ import annotations

import asyncio
import logging
import threading
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from concurrent.futures import TimeoutError as TookTooLong
from typing import Final

from hyperroute.canon.units import MILLISECOND, SECOND, Instant
from hyperroute.errors import StoreError
from hyperroute.routing import gossip
from hyperroute.routing.state import Permit, Told
from hyperroute.runtime.board import Board, Lease
from hyperroute.stores.gossiping import BEGINNING, Gossip, Outgoing

INTERVAL_NS: Final = 500 * MILLISECOND
"""A round is made at least so often: the age that an opinion of another replica can have."""

PAUSE_NS: Final = 20 * MILLISECOND
"""Rounds are so far apart at least, however much happens."""

PATIENCE_NS: Final = 250 * MILLISECOND
"""How long a run waits for a lease; then it goes by what its own process knows."""

_log = logging.getLogger("hyperroute")


class Sharing:
    """One board's part in what its replicas share. Safe between threads."""

    def __init__(
        self,
        board: Board,
        gossip_: Gossip,
        *,
        now: Callable[[], Instant],
        patience_ns: int = PATIENCE_NS,
    ) -> None:
        """Take part; without ``start`` a round is made whenever a lease is asked for, and by hand.

        Args:
            board: Belongs to this process.
            gossip_: Where replicas meet; closed with this.
            now: The clock of the board.
            patience_ns: As of ``PATIENCE_NS``.
        """
        self.board = board
        self.well = True
        self._gossip, self._now, self._patience_ns = gossip_, now, patience_ns
        self._since = BEGINNING
        self._wanted: list[tuple[str, Future[Lease]]] = []
        self._held: dict[str, int] = {}
        """Leases that we have, and how many runs have still to see theirs."""
        self._lock = threading.Lock()
        self._round = threading.Lock()
        self._wake = threading.Event()
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        board.leases = self

    def wake(self) -> None:
        """Make a round soon."""
        self._wake.set()

    # --- a permit that must be leased ------------------------------------------------------------
    def permitted(self, permit: Permit) -> Told:
        """Ask for the lease of a probe, and judge the permit again."""
        asked = self._asked(permit.offer)
        lease: Lease = "granted"  # of a store that does not answer in time, as of one that is down
        try:
            lease = asked.result(self._patience_ns / SECOND)
        except TookTooLong:
            asked.cancel()
        return self._judged(permit, lease)

    async def permitting(self, permit: Permit) -> Told:
        """Ask for the lease of a probe, awaiting, and judge the permit again."""
        waiting = asyncio.wrap_future(self._asked(permit.offer))
        lease: Lease = "granted"
        try:
            await asyncio.wait([waiting], timeout=self._patience_ns / SECOND)
            if waiting.done():
                lease = waiting.result()
        except asyncio.CancelledError:
            self._seen(permit.offer)
            raise
        finally:
            waiting.cancel()
        return self._judged(permit, lease)

    def _asked(self, offer: str) -> Future[Lease]:
        future: Future[Lease] = Future()
        if not self.well:
            future.set_result("granted")  # alone: one probe in this process is what can be kept
            return future
        with self._lock:
            self._wanted.append((offer, future))
            self._held[offer] = self._held.get(offer, 0) + 1
        if self._thread is None:
            self.round()
        else:
            self._wake.set()
        return future

    def _judged(self, permit: Permit, lease: Lease) -> Told:
        told = self.board.permit(permit, self._now(), lease=lease)
        self._seen(permit.offer)
        return told

    def _seen(self, offer: str) -> None:
        """A run has seen what came of its lease; what it does not use is given back."""
        with self._lock:
            if self._held.get(offer, 0) > 0:
                self._held[offer] -= 1

    # --- rounds ----------------------------------------------------------------------------------
    def round(self) -> None:
        """Tell the others what has changed here, and take in what they said."""
        with self._round:
            with self._lock:
                wanted, self._wanted = self._wanted, []
                wanted = [one for one in wanted if one[1].set_running_or_notify_cancel()]
                idle = [offer for offer, unseen in self._held.items() if not unseen]
            now = self._now()
            words = self.board.news(now)
            kept = [offer for offer in idle if self.board.probes(offer, now)]
            freed = [offer for offer in idle if offer not in kept]
            out = Outgoing(
                words=tuple([gossip.spelt(word) for word in words]),
                wanted=tuple(dict.fromkeys(offer for offer, _ in wanted)),
                kept=tuple(kept),
                freed=tuple(freed),
                since=self._since,
            )
            try:
                heard = self._gossip.exchange(out)
            except StoreError as error:
                self._lost(error, words, wanted)
                return
            if not self.well:
                self.well = True
                _log.info("the health of replicas is shared again")
            self._since = heard.since
            self.board.joined(heard.replicas)
            for text, age_ns in heard.words:
                if (word := gossip.read(text)) is not None:
                    self.board.hear(word, now - age_ns)
            with self._lock:
                for offer in freed:
                    if not self._held.get(offer):
                        self._held.pop(offer, None)
            self._tell(wanted, heard.granted)
        if heard.more:
            self._wake.set()

    def _tell(self, wanted: Sequence[tuple[str, Future[Lease]]], granted: Sequence[str]) -> None:
        for offer, future in wanted:
            future.set_result("granted" if offer in granted else "denied")

    def _lost(
        self,
        error: StoreError,
        words: Sequence[gossip.Word],
        wanted: Sequence[tuple[str, Future[Lease]]],
    ) -> None:
        if self.well:
            self.well = False
            _log.warning("the health of replicas is not shared: %s", error)
        self.board.untold(words)
        self._tell(wanted, [offer for offer, _ in wanted])

    # --- in the background -----------------------------------------------------------------------
    def start(self) -> None:
        """Make rounds in a thread of its own, the first one now."""
        self.round()
        self._thread = threading.Thread(target=self._run, name="hyperroute-sharing", daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Tell what is left to tell, and let go."""
        self._stop.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=5)
            self._thread = None
        if self.well:
            self.round()
        self._gossip.close()

    def _run(self) -> None:
        while not self._stop.is_set():
            self._wake.wait(INTERVAL_NS / SECOND)
            # Of a store that is down nothing is to be had sooner.
            self._stop.wait((PAUSE_NS if self.well else INTERVAL_NS) / SECOND)
            self._wake.clear()
            try:
                self.round()
            except Exception:  # noqa: BLE001 - the thread must live
                _log.exception("a round of replicas went wrong")


__all__ = ["INTERVAL_NS", "PATIENCE_NS", "PAUSE_NS", "Sharing"]
