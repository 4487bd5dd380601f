from __future__ import annotations

import pickle

import pytest

from hyperroute.plugins.secret import SECRET_BYTES_MAX, Secret, builtin_secret

CANARY = "sk-canary"


def test_a_secret_is_shown_by_reveal_and_by_nothing_else():
    secret = Secret(CANARY)
    assert secret.reveal() == CANARY
    for shown in (
        repr(secret),
        str(secret),
        f"{secret}",
        f"{secret:>40}",
        f"{[secret]}",
    ):
        assert CANARY not in shown


def test_a_secret_is_not_pickled():
    with pytest.raises(TypeError, match="pass its reference"):
        pickle.dumps(Secret(CANARY))


def test_secrets_compare_by_value_and_an_empty_one_is_false():
    assert Secret("a") == Secret("a")
    assert Secret("a") != Secret("b")
    assert Secret("a") != "a"
    assert len({Secret("a"), Secret("a")}) == 1
    assert Secret("a")
    assert not Secret("")


def test_a_variable_is_read(monkeypatch):
    monkeypatch.setenv("HR_TEST_KEY", CANARY)
    answer = builtin_secret("env:HR_TEST_KEY")
    assert answer is not None
    assert answer.secret == Secret(CANARY)


def test_a_missing_and_an_empty_variable_are_told_apart_and_named(monkeypatch):
    monkeypatch.delenv("HR_TEST_KEY", raising=False)
    missing = builtin_secret("env:HR_TEST_KEY")
    monkeypatch.setenv("HR_TEST_KEY", "")
    empty = builtin_secret("env:HR_TEST_KEY")
    assert missing is not None
    assert empty is not None
    assert (missing.secret, missing.reason) == (
        None,
        "the environment variable 'HR_TEST_KEY' is not set",
    )
    assert (empty.secret, empty.reason) == (None, "the environment variable 'HR_TEST_KEY' is empty")


def test_a_file_is_read_without_its_last_line_break(tmp_path):
    path = tmp_path / "key"
    path.write_bytes(b" sk \r\n")
    answer = builtin_secret(f"file:{path}")
    assert answer is not None
    assert answer.secret == Secret(" sk ")


@pytest.mark.parametrize(
    ("content", "why"),
    [
        (None, "cannot be read: No such file"),
        (b"\n", "is empty"),
        (b"\xff\xfe", "is not UTF-8"),
        (b"x" * (SECRET_BYTES_MAX + 1), "exceeds"),
    ],
)
def test_a_file_that_holds_no_secret_says_why(tmp_path, content, why):
    path = tmp_path / "key"
    if content is not None:
        path.write_bytes(content)
    answer = builtin_secret(f"file:{path}")
    assert answer is not None
    assert answer.secret is None
    assert why in answer.reason
    assert str(path) in answer.reason


def test_another_scheme_is_not_ours():
    assert builtin_secret("vault:llm/acme") is None
    assert builtin_secret("bare") is None
