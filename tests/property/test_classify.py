"""Any error reply gets a verdict, and no word of a user's moves it (invariants 30 and 31)."""

from __future__ import annotations

import json

from hypothesis import given
from hypothesis import strategies as st

from hyperroute.canon.failure import FailureClass
from hyperroute.canon.wire import HttpHead
from hyperroute.dialects.base import ErrorReport
from hyperroute.providers import verdicts
from hyperroute.providers.builtin import DIALECTS
from hyperroute.providers.classify import (
    by_dialect,
    classify,
    classify_transport,
    effective_status,
    rows_of,
)
from hyperroute.providers.classify_rows_status import STATUS_ROWS

NAMES = st.sampled_from([dialect.name for dialect in DIALECTS.values()])
BY_NAME = {dialect.name: dialect for dialect in DIALECTS.values()}
STATUSES = st.none() | st.integers(100, 599)
WORDS = sorted(
    {word for name in BY_NAME for row in rows_of(name) for word in (*row.code, *row.type)}
)
MAYBE_WORD = st.none() | st.sampled_from(WORDS) | st.text(max_size=20)
REPORTS = st.builds(
    ErrorReport,
    status=STATUSES,
    code=MAYBE_WORD,
    type=MAYBE_WORD,
    message=st.text(max_size=60),
    hint_ns=st.none() | st.integers(0, 10**15),
    pushback=st.booleans(),
    details=st.dictionaries(st.text(max_size=5), st.text(max_size=30), max_size=2),
    json=st.booleans(),
)


@given(NAMES, STATUSES.filter(bool), st.binary(max_size=200))
def test_invariant_31_any_bytes_with_any_status_get_a_verdict(name, status, body):
    dialect = BY_NAME[name]
    failure = by_dialect(dialect.parse_error(HttpHead(status), body), name)
    assert failure.kind in FailureClass
    assert failure.status in {status, None} or 300 <= (failure.status or 0) < 600


@given(REPORTS, st.text(max_size=20))
def test_invariant_31_any_report_in_any_dialect_gets_a_verdict(report, name):
    failure = by_dialect(report, name)
    assert failure.hint_ns == report.hint_ns
    assert failure.pushback or not report.pushback
    assert failure.message == report.message


@given(NAMES, REPORTS)
def test_invariant_30_what_is_ours_is_never_explained_to_the_caller(name, report):
    failure = by_dialect(report, name)
    ours = {
        FailureClass.PROVIDER_AUTH,
        FailureClass.PROVIDER_FUNDS,
        FailureClass.PROVIDER_REGION,
        FailureClass.UNKNOWN_MODEL,
        FailureClass.RATE_LIMITED,
    }
    assert not (failure.explains and failure.kind in ours)
    assert not failure.explains or report.json


@given(NAMES, REPORTS)
def test_invariant_21_the_callers_own_errors_never_count_against_an_offer(name, report):
    failure = by_dialect(report, name)
    if failure.kind in {
        FailureClass.BAD_REQUEST,
        FailureClass.CONTENT_POLICY,
        FailureClass.CONTEXT_LENGTH,
    }:
        assert (failure.health, failure.cool) == ("neutral", None)


@given(NAMES, REPORTS)
def test_the_first_row_that_matches_decides_of_all_rows_in_their_order(name, report):
    """The classifier looks rows up by what they name; asking every one in turn says the same."""

    def rank(row):
        tier = 0 if row.code or row.detail else 1 if row.text else 2 if row.type else 3
        return tier, not row.text

    status = effective_status(report)
    table = sorted((*rows_of(name), *STATUS_ROWS), key=rank)
    expected = next((row.verdict for row in table if row.matches(report, status)), None)
    said = by_dialect(report, name)
    if expected is not None:
        assert (said.kind, said.health, said.cool) == (
            expected.kind,
            expected.health,
            expected.cool,
        )
    else:
        assert said.kind in {
            FailureClass.BAD_REQUEST,
            FailureClass.SERVER_ERROR,
            verdicts.WRONG_STATUS.kind,
        }


@given(NAMES, REPORTS)
def test_a_code_counts_whatever_the_status_is(name, report):
    coded = [row for row in rows_of(name) if row.code and not row.text and not row.bare]
    for row in coded[:5]:
        said = classify(ErrorReport(status=report.status, code=row.code[0]), rows=rows_of(name))
        assert said.kind == row.verdict.kind


@given(NAMES, st.sampled_from([500, 502, 503, 504, 529]), st.text(max_size=80))
def test_text_alone_moves_no_verdict_on_a_failure_of_the_server(name, status, said):
    dialect = BY_NAME[name]
    plain = json.dumps({"error": {"message": "x"}}).encode()
    quoted = json.dumps({"error": {"message": said}}).encode()
    head = HttpHead(status)
    one = by_dialect(dialect.parse_error(head, plain), name)
    other = by_dialect(dialect.parse_error(head, quoted), name)
    assert one.kind == other.kind


@given(st.text(max_size=20), st.booleans())
def test_any_fault_of_a_transport_gets_a_verdict(fault, begun):
    assert classify_transport(fault, begun=begun).kind in FailureClass
