"""The fault catalogue's verdicts (reliability.md, 3), one name for each; numbers are its rows.

``advice`` stands only where the catalogue is finer than the default of the class. What the catalogue
calls *tgt count* is ``health="counts"`` without a cool-down: the breaker counts, nothing is benched
for a single fault.
"""

from __future__ import annotations

from types import MappingProxyType
from typing import Final

from hyperroute.canon.failure import Cool, Failure, FailureClass, Reaction
from hyperroute.canon.units import DAY, HOUR, MINUTE, SECOND

_NEXT: Final = Reaction.NEXT
_RETRY: Final = Reaction.RETRY
_LOAD: Final = Cool(scope="offer", base_ns=5 * SECOND, max_ns=60 * SECOND)
_MONEY: Final = Cool(scope="credential", base_ns=15 * MINUTE, max_ns=6 * HOUR)

# 1-9: the request did not get through
DNS: Final = Failure(
    kind=FailureClass.NET_UNSENT,
    cool=Cool(scope="offer", base_ns=5 * SECOND, local=True),
    health="counts",
)
CONNECT: Final = Failure(
    kind=FailureClass.NET_UNSENT,
    advice=_NEXT,
    cool=Cool(scope="offer", base_ns=5 * SECOND, max_ns=60 * SECOND, local=True),
    health="counts",
)
CONNECT_TIMEOUT: Final = Failure(
    kind=FailureClass.NET_UNSENT,
    advice=_NEXT,
    cool=Cool(scope="offer", base_ns=10 * SECOND, local=True),
    health="counts",
)
TLS: Final = Failure(
    kind=FailureClass.NET_UNSENT,
    advice=_NEXT,
    cool=Cool(scope="offer", base_ns=5 * MINUTE),
    health="counts",
    alarm=True,
)
POOL: Final = Failure(kind=FailureClass.NET_UNSENT, advice=_NEXT)
UNSENT: Final = Failure(kind=FailureClass.NET_UNSENT, advice=_RETRY, health="half")
RESET: Final = Failure(kind=FailureClass.NET_AMBIGUOUS, health="counts")
GOAWAY: Final = Failure(kind=FailureClass.NET_UNSENT, advice=_RETRY, hint_ns=0)
"""HTTP/2 refused the stream unread: again at once, and free."""

# 10-30: what a status of the fours says
TIMEOUT_STATUS: Final = Failure(kind=FailureClass.SERVER_ERROR, advice=_RETRY, health="counts")
LOCKED: Final = Failure(kind=FailureClass.SERVER_ERROR, advice=_RETRY)
TOO_LARGE: Final = Failure(kind=FailureClass.CONTEXT_LENGTH, explains=True)
BAD_REQUEST: Final = Failure(kind=FailureClass.BAD_REQUEST, explains=True)
CONTEXT_LENGTH: Final = Failure(kind=FailureClass.CONTEXT_LENGTH, explains=True)
SEAL_REFUSED: Final = Failure(
    kind=FailureClass.BAD_REQUEST, advice=_RETRY, explains=True, unseal=True
)
"""A signature that another account or model made: once more, without reasoning."""
OUR_TRANSLATION: Final = Failure(kind=FailureClass.BAD_REQUEST, explains=True, alarm=True)
CONTENT_POLICY: Final = Failure(kind=FailureClass.CONTENT_POLICY, explains=True)
FUNDS: Final = Failure(kind=FailureClass.PROVIDER_FUNDS, pushback=True, cool=_MONEY, alarm=True)
AUTH: Final = Failure(
    kind=FailureClass.PROVIDER_AUTH,
    cool=Cool(scope="credential", base_ns=10 * MINUTE),
    alarm=True,
)
AUTH_UNBLAMED: Final = Failure(kind=FailureClass.PROVIDER_AUTH, alarm=True)
"""Refused for the way we asked, not for the key: benching the key would be wrong."""
PERMISSION: Final = Failure(
    kind=FailureClass.PROVIDER_AUTH,
    cool=Cool(scope="credential_model", base_ns=10 * MINUTE),
    alarm=True,
)
LOCATION: Final = Failure(
    kind=FailureClass.PROVIDER_REGION,
    cool=Cool(scope="offer", base_ns=HOUR),
    health="counts",
    alarm=True,
)
REGION: Final = Failure(
    kind=FailureClass.PROVIDER_REGION, cool=Cool(scope="offer", base_ns=HOUR), health="counts"
)
UNKNOWN_MODEL: Final = Failure(
    kind=FailureClass.UNKNOWN_MODEL,
    cool=Cool(scope="offer", base_ns=10 * MINUTE),
    health="counts",
    alarm=True,
)

