"""What a run owes the limits of the accounts that it tries: taken with a permit, settled once."""

from __future__ import annotations

from hyperroute.canon.units import Instant
from hyperroute.routing.plan import Plan
from hyperroute.routing.quotas import Toll, used_by
from hyperroute.routing.record import Attempt
from hyperroute.routing.state import Event, Permit, Told
from hyperroute.runtime.board import Board


class Tolling:
    """The tolls of one run: what was asked for last, and what was granted and is not over yet."""

    __slots__ = ("_asked", "_board", "_taken")

    def __init__(self, board: Board) -> None:
        """Begin with nothing taken."""
        self._board = board
        self._asked: tuple[Toll, ...] = ()
        self._taken: tuple[Toll, ...] = ()

    def permit(self, permit: Permit, now: Instant) -> Told:
        """Ask the board."""
        self._asked = permit.tolls
        return self._board.permit(permit, now)

    def hear(self, event: Event) -> None:
        """Note a grant, whoever brings it."""
        if type(event) is Told and event.granted:
            self._taken = self._asked

    def over(self, attempt: Attempt | None, plan: Plan, now: Instant) -> None:
        """Settle what was granted; ``None``: the attempt was never begun."""
        if self._taken:
            used = None if attempt is None else used_by(attempt, plan)
            self._board.paid(self._taken, used, now)
            self._taken = ()


__all__ = ["Tolling"]
