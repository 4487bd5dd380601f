"""What a pool remembers is bounded."""

from __future__ import annotations

from hyperroute.routing.pools import Memo


def test_a_memo_starts_again_when_it_is_full():
    memo: Memo[int] = Memo(2)
    assert memo.keep("a", 1) == 1
    memo.keep("b", 2)
    assert memo == {"a": 1, "b": 2}
    memo.keep("c", 3)
    assert memo == {"c": 3}
