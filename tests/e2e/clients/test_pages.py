"""The pages that show a client: their Python is run against a gateway, as it stands there."""

from __future__ import annotations

import re

import pytest
from tests.e2e.clients.standing import KEY, ROOT

from hyperroute.client import Router
from hyperroute.plugins.registry import discover
from hyperroute_simulated import simulated_registry

BLOCK = re.compile(r"^```python\n(.*?)^```$", re.DOTALL | re.MULTILINE)
PAGES = [
    page
    for page in (
        *sorted((ROOT / "docs" / "how-to" / "connect").glob("*.md")),
        ROOT / "docs" / "tutorials" / "first-gateway.md",
    )
    if BLOCK.search(page.read_text("utf-8"))
]


@pytest.fixture(scope="module")
def simulated():
    return Router.load(ROOT / "routes", registry=simulated_registry(discover()))


@pytest.mark.filterwarnings("ignore::ResourceWarning")  # pages leave closing to the reader
@pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")
@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_the_python_of_a_page_does_what_it_says(server, upstream, simulated, page):
    blocks = BLOCK.findall(page.read_text("utf-8"))
    with server.standing(upstream, simulated) as place:
        for block in blocks:
            assert "http://127.0.0.1:8787" in block
            here = block.replace("http://127.0.0.1:8787", place.url).replace("ck_...", KEY)
            exec(compile(here, str(page), "exec"), {})  # noqa: S102 - that is the test
        assert len(place.over(len(blocks))) >= len(blocks)
