"""Which of an account's credentials a caller starts with."""

from __future__ import annotations

from hyperroute.routing.plan import plan
from hyperroute.testing import handmade


def test_one_key_of_a_caller_starts_with_one_credential_where_there_is_no_organisation():
    account = handmade.account("p", keys=4)
    table = handmade.table(handmade.service("m", handmade.offer("m", "p")), accounts=[account])

    def starts(**labels: str) -> str:
        made = plan(handmade.request("m", labels=labels), table=table)
        return made.candidates[0].credentials[0]

    by_key = {starts(**{"key.id": str(at), "user.id": "same"}) for at in range(40)}
    assert len(by_key) > 1
    assert len({starts(**{"key.id": "same", "user.id": str(at)}) for at in range(40)}) == 1
