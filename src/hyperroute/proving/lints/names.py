"""``unused-name`` beyond what the loader sees, and ``missing-credential``."""

from __future__ import annotations

from collections.abc import Iterator

from hyperroute.proving.lints.certain import truth
from hyperroute.proving.lints.ground import Finding, Ground


def unused(ground: Ground) -> Iterator[Finding]:
    """Find policies and limits for a kind of request that this table does not serve."""
    table = ground.table
    kinds = {service.model.kind for service in table.services.values()}
    said = {policy.name: policy.when for policy in table.policies}
    counted = {limit.name: limit.when for limit in table.limits}
    for section, whens, one in (("policies", said, "policy"), ("limits", counted, "limit")):
        for entry in ground.folder.own(section):
            when = whens[entry.name]
            if when and all(truth(when, {"req.kind": kind}) is False for kind in kinds):
                yield Finding(
                    entry.spot, f"the {one} {entry.name!r} never applies: no model is of its kind"
                )


def missing(ground: Ground) -> Iterator[Finding]:
    """Name the variables of accounts that cannot be used here."""
    for entry in ground.folder.own("providers"):
        provider = ground.table.providers[entry.name]
        keys = [key.id for key in provider.keys or ()] or [f"{entry.name}#0"]
        lacking = [ground.missing[key] for key in (entry.name, *keys) if key in ground.missing]
        if lacking:
            wanted = " and ".join(dict.fromkeys(lacking))
            yield Finding(entry.spot, f"the provider {entry.name!r} needs {wanted}")
