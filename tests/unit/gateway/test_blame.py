"""What a provider says of us is never told to a caller as if it were about the caller."""

from __future__ import annotations

import pytest
from tests.unit.gateway.asking import ASKED, streaming

from hyperroute.testing.script import Script

HOSTS = ("https://one.test", "https://two.test", "https://claude.test", "https://google.test")
CANARIES = ("sk-canary", "internal.corp.example", "org-4711aaaa", "10.1.2.3")
BODY = (
    b'{"type":"error","error":{"type":"x","code":"y","status":"Z","message":'
    b'"key sk-canary-1234567 of org-4711aaaa at https://internal.corp.example:8443/v1 (10.1.2.3)"}}'
)
STATUSES = (301, 400, 401, 402, 403, 404, 405, 407, 408, 409, 410, 413, 418, 422, 424, 425, 429)
BROKEN = (451, 499, 500, 501, 502, 503, 504, 520, 522, 524, 529, 530)


@pytest.mark.parametrize("stream", [False, True])
@pytest.mark.parametrize("dialect", ASKED)
@pytest.mark.parametrize("status", [*STATUSES, *BROKEN])
def test_invariants_29_and_30_a_status_that_blames_the_caller_is_never_about_us(
    door, dialect, status, stream
):
    for host in HOSTS:
        door.world.serve(host, Script(status=status, chunks=(BODY,), length=len(BODY)))
    path, body = streaming(dialect) if stream else ASKED[dialect][:2]
    answer = door.post(path, body)
    assert answer.status >= 400
    assert answer.status not in {401, 402, 403, 404, 407}
    told = answer.body.decode() + repr(answer.headers)
    assert not [canary for canary in CANARIES if canary in told]
