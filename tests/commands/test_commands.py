"""Pages that are run: every console block of these files does what it says.

A fenced block whose first line is ```` ```yaml NAME ```` (or python, toml, text) writes that file into
the page's own empty folder. A ``console`` block runs its ``$`` lines there and compares what comes:
stdout, then stderr, then ``[exit N]`` where N is not 0. A line ``...`` stands for any number of
lines, and ``...`` within a line for any text. ``hyperroute`` runs in this process, ``python`` and
``pytest`` in one of their own. Blocks of other forms are prose.
"""

from __future__ import annotations

import os
import re
import shlex
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from typer.testing import CliRunner

from hyperroute.cli.app import app

ROOT = Path(__file__).parent.parent.parent
PAGES = sorted(
    page
    for folder in ("tests/commands", "docs/tutorials", "docs/how-to")
    for page in (ROOT / folder).glob("*.md")
)
FENCE = re.compile(
    r"^(?P<ticks>`{3,})(?P<info>[^`\n]*)\n(?P<body>.*?)^(?P=ticks)$", re.DOTALL | re.MULTILINE
)
CREDENTIAL = re.compile(r"_(API_KEY|URL|TOKEN)$|^HYPERROUTE_")


@dataclass(frozen=True, slots=True)
class Block:
    info: tuple[str, ...]
    body: str
    line: int


def blocks(page: Path) -> Iterator[Block]:
    text = page.read_text("utf-8")
    for found in FENCE.finditer(text):
        line = text.count("\n", 0, found.start()) + 2
        yield Block(tuple(found["info"].split()), found["body"], line)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_console_block_does_what_it_says(
    page: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in [name for name in os.environ if CREDENTIAL.search(name)]:
        monkeypatch.delenv(name)
    monkeypatch.setenv("COLUMNS", "100")
    monkeypatch.chdir(tmp_path)
    ran = 0
    for block in blocks(page):
        match block.info:
            case ("console",):
                ran += 1
                play(page, block)
            case (_, name):
                Path(name).parent.mkdir(parents=True, exist_ok=True)
                Path(name).write_text(block.body, "utf-8")
            case _:
                pass
    assert ran == page.read_text("utf-8").count("```console\n"), "a block was overlooked"
    assert ran or page.is_relative_to(ROOT / "docs"), "this page runs nothing"


def play(page: Path, block: Block) -> None:
    for command, expected in commands(block.body):
        came = run(command)
        if not alike(expected, came):
            where = f"{page.relative_to(ROOT)}:{block.line}"
            pytest.fail(
                f"{where}: $ {command}\n--- expected\n{expected}\n--- came\n{came}", pytrace=False
            )


def commands(body: str) -> Iterator[tuple[str, str]]:
    for part in re.split(r"^\$ ", body, flags=re.MULTILINE)[1:]:
        command, _, expected = part.replace("\\\n", " ").partition("\n")
        yield command, expected.strip("\n")


def run(command: str) -> str:
    words = shlex.split(command)
    settings = {}
    while "=" in words[0]:
        name, _, value = words.pop(0).partition("=")
        settings[name] = value
    if words[0] == "hyperroute":
        found = CliRunner().invoke(app, words[1:], prog_name="hyperroute", env=settings)
        if found.exception is not None and not isinstance(found.exception, SystemExit):
            raise found.exception
        return told(found.stdout, found.stderr, found.exit_code)
    program = {"python": [sys.executable], "pytest": [sys.executable, "-m", "pytest"]}[words[0]]
    done = subprocess.run(
        [*program, *words[1:]],
        capture_output=True,
        text=True,
        check=False,
        env=os.environ | settings,
    )
    return told(done.stdout, done.stderr, done.returncode)


def told(out: str, err: str, status: int) -> str:
    end = f"[exit {status}]" if status else ""
    return "\n".join(part for part in (out.strip("\n"), err.strip("\n"), end) if part)


def alike(expected: str, came: str) -> bool:
    pattern = r"\n".join(line_pattern(line) for line in expected.split("\n"))
    # A line of dots takes its line break along, so that it may also stand for nothing.
    pattern = pattern.replace(r"<ANY>\n", r"(?:.*\n)*").replace(r"\n<ANY>", r"(?:\n.*)*")
    return re.fullmatch(pattern.replace("<ANY>", r"(?:.*\n?)*"), came) is not None


def line_pattern(line: str) -> str:
    if line.strip() == "...":
        return "<ANY>"
    return ".*".join(re.escape(piece) for piece in line.rstrip().split("..."))


def test_the_comparison_can_fail() -> None:
    assert alike("a\n...\nd", "a\nb\nc\nd")
    assert alike("a\n...\nd", "a\nd")
    assert alike("took ... ms", "took 12 ms")
    assert alike("...", "")
    assert not alike("a", "a\nb")
    assert not alike("a\n...\nd", "a\nb")
    assert not alike("[exit 1]", "")
