"""Acme under the conformance kit: every fault of the catalogue, every way a stream can be cut."""

from __future__ import annotations

import pytest
from hyperroute.testing.conformance import Case, provider_suite

from hyperroute_acme import ACME


@pytest.mark.parametrize("case", provider_suite(ACME), ids=str)
def test_acme_conforms(case: Case) -> None:
    """Check one case."""
    case.check()
