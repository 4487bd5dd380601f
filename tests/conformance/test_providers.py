"""Our own providers, judged by the kit that strangers use."""

from __future__ import annotations

import pytest

from hyperroute.canon.failure import FailureClass
from hyperroute.testing.conformance import Case, provider_suite
from hyperroute_anthropic import ANTHROPIC
from hyperroute_gemini import GEMINI
from hyperroute_openai import OPENAI
from hyperroute_simulated import INSTANT, Simulation, Step, provider

SIMULATED = provider(INSTANT)
BROKEN = provider(
    Simulation(latency_ns=0, tokens_per_s=0, script=(Step(kind=FailureClass.TRUNCATED),))
)


@pytest.mark.parametrize("case", provider_suite(OPENAI), ids=str)
def test_openai_conforms(case: Case) -> None:
    case.check()


@pytest.mark.parametrize(
    "case",
    provider_suite(OPENAI, options={"auth": "api-key", "api_version": "2026-01-01"}),
    ids=str,
)
def test_azure_conforms(case: Case) -> None:
    case.check()


@pytest.mark.parametrize("case", provider_suite(ANTHROPIC), ids=str)
def test_anthropic_conforms(case: Case) -> None:
    case.check()


@pytest.mark.parametrize("case", provider_suite(GEMINI), ids=str)
def test_gemini_conforms(case: Case) -> None:
    case.check()


@pytest.mark.parametrize("case", provider_suite(SIMULATED), ids=str)
def test_simulated_conforms(case: Case) -> None:
    case.check()


@pytest.mark.parametrize("case", provider_suite(BROKEN), ids=str)
def test_a_simulation_that_fails_conforms(case: Case) -> None:
    case.check()
