"""The replayable core of a decision."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from hyperroute.routing.plan import Plan


def capsule(plan: Plan) -> bytes:
    """Write the inputs."""
    return json.dumps({"table": plan.table.digest, "seed": plan.seed}).encode()
