"""What a dialect reads of a provider entry's options can be set in a table."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from hyperroute import dialects
from hyperroute.providers.flow import Provider
from hyperroute_anthropic import ANTHROPIC
from hyperroute_gemini import GEMINI
from hyperroute_openai import OPENAI

FOLDER = Path(next(iter(dialects.__path__)))
READ = re.compile(r"profile\.options(?:\.get\(|\[)\s*\"(\w+)\"")


def read_by(*prefixes: str) -> Iterator[str]:
    for path in sorted(FOLDER.glob("*.py")):
        if path.name.startswith(prefixes):
            yield from READ.findall(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize(
    ("provider", "prefix"),
    [(OPENAI, "openai_"), (ANTHROPIC, "anthropic_"), (GEMINI, "gemini")],
    ids=lambda value: value.name if isinstance(value, Provider) else "",
)
def test_every_option_that_a_dialect_reads_is_declared_by_its_plugin(provider, prefix):
    found = set(read_by(prefix))
    assert found, "the search itself is broken"
    assert found <= provider.options.keys()


def test_no_dialect_reads_options_in_a_way_the_search_cannot_see():
    reads = sum(
        path.read_text(encoding="utf-8").count("profile.options") for path in FOLDER.glob("*.py")
    )
    assert reads == len(list(read_by("")))
