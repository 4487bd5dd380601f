"""``/api/api-keys``: keys over HTTP (api.md, 1), for whoever has one of the scope ``admin``.

Laws: a secret is told once, to whoever made it, and no digest ever; a key without the scope sees
itself and is refused everything else, whether or not that exists; two changes at once lose nothing of
each other, because each is made to the record that was read, or made again.
"""

from __future__ import annotations

import json as standard_json
import re
from collections.abc import Generator
from decimal import Decimal
from typing import Any, Final, NoReturn

from hyperroute.accounts import changing, editing, keys, uses
from hyperroute.accounts.issuing import issue
from hyperroute.accounts.keys import Key
from hyperroute.accounts.shown import shown
from hyperroute.canon.failure import FailureClass
from hyperroute.canon.mutation import Row, RowKey, Shelved
from hyperroute.canon.wire import HttpRequest
from hyperroute.dialects import json
from hyperroute.dialects.base import ClientError
from hyperroute.dialects.strict_json import read_object
from hyperroute.gateway import intake, render
from hyperroute.gateway.door import Commit, Read, Unwelcome
from hyperroute.gateway.message import HttpResponse
from hyperroute.gateway.paths import Place
from hyperroute.gateway.visit import Visit
from hyperroute.plugins.secret import Secret

BODY_BYTES_MAX: Final = 64 * 1024
"""A key has a name, some numbers and a hundred patterns at most."""

TRIES_MAX: Final = 8
"""How often a change is made again that another one overtook."""

_ID: Final = re.compile(r"[!-~]{1,200}")

Asking = Generator[Read | Commit, Any, HttpResponse]


def answered(place: Place, http: HttpRequest, pepper: Secret | None, visit: Visit) -> Asking:
    """Answer one request about keys.

    Args:
        place: Names the key in ``item``, or none.
        http: As it came.
        pepper: Of the keys; ``None``: nobody needs one, and so there is nothing to manage.
        visit: Names who asks in ``key``; whoever does so was let in.

    Raises:
        ClientWireError: The body is no JSON object.
        Unwelcome: It may not be done, or cannot be.
    """
    if pepper is None:
        _refuse(403, "forbidden", "This gateway asks nobody for a key, and so manages none.")
    (found,) = yield Read((RowKey("key", visit.key),))
    if not isinstance(found, Row):
        _refuse(401, "unauthorized", "The API key is not known.")
    asker = keys.read(found)
    if "admin" not in asker.scopes:
        if place.item is None and http.method in {"GET", "HEAD"}:
            (asker,) = uses.with_uses([asker], (yield Read((uses.kept_as(asker.id),))))
            return _told(200, {"keys": [shown(asker)]}, visit)
        _refuse(403, "forbidden", "Keys are managed by a key of the scope 'admin'.")
    if place.item is not None and not _ID.fullmatch(place.item):
        _unknown(place.item)  # no store is asked for what not every store can keep
    match http.method, place.item:
        case "POST", _:
            return (yield from _made(http, asker, pepper, visit))
        case "PATCH", str(item):
            return (yield from _changed(http, item, visit))
        case "DELETE", str(item):
            return (yield from _deleted(item, visit))
        case _, None:
            rows, used = yield Read((Shelved("key"), Shelved("use")))
            found_keys = uses.with_uses(map(keys.read, rows), used)
            listed = sorted(found_keys, key=lambda one: (one.created_at, one.id))
            return _told(200, {"keys": [shown(one) for one in listed]}, visit)
        case _, item:
            row = yield from _row(item)
            (key,) = uses.with_uses([keys.read(row)], (yield Read((uses.kept_as(item),))))
            return _told(200, shown(key), visit)


