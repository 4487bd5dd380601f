"""Hypothesis profiles, nothing clever."""

import os

from hypothesis import HealthCheck, Phase, settings

settings.register_profile("pr", max_examples=100, derandomize=True, deadline=None)
settings.register_profile("main", max_examples=1_000, deadline=None)
settings.register_profile(
    "night", max_examples=100_000, deadline=None, suppress_health_check=[HealthCheck.too_slow]
)
settings.register_profile(
    "mutants",
    max_examples=30,
    derandomize=True,
    database=None,
    deadline=None,
    phases=[Phase.explicit, Phase.generate],
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile(os.environ.get("HYPERROUTE_PROFILE", "pr"))
