"""Time and peak memory of loading a large table, cold and from what was kept; and of imports.

Run ``uv run python -m benchmarks.loading``. Each figure comes from a process of its own: CPU seconds
of the load alone, and the process's peak resident memory. Imports are told as CPU of a whole process
less that of an empty one, the two kinds in turn.
"""

from __future__ import annotations

import argparse
import statistics
import subprocess
import sys
import tempfile
from pathlib import Path

from benchmarks.generate_table import tables_big

LOAD = """
import resource, sys, time
from pathlib import Path
began, cpu = time.perf_counter(), time.process_time()
from hyperroute.tables.load import load
imported = time.process_time()
loaded = load(sys.argv[1], cache=Path(sys.argv[2]) if len(sys.argv) > 2 else None)
assert len(loaded.table.services) >= 1
peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
print(time.process_time() - imported, time.process_time() - cpu, time.perf_counter() - began, peak)
"""

CPU = (
    "import resource; r = resource.getrusage(resource.RUSAGE_SELF); print(r.ru_utime + r.ru_stime)"
)


def run(code: str, *arguments: str) -> list[float]:
    """Run Python in a fresh process and read the numbers that it prints."""
    done = subprocess.run(
        [sys.executable, "-c", code, *arguments], capture_output=True, text=True, check=True
    )
    return [float(word) for word in done.stdout.split()]


def loads(models: int, offers: int, rounds: int) -> None:
    """Print cold and warm loads."""
    with tempfile.TemporaryDirectory() as folder:
        table = Path(folder, "table.yaml")
        table.write_text(tables_big(models, offers), "utf-8")
        size = table.stat().st_size / 1e6
        print(f"{models} models, {offers} offers, {size:.1f} MB of YAML")
        cold = [run(LOAD, str(table)) for _ in range(rounds)]
        kept = str(Path(folder, "kept"))
        run(LOAD, str(table), kept)
        warm = [run(LOAD, str(table), kept) for _ in range(rounds)]
    for name, rows in (("cold", cold), ("warm", warm)):
        load, whole, wall, peak = (statistics.median(column) for column in zip(*rows, strict=True))
        print(
            f"  {name}: {load:.2f} s CPU, {whole:.2f} s with its imports, {wall:.2f} s wall,"
            f" peak {peak:.0f} MB"
        )


def imports(rounds: int) -> None:
    """Print what ``import hyperroute`` costs beside ``import httpx``."""
    ratios: list[float] = []
    ours: list[float] = []
    theirs: list[float] = []
    for _ in range(rounds):
        empty = run(CPU)[0]
        ours.append(run("import hyperroute; " + CPU)[0] - empty)
        theirs.append(run("import httpx; " + CPU)[0] - empty)
        ratios.append(ours[-1] / theirs[-1])
    mine, httpx = (statistics.median(values) * 1e3 for values in (ours, theirs))
    print(
        f"import hyperroute {mine:.1f} ms, import httpx {httpx:.1f} ms, ratio"
        f" {statistics.median(ratios):.2f}"
    )
    used = "from hyperroute import Client, Router; "
    print(f"  Client and Router too: {(run(used + CPU)[0] - run(CPU)[0]) * 1e3:.1f} ms")


def main() -> None:
    """Measure and print."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--models", type=int, default=5_000)
    parser.add_argument("--offers", type=int, default=10_000)
    parser.add_argument("--rounds", type=int, default=5)
    arguments = parser.parse_args()
    imports(arguments.rounds * 3)
    loads(arguments.models, arguments.offers, arguments.rounds)


if __name__ == "__main__":
    main()