def _made(http: HttpRequest, asker: Key, pepper: Secret, visit: Visit) -> Asking:
    now = visit.began_unix_ns
    said = _members(http, editing.MAKING, now=now)
    if "name" not in said:
        _wrong("name", "A key needs a name, such as prod-eu.")
    if ("owner_type" in said) != ("owner_id" in said):
        missing = "ownerId" if "owner_type" in said else "ownerType"
        _wrong(missing, "ownerType and ownerId name an owner together.")
    owner = {"owner_type": asker.owner_type, "owner_id": asker.owner_id}
    while True:
        secret, key = issue(pepper=pepper, now=now, **{**owner, **said})
        commit = yield Commit((keys.put(key),))
        if commit.done:  # else its id, of 64 random bits, was another's
            made = shown(key)
            return _told(201, {"id": key.id, "name": key.name, "key": secret, **made}, visit)


def _changed(http: HttpRequest, item: str, visit: Visit) -> Asking:
    said = _members(http, editing.CHANGING, now=visit.began_unix_ns)
    if not said:
        _wrong("", f"Nothing is to be changed; one of: {', '.join(editing.CHANGING)}.")
    for _ in range(TRIES_MAX):
        found = yield Read(changing.asked(item, now=visit.began_unix_ns))
        if not isinstance(found[0], Row):
            _unknown(item)
        key, batch = changing.changed(found, said)
        commit = yield Commit(batch)
        if commit.done:
            return _told(200, shown(key), visit)
    _refuse(409, "conflict", f"The key {item!r} is being changed by others; try again.")


def _deleted(item: str, visit: Visit) -> Asking:
    for _ in range(TRIES_MAX):
        row = yield from _row(item)
        commit = yield Commit((keys.delete(item, expected=row.version), uses.forget(item)))
        if commit.done:
            return HttpResponse(
                status=204, headers=(*render.ids(visit.request_id), render.NO_STORE)
            )
    _refuse(409, "conflict", f"The key {item!r} is being changed by others; try again.")


def _row(item: str) -> Generator[Read, Any, Row]:
    (found,) = yield Read((RowKey("key", item),))
    if not isinstance(found, Row):
        _unknown(item)
    return found


def _unknown(item: str) -> NoReturn:
    _refuse(404, "not_found", f"There is no key {item[:100]!r}.")


def _members(http: HttpRequest, known: tuple[str, ...], *, now: int) -> dict[str, Any]:
    problem = intake.unreadable(http.headers, bytes_max=BODY_BYTES_MAX)
    if problem is None and len(http.body) > BODY_BYTES_MAX:
        problem = intake.too_large(BODY_BYTES_MAX)
    if problem is not None:
        raise Unwelcome(problem)
    read_object(http.body)  # which refuses what two readers would read differently
    said = standard_json.loads(http.body, parse_float=Decimal)
    try:
        return editing.read_members(said, known, now=now)
    except editing.Unfit as error:
        message = f"{str(error)[:1].upper()}{str(error)[1:]}"
        _wrong(error.member, message if message.endswith("?") else f"{message}.")


def _wrong(member: str, message: str) -> NoReturn:
    kind = FailureClass.BAD_REQUEST
    raise Unwelcome(ClientError(status=400, kind=kind, message=message, param=member or None))


def _refuse(status: int, kind: str, message: str) -> NoReturn:
    raise Unwelcome(ClientError(status=status, kind=kind, message=message))


def _told(status: int, members: dict[str, Any], visit: Visit) -> HttpResponse:
    headers = (*render.ids(visit.request_id), render.JSON, render.NO_STORE)
    return HttpResponse(status=status, headers=headers, body=_written(members))


def _written(members: dict[str, Any]) -> bytes:
    """Write an object of members or of keys; a limit stands digit by digit, for no float may touch it."""
    if "keys" in members:
        return b'{"keys":[' + b",".join(_written(one) for one in members["keys"]) + b"]}"
    limit = members["spendingLimit"]
    if not isinstance(limit, Decimal):
        return json.dumps(members)
    rest = {name: value for name, value in members.items() if name != "spendingLimit"}
    return json.dumps(rest)[:-1] + f',"spendingLimit":{limit:f}}}'.encode()


__all__ = ["BODY_BYTES_MAX", "TRIES_MAX", "answered"]
