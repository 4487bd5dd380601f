"""Break the planner and the machine on purpose, one small change at a time.

    nice uv run python tests/mutation/run.py --minutes 20 --report mutants.json

The tests are collected once; each mutant is a fork in which the code of one function is
replaced, and only those tests run that reach the changed line, quickest first, until one fails.
A change to what runs at import is given to a fork that has imported nothing of ours yet.
The order is drawn from a fixed seed, so a run that is out of time is an honest sample.
"""

from __future__ import annotations

import argparse
import contextlib
import gc
import importlib.abc
import importlib.machinery
import importlib.util
import json
import os
import pickle
import random
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import Callable, Iterator, Sequence
from itertools import accumulate
from pathlib import Path
from types import CodeType, FrameType, FunctionType, ModuleType
from typing import Any

import pytest

HERE = Path(__file__).parent
ROOT = HERE.parent.parent
SRC = ROOT / "src"
sys.path.insert(0, str(HERE))
from operators import Mutant, mutants, mutated  # type: ignore[import-not-found]  # noqa: E402

KILLED, SURVIVED, TIMEOUT, UNREACHED = "killed", "survived", "timeout", "unreached"
UNDECIDED = "undecided"
MODULES = [
    *sorted((SRC / "hyperroute/routing").glob("*.py")),
    SRC / "hyperroute/catalog/facts.py",
    SRC / "hyperroute/catalog/pricing.py",
]
PROPERTIES = ("chain_laws", "plan_*", "policies", "pricing", "run_*", "shapes")
TESTS = [
    *(str(ROOT / "tests/unit" / name) for name in ("routing", "catalog")),
    *(
        str(path)
        for one in PROPERTIES
        for path in sorted(ROOT.glob(f"tests/property/test_{one}.py"))
    ),
]
QUIET = ["-p", "no:terminal", "-p", "no:cacheprovider", "-o", "addopts=", "--import-mode=importlib"]
OTHER_PROCESS = "in_any_process"
"""A test whose other process runs unchanged code would kill every mutant for the wrong reason."""
SEED = 20261122
LIMIT_S = 15
Lines = dict[str, set[tuple[str, int]]]


class Verdict:
    """A plugin that leaves the fork at the first failure."""

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        if report.failed:
            os._exit(1)

    def pytest_collectreport(self, report: pytest.CollectReport) -> None:
        if report.failed:
            os._exit(1)


class Tracer:
    """Which of our lines run, by file."""

    def __init__(self) -> None:
        self.files = {str(path): str(path.relative_to(SRC)) for path in MODULES}
        self.seen: set[tuple[str, int]] = set()

    def __call__(self, frame: FrameType, event: str, arg: object) -> Callable[..., Any] | None:
        file = self.files.get(frame.f_code.co_filename)
        if file is None:
            return None
        seen = self.seen

        def local(frame: FrameType, event: str, arg: object) -> Callable[..., Any]:
            seen.add((file, frame.f_lineno))
            return local

        seen.add((file, frame.f_lineno))
        return local


class Loop:
    """A plugin that replaces pytest's loop over the collected tests by one over mutants."""

    def __init__(
        self, chosen: Sequence[Mutant], at_import: Tracer, given: argparse.Namespace
    ) -> None:
        self.chosen, self.at_import = chosen, at_import
        self.budget, self.more = given.budget, given.more * 60
        self.deadline = time.monotonic() + given.minutes * 60
        self.results: list[dict[str, object]] = []

    def pytest_runtestloop(self, session: pytest.Session) -> bool:
        sys.settrace(None)
        session.items = [one for one in session.items if OTHER_PROCESS not in one.nodeid]
        items = {item.nodeid: item for item in session.items}
        reach, seconds = _baseline(session.items)
        _say(f"{len(items)} tests, {sum(seconds.values()):.0f} s; {len(self.chosen)} mutants")
        undecided: list[tuple[Mutant, list[str]]] = []
        for mutant in self.chosen:
            if time.monotonic() > self.deadline:
                break
            ids = self._reaching(mutant, reach)
            ids.sort(key=lambda one: (seconds[one], one))
            first = [
                one
                for one, sofar in zip(ids, accumulate(seconds[one] for one in ids), strict=True)
                if sofar < self.budget
            ]
            outcome = self._try(mutant, [items[one] for one in first or ids[:1]], first or ids[:1])
            if outcome == SURVIVED and len(first) < len(ids):
                undecided.append((mutant, ids))
                _say(f"later: {mutant.name}")
            else:
                self._note(mutant, outcome, len(ids))
        for mutant, ids in undecided:
            outcome = UNDECIDED
            if time.monotonic() < self.deadline + self.more:
                outcome = self._try(mutant, [items[one] for one in ids], ids)
            self._note(mutant, outcome, len(ids))
        return True

    def _reaching(self, mutant: Mutant, reach: Lines) -> list[str]:
        if mutant.function is None:
            return list(reach)
        for nearby in (0, 3):  # of an expression over many lines not every line counts as run
            places = {(mutant.module, mutant.line + at) for at in range(-nearby, nearby + 1)}
            if ids := [one for one, lines in reach.items() if not places.isdisjoint(lines)]:
                return ids
        return []

    def _note(self, mutant: Mutant, outcome: str, tests: int) -> None:
        self.results.append(
            {"mutant": mutant.name, "module": mutant.module, "outcome": outcome, "tests": tests}
        )
        if outcome != KILLED or len(self.results) % 50 == 0:
            _say(f"{len(self.results)} {outcome} {mutant.name}")

    def _try(self, mutant: Mutant, items: list[pytest.Item], ids: list[str]) -> str:
        source = (SRC / mutant.module).read_text("utf-8")
        code = mutated(source, mutant, str(SRC / mutant.module))
        if mutant.function is None:
            return _afresh(mutant, code, ids)
        if not items:
            return UNREACHED
        outcome = _forked(lambda: _patched(mutant, code, items))
        early = (mutant.module, mutant.line) in self.at_import.seen
        return _afresh(mutant, code, ids) if outcome == SURVIVED and early else outcome