# 31-37: the many meanings of 429
RATE_LIMITED: Final = Failure(
    kind=FailureClass.RATE_LIMITED,
    cool=Cool(scope="credential_model", base_ns=5 * SECOND, max_ns=60 * SECOND),
)
SLOW_DOWN: Final = Failure(
    kind=FailureClass.RATE_LIMITED, cool=Cool(scope="provider", base_ns=15 * SECOND)
)
CAPACITY: Final = Failure(
    kind=FailureClass.OVERLOADED,
    advice=_RETRY,
    cool=Cool(scope="offer", base_ns=10 * SECOND),
    health="counts",
)
DAILY_QUOTA: Final = Failure(
    kind=FailureClass.RATE_LIMITED,
    pushback=True,
    cool=Cool(scope="credential_model", base_ns=HOUR, max_ns=DAY),
)
"""The reset is rarely said, so an hour, doubling up to a day."""
AT_ONCE: Final = Failure(
    kind=FailureClass.RATE_LIMITED, cool=Cool(scope="offer", base_ns=5 * SECOND)
)

# 38-48: what a status of the fives says, and those that say nothing
SERVER_ERROR: Final = Failure(kind=FailureClass.SERVER_ERROR, health="counts")
MODEL_ERROR: Final = Failure(kind=FailureClass.SERVER_ERROR, advice=_NEXT, health="counts")
OVERLOADED: Final = Failure(kind=FailureClass.OVERLOADED, cool=_LOAD, health="counts")
SLOW_START: Final = Failure(kind=FailureClass.SLOW_START, health="counts")
WRONG_STATUS: Final = Failure(kind=FailureClass.MALFORMED_OUTPUT, health="counts")
REDIRECT: Final = Failure(
    kind=FailureClass.MALFORMED_OUTPUT,
    cool=Cool(scope="offer", base_ns=10 * MINUTE),
    health="counts",
    alarm=True,
)

# 48-72: what came instead of an answer
MALFORMED: Final = Failure(kind=FailureClass.MALFORMED_OUTPUT, health="counts")
WRONG_SHAPE: Final = Failure(kind=FailureClass.MALFORMED_OUTPUT, health="counts", alarm=True)
BOMB: Final = Failure(
    kind=FailureClass.MALFORMED_OUTPUT,
    cool=Cool(scope="offer", base_ns=10 * MINUTE),
    health="counts",
    alarm=True,
)
TRUNCATED: Final = Failure(kind=FailureClass.TRUNCATED, health="counts")
STALLED: Final = Failure(kind=FailureClass.STALLED, health="counts")
EMPTY: Final = Failure(kind=FailureClass.EMPTY_COMPLETION, health="half")
MALFORMED_CALL: Final = Failure(kind=FailureClass.MALFORMED_OUTPUT, advice=_RETRY, health="half")
LOSSY: Final = Failure(
    kind=FailureClass.BAD_REQUEST, advice=Reaction.NEXT, explains=True, code="lossy"
)
"""Nothing was sent: the policy refuses losses, and another offer's dialect may have none."""
UNSPOKEN: Final = Failure(kind=FailureClass.UNKNOWN_MODEL, alarm=True)
"""Nothing was sent: the table says an account speaks what its plugin does not."""

PLAIN: Final = MappingProxyType(
    {
        verdict.kind: verdict
        for verdict in (
            RATE_LIMITED,
            OVERLOADED,
            SERVER_ERROR,
            UNSENT,
            RESET,
            SLOW_START,
            STALLED,
            TRUNCATED,
            MALFORMED,
            EMPTY,
            CONTEXT_LENGTH,
            CONTENT_POLICY,
            BAD_REQUEST,
            UNKNOWN_MODEL,
            AUTH,
            FUNDS,
            REGION,
            Failure(kind=FailureClass.CLIENT_GONE),
            Failure(kind=FailureClass.DEADLINE),
        )
    }
)
"""By class: the verdict where nothing finer is known."""
