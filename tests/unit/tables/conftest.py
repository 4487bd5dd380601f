"""What the tests of the loader share."""

from pathlib import Path

import pytest

from hyperroute.tables.vocabulary import PluginWords, ProviderWords

FIXTURES = Path(__file__).parents[2] / "fixtures" / "tables"


@pytest.fixture
def whole():
    """The folder in which every key of the language stands."""
    return FIXTURES / "good" / "whole"


@pytest.fixture
def plugins():
    """What the plugins of that folder add."""
    return PluginWords(
        providers={
            "openai": ProviderWords(),
            "simulated": ProviderWords(options={"port": "count"}),
        },
        rankings=frozenset({"greenness"}),
        tables={"acme": {"acme.yaml": "hyperroute: 1\nmodels: {acme: {kind: chat}}\n"}},
    )


@pytest.fixture
def folder(tmp_path):
    """Write files and give their folder."""

    def write(**files):
        for name, text in files.items():
            path = tmp_path / f"{name.replace('__', '/')}.yaml"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text, "utf-8")
        return tmp_path

    return write
