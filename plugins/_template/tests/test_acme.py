"""Acme, judged by the kit that hyperroute's own providers pass."""

import pytest

from hyperroute.testing.conformance import Case, provider_suite
from hyperroute_acme import ACME


@pytest.mark.parametrize("case", provider_suite(ACME), ids=str)
def test_acme_conforms(case: Case) -> None:
    """Judge one case of the kit."""
    case.check()