def _baseline(items: Sequence[pytest.Item]) -> tuple[Lines, dict[str, float]]:
    """Run every test once in a fork: the lines that it reaches, and its time."""
    with tempfile.NamedTemporaryFile() as told:

        def body() -> None:
            seconds: dict[str, float] = {}
            reach: Lines = defaultdict(set)
            coverage: Any = importlib.import_module("coverage")  # of the group `mutation`
            watch = coverage.Coverage(data_file=None, include=[str(path) for path in MODULES])
            watch.start()
            for item in items:
                watch.switch_context(item.nodeid)
                started = time.process_time()
                _protocol(item)
                seconds[item.nodeid] = time.process_time() - started
            watch.stop()
            data = watch.get_data()
            for path in MODULES:
                for line, ids in data.contexts_by_lineno(str(path)).items():
                    for one in ids:
                        reach[one].add((str(path.relative_to(SRC)), line))
            Path(told.name).write_bytes(pickle.dumps((reach, seconds)))

        outcome = _forked(body, limit=600)
        assert outcome == SURVIVED, f"the tests do not pass as they are: {outcome}"
        reach, seconds = pickle.loads(Path(told.name).read_bytes())  # noqa: S301
    return defaultdict(set, reach), seconds


def _protocol(item: pytest.Item) -> None:
    item.config.hook.pytest_runtest_protocol(item=item, nextitem=None)


def _patched(mutant: Mutant, code: CodeType, items: Sequence[pytest.Item]) -> None:
    """Put the mutated code into the living function, wherever it is held, and test."""
    wanted = (str(SRC / mutant.module), mutant.function, mutant.first_line)
    new = next(one for one in _codes(code) if _identity(one) == wanted)
    held = [
        one
        for one in gc.get_objects()
        if isinstance(one, FunctionType) and _identity(one.__code__) == wanted
    ]
    assert held, mutant.name
    for function in held:
        function.__code__ = new
    for item in items:
        _allow(LIMIT_S)  # a limit a test: many slow tests are no endless loop
        _protocol(item)


def _identity(code: CodeType) -> tuple[str, str, int]:
    return code.co_filename, code.co_qualname, code.co_firstlineno


def _codes(code: CodeType) -> Iterator[CodeType]:
    yield code
    for one in code.co_consts:
        if isinstance(one, CodeType):
            yield from _codes(one)


class Planted(importlib.abc.MetaPathFinder, importlib.abc.Loader):
    """Import one module from a code object instead of its file."""

    def __init__(self, name: str, file: str, code: CodeType) -> None:
        self.name, self.file, self.code = name, file, code

    def find_spec(self, fullname: str, path: object, target: object = None) -> Any:
        if fullname != self.name:
            return None
        return importlib.util.spec_from_file_location(fullname, self.file, loader=self)

    def create_module(self, spec: importlib.machinery.ModuleSpec) -> ModuleType | None:
        return None

    def exec_module(self, module: ModuleType) -> None:
        exec(self.code, module.__dict__)  # noqa: S102


