"""What is prepared once for every request under the same rules."""

from __future__ import annotations

from hyperroute.canon.failure import FailureClass, Reaction
from hyperroute.catalog.condition import FactRef
from hyperroute.routing.gates import Applied, gated
from hyperroute.routing.table import Policy, Rules
from hyperroute.testing.handmade import line


def test_the_most_retries_are_those_of_a_reaction_that_retries():
    def most(reaction: Reaction, count: int | None) -> int:
        rules = Rules(per_offer=1, errors={FailureClass.SERVER_ERROR: (reaction, count)})
        return Applied(("p",), rules).retries

    assert most(Reaction.RETRY, 3) == 3
    assert most(Reaction.RETRY, None) == 1
    assert most(Reaction.RETRY, 0) == 1
    assert most(Reaction.NEXT, 3) == 1


def test_requirements_on_the_offer_alone_are_prepared_and_a_reference_prevents_it():
    plain = line("region", "=", "eu")
    assert Applied((), Rules()).lines == ()
    assert Applied((), Rules(require=(("p", (plain,)),))).lines == ((plain, ("eu",), None),)
    loose = line("region", "=", FactRef("org.region"))
    assert Applied((), Rules(require=(("p", (plain, loose)),))).lines is None


def test_a_policy_is_gated_by_equality_with_words_and_nothing_else():
    for op, value, expected in (("=", "a", True), ("=", "a*", False), ("=", 1, False), ("not", "a", False)):  # fmt: skip
        condition = (line("org.id", op, value),)  # type: ignore[arg-type]
        assert gated(Policy(name="p", when=condition)) is expected
    assert gated(Policy(name="p"))
    assert not gated(Policy(name="p", when=(line("org.id", "=", "a", "b*"),)))
