"""``python -m hyperroute`` is ``hyperroute``."""

from __future__ import annotations

from hyperroute.cli import main

if __name__ == "__main__":
    main()
