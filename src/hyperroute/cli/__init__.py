"""One module a command: read the arguments, ask the library, print the answer."""

from __future__ import annotations

import sys
from importlib.util import find_spec

MISUSE = 2
"""Exit status of a command that was not understood; 1 says no, 0 says yes."""


def main() -> None:
    """Run the command line, or say which command installs it.

    Raises:
        SystemExit: Always: 0 good, 1 the answer is no, 2 misuse.
    """
    if find_spec("typer") is None:
        print(
            "hyperroute: the command line is an extra: pip install 'hyperroute[cli]'",
            file=sys.stderr,
        )
        raise SystemExit(MISUSE)
    from hyperroute.cli.app import app

    app(prog_name="hyperroute")


__all__ = ["MISUSE", "main"]