def _afresh(mutant: Mutant, code: CodeType, ids: Sequence[str]) -> str:
    """Import everything of ours again around the mutated module, and test."""

    def body() -> None:
        for name in [
            one for one in sys.modules if one.partition(".")[0] in {"hyperroute", "tests"}
        ]:
            del sys.modules[name]
        name = mutant.module.removesuffix(".py").replace("/", ".")
        sys.meta_path.insert(0, Planted(name, str(SRC / mutant.module), code))
        order = {one: at for at, one in enumerate(ids)}

        class Selection:
            def pytest_collection_modifyitems(self, items: list[pytest.Item]) -> None:
                items[:] = sorted(
                    (one for one in items if one.nodeid in order), key=lambda one: order[one.nodeid]
                )

        files = sorted({str(ROOT / one.partition("::")[0]) for one in ids})
        status = pytest.main([*QUIET, *files], plugins=[Verdict(), Selection()])
        os._exit(0 if status == pytest.ExitCode.OK else 1)

    return _forked(body, limit=LIMIT_S * 10)


def _forked(body: Callable[[], None], limit: int = LIMIT_S) -> str:
    """Run a body in a fork of its own: what raises is killed, what hangs is stopped."""
    child = os.fork()
    if child == 0:
        _in_child(body, limit)
    _, status = os.waitpid(child, 0)
    if os.WIFSIGNALED(status):
        return TIMEOUT if os.WTERMSIG(status) == signal.SIGPROF else KILLED
    return KILLED if os.WEXITSTATUS(status) else SURVIVED


def _in_child(body: Callable[[], None], limit: int) -> None:
    if not os.environ.get("MUTATION_LOUD"):
        nowhere = os.open(os.devnull, os.O_WRONLY)
        os.dup2(nowhere, 1)
        os.dup2(nowhere, 2)
    signal.signal(signal.SIGPROF, signal.SIG_DFL)
    _allow(limit)
    status = 1
    with contextlib.suppress(BaseException):
        body()
        status = 0
    os._exit(status)


def _allow(seconds: int) -> None:
    """Allow this much processor time from now on: a busy machine makes no mutant hang."""
    signal.setitimer(signal.ITIMER_PROF, seconds)


def _say(words: str) -> None:
    os.write(SAID, f"{words}\n".encode())


SAID = os.dup(2)


def _chosen(only: str | None, seed: int = SEED) -> list[Mutant]:
    found = [
        mutant
        for path in MODULES
        for mutant in mutants(str(path.relative_to(SRC)), path.read_text("utf-8"))
        if only is None or only in mutant.name
    ]
    random.Random(seed).shuffle(found)  # noqa: S311
    return found


def main() -> None:
    """Collect, try the mutants, and write what became of each."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--minutes", type=float, default=20)
    parser.add_argument("--more", type=float, default=10, help="minutes for the second round")
    parser.add_argument("--budget", type=float, default=2, help="seconds of tests in the first")
    parser.add_argument("--report", type=Path, default=Path("mutants.json"))
    parser.add_argument("--tests", nargs="*", default=TESTS, help="other tests than the usual")
    parser.add_argument("--only", help="mutants whose name contains this")
    parser.add_argument("--seed", type=int, default=SEED, help="of the order they are tried in")
    parser.add_argument("--share", type=int, default=100, help="percent of them that are tried")
    parser.add_argument("--functions", action="store_true", help="leave out what runs at import")
    parser.add_argument("--again", type=Path, help="a report, whose survivors are tried again")
    given = parser.parse_args()
    os.environ["HYPERROUTE_PROFILE"] = "mutants"
    os.chdir(ROOT)
    chosen = _chosen(given.only, given.seed)
    generated = len(chosen)
    if given.functions:
        chosen = [one for one in chosen if one.function is not None]
    chosen = chosen[: -(-len(chosen) * given.share // 100)]
    if given.again:
        left = {
            one["mutant"]
            for one in json.loads(given.again.read_text())["results"]
            if one["outcome"] != KILLED
        }
        chosen = [one for one in chosen if one.name in left]
    at_import = Tracer()
    loop = Loop(chosen, at_import, given)
    sys.settrace(at_import)
    pytest.main([*QUIET, *given.tests], plugins=[Verdict(), loop])
    sys.settrace(None)
    totals: dict[str, dict[str, int]] = {}
    for mutant in _chosen(given.only):
        totals.setdefault(mutant.module, defaultdict(int))["generated"] += 1
    for one in loop.results:
        totals[str(one["module"])][str(one["outcome"])] += 1
    given.report.write_text(
        json.dumps(
            {"generated": generated, "totals": totals, "results": loop.results},
            indent=1,
            ensure_ascii=False,
        )
    )


if __name__ == "__main__":
    main()
