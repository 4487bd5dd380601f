"""A newcomer's distribution of thirty lines: installed, it is found, and its models are there.

Metadata on the path is what an installation leaves behind, so the quick test writes just that and
asks a fresh interpreter. ``HYPERROUTE_LONG=1`` builds and installs it into a fresh environment
too, which takes an index and half a minute.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "hyperroute-parrot"
version = "1.0"
dependencies = ["hyperroute"]

[project.entry-points.hyperroute]
parrot = "hyperroute_parrot"

[tool.hatch.build.targets.wheel]
only-include = ["hyperroute_parrot.py"]
"""
MODULE = '''\
"""A provider that says what it was asked, and the table of its one model."""

import hyperroute
from hyperroute.canon.content import Text
from hyperroute.canon.events import Finished, PartDelta, PartEnded, PartStarted, Started
from hyperroute.providers.flow import Provider


def flow(call):
    said = call.request.conversation.turns[-1].parts[0].text
    yield Started("parrot-1", call.model)
    yield PartStarted(0, Text())
    yield PartDelta(0, said)
    yield PartEnded(0)
    yield Finished("stop", "stop")


@hyperroute.hookimpl
def hyperroute_providers():
    return (Provider(name="parrot", flow=flow),)


@hyperroute.hookimpl
def hyperroute_tables():
    return (
        "hyperroute: 1\\n"
        "providers: {cage: {plugin: parrot}}\\n"
        "models: {polly: {kind: chat, offers: [{at: cage}]}}\\n",
    )
'''
ASK = """\
import hyperroute
router = hyperroute.Router.loads("hyperroute: 1\\ninclude: [plugin:parrot]\\n")
with hyperroute.Client(router) as client:
    answer = client.send({"model": "polly", "messages": [{"role": "user", "content": "hello"}]})
print(answer.reply.text, answer.record.served)
"""


def asked(python, path=None):
    env = {**os.environ, **({"PYTHONPATH": str(path)} if path else {})}
    run = subprocess.run(
        [str(python), "-I" if path is None else "-P", "-c", ASK],
        check=False, capture_output=True, text=True, env=env,
    )  # fmt: skip
    assert run.returncode == 0, run.stderr
    return run.stdout


def test_a_provider_is_thirty_lines():
    assert len([line for line in MODULE.splitlines() if line]) <= 30


def test_a_distribution_that_is_installed_is_found_with_its_models(tmp_path):
    (tmp_path / "hyperroute_parrot.py").write_text(MODULE, "utf-8")
    info = tmp_path / "hyperroute_parrot-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: hyperroute-parrot\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text("[hyperroute]\nparrot = hyperroute_parrot\n")
    assert asked(sys.executable, tmp_path) == "hello polly@cage\n"


@pytest.mark.skipif("HYPERROUTE_LONG" not in os.environ, reason="HYPERROUTE_LONG=1 builds it")
def test_built_and_installed_into_a_fresh_environment_it_answers(tmp_path):
    project = tmp_path / "hyperroute-parrot"
    project.mkdir()
    (project / "pyproject.toml").write_text(PROJECT, "utf-8")
    (project / "hyperroute_parrot.py").write_text(MODULE, "utf-8")
    home = tmp_path / "venv"
    python = home / ("Scripts" if os.name == "nt" else "bin") / "python"
    subprocess.run(["uv", "venv", "-q", "--python", sys.executable, str(home)], check=True)  # noqa: S607
    subprocess.run(
        ["uv", "pip", "install", "-q", "--python", str(python), str(ROOT), str(project)],  # noqa: S607
        check=True,
    )
    assert asked(python) == "hello polly@cage\n"
