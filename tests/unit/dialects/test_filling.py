"""What a shape fills in is said in the upstream dialect's own place and words."""

from __future__ import annotations

import json

import pytest

from hyperroute.dialects.base import NO_PROFILE, Profile
from hyperroute.dialects.filling import fill
from hyperroute.providers.builtin import DIALECTS

LEVELS = Profile(options={"thinking_types": ["level"]})
SAID = {"temperature": 0.5, "top_p": 0.9, "service_tier": "flex", "seed": 7, "n": 2}


def filled(endpoint, parameters, body=b"{}", profile=NO_PROFILE):
    written, losses = DIALECTS[endpoint].fill(body, parameters, profile=profile)
    return json.loads(written), [loss.path for loss in losses]


@pytest.mark.parametrize(
    ("endpoint", "body", "lost"),
    [
        ("chat", SAID, []),
        (
            "responses",
            {"temperature": 0.5, "top_p": 0.9, "service_tier": "flex"},
            ["/seed", "/n"],
        ),
        (
            "messages",
            {"temperature": 0.5, "top_p": 0.9, "service_tier": "flex"},
            ["/seed", "/n"],
        ),
        (
            "gemini",
            {
                "generationConfig": {
                    "temperature": 0.5,
                    "topP": 0.9,
                    "seed": 7,
                    "candidateCount": 2,
                },
                "serviceTier": "flex",
            },
            [],
        ),
    ],
)
def test_each_dialect_has_a_place_for_a_parameter_or_reports_it(endpoint, body, lost):
    assert filled(endpoint, SAID) == (body, lost)


@pytest.mark.parametrize(
    ("endpoint", "body"),
    [
        ("chat", {"reasoning_effort": "high"}),
        ("responses", {"reasoning": {"effort": "high"}}),
        ("messages", {"output_config": {"effort": "high"}}),
    ],
)
def test_an_effort_is_said_where_the_dialect_says_it(endpoint, body):
    assert filled(endpoint, {"effort": "high"}) == (body, [])


def test_gemini_is_asked_by_level_or_by_budget_and_never_by_both():
    budget = b'{"generationConfig":{"thinkingConfig":{"thinkingBudget":5}}}'
    by_level, _ = filled("gemini", {"effort": "high"}, budget, LEVELS)
    assert by_level["generationConfig"]["thinkingConfig"] == {"thinkingLevel": "HIGH"}
    level = b'{"generation_config":{"thinking_config":{"thinking_level":"LOW"}}}'
    by_budget, lost = filled("gemini", {"effort": "low"}, level)
    assert by_budget == {"generation_config": {"thinking_config": {"thinkingBudget": 1024}}}
    assert lost == ["/effort"]
    assert filled("gemini", {"effort": None}, budget)[0] == {
        "generationConfig": {"thinkingConfig": {}}
    }


def test_gemini_keeps_the_spelling_that_the_body_has():
    body = b'{"generation_config": {"top_p":0.1, "x":1.50}}'
    written, _ = DIALECTS["gemini"].fill(body, {"top_p": 0.2}, profile=NO_PROFILE)
    assert written == b'{"generation_config": {"top_p":0.2, "x":1.50}}'


@pytest.mark.parametrize("endpoint", DIALECTS)
def test_nothing_takes_a_member_out_and_keeps_every_other_byte(endpoint):
    body, _ = DIALECTS[endpoint].fill(
        b'{"keep":1.0, "a":"\\u00ef"}', {"temperature": 0.5, "effort": "low"}, profile=LEVELS
    )
    gone, losses = DIALECTS[endpoint].fill(
        body, {"temperature": None, "effort": None, "seed": None}, profile=LEVELS
    )
    assert gone.startswith(b'{"keep":1.0, "a":"\\u00ef"')
    assert b"0.5" not in gone
    assert b"low" not in gone.lower()
    assert losses == ()


def test_a_word_of_no_table_is_the_hosts_own():
    assert filled("gemini", {"size": "1k"}) == ({"size": "1k"}, [])


def test_one_answer_is_no_loss():
    assert filled("messages", {"n": 1}) == ({}, [])


def test_objects_on_the_way_are_made_where_they_are_missing_or_null():
    places = {"x": ("a", "b", "c")}
    for body in (b"{}", b'{"a":null}', b'{"a":{}}', b'{"a":{"b":3}}', b'{"a":{"b":{"c":0}}}'):
        assert json.loads(fill(body, {"x": 1}, places)[0]) == {"a": {"b": {"c": 1}}}


def test_the_other_places_of_a_responses_body_are_kept():
    body = b'{"reasoning":{"summary":"auto"},"text":{"format":{"type":"text"}}}'
    said, _ = filled("responses", {"effort": "low", "verbosity": "high"}, body, LEVELS)
    assert said == {
        "reasoning": {"summary": "auto", "effort": "low"},
        "text": {"format": {"type": "text"}, "verbosity": "high"},
    }
