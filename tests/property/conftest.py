"""One router for the properties of the whole client: four dialects, each at two accounts."""

import logging

import pytest

from hyperroute.client import Router
from hyperroute.plugins.registry import discover

ACCOUNT = (
    '  {word}-{at}: {{plugin: {plugin}, url: "https://{word}-{at}.canary-host.internal:8443", '
    'keys: ["env:CANARY_{word}_{at}"], speaks: [{word}], headers: {{x-team: "env:TEAM"}}}}\n'
)
DOES = "tools, vision, json_object, json_schema, thinking, effort, pdf, parallel_tools"
PLUGINS = {"chat": "openai", "responses": "openai", "messages": "anthropic", "gemini": "gemini"}


@pytest.fixture(scope="package")
def four_dialects():
    """A router whose keys, account headers and hosts all hold the word canary."""
    accounts = "".join(
        ACCOUNT.format(word=word, at=at, plugin=plugin)
        for word, plugin in PLUGINS.items()
        for at in ("one", "two")
    )
    models = "".join(
        f"  m-{word}: {{kind: chat, does: [{DOES}], offers: [{{at: {word}-one}}, {{at: {word}-two}}]}}\n"
        for word in PLUGINS
    )
    text = f"hyperroute: 1\nproviders:\n{accounts}models:\n{models}"
    registry = discover().with_secrets(lambda reference: f"canary7 for {reference[4:]}!")
    return Router.loads(text, registry=registry)


@pytest.fixture
def quiet_log():
    """Alarms are what the test is about, thousands of times; nobody has to read them."""
    logging.getLogger("hyperroute").setLevel(logging.CRITICAL)
    yield
    logging.getLogger("hyperroute").setLevel(logging.NOTSET)
