"""Released clients that are no dependency of ours: where they are installed, or why a test is skipped.

``HYPERROUTE_CLIENTS`` names a folder with ``node`` and ``python`` in it, as ``install`` leaves them::

    uv run python -m tests.e2e.clients.installed FOLDER    # needs the two package registries
    HYPERROUTE_CLIENTS=FOLDER uv run pytest tests/e2e/clients

Nothing is downloaded by a test, unless ``HYPERROUTE_LONG=1`` asks for it.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import venv
from functools import cache
from pathlib import Path
from tempfile import mkdtemp

import pytest

HERE = Path(__file__).parent
QUIET = ("--no-audit", "--no-fund", "--loglevel=error")


def node_clients() -> Path:
    """Return the folder whose ``node_modules`` hold the clients of Node, or skip."""
    folder = _folder() / "node"
    if not (folder / "node_modules" / ".bin").is_dir():
        pytest.skip(f"no Node clients in {folder}: python -m tests.e2e.clients.installed FOLDER")
    if not (folder / "node_modules" / ".bin" / "node").exists() and shutil.which("node") is None:
        pytest.skip("there is no node here")
    return folder


def python_clients() -> Path:
    """Return the interpreter whose environment holds the other clients of Python, or skip."""
    found = _folder() / "python" / "bin" / "python"
    if not found.exists():
        pytest.skip(f"no Python clients at {found}: python -m tests.e2e.clients.installed FOLDER")
    return found


def environment(folder: Path, home: Path) -> dict[str, str]:
    """Return what a client of Node is run with: its own tools, and nothing of ours."""
    found = f"{folder / 'node_modules' / '.bin'}:{os.environ['PATH']}"
    return {"PATH": found, "HOME": str(home), "NO_COLOR": "1", "TERM": "dumb"}


@cache
def _folder() -> Path:
    named = os.environ.get("HYPERROUTE_CLIENTS")
    if named:
        return Path(named)
    if os.environ.get("HYPERROUTE_LONG") != "1":
        pytest.skip("set HYPERROUTE_CLIENTS to a folder of installed clients, or HYPERROUTE_LONG=1")
    folder = Path(mkdtemp(prefix="hyperroute-clients-"))
    install(folder)
    return folder


def install(folder: Path) -> None:
    """Install every client as a user would, below ``folder``."""
    node, python = folder / "node", folder / "python"
    if npm := shutil.which("npm"):
        node.mkdir(parents=True, exist_ok=True)
        shutil.copy(HERE / "node" / "package.json", node)
        subprocess.run([npm, "install", *QUIET], cwd=node, check=True)
        # Some releases of npm leave install scripts out, without which there is no binary.
        subprocess.run([npm, "rebuild", *QUIET], cwd=node, check=False)
    venv.create(python, with_pip=True)
    wanted = str(HERE / "python" / "requirements.txt")
    pip = [str(python / "bin" / "python"), "-m", "pip", "install", "--quiet", "-r", wanted]
    subprocess.run(pip, check=True)


if __name__ == "__main__":
    install(Path(sys.argv[1]).resolve())
