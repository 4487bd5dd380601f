"""Shapes: defaults first, then parameters and rules over one request, in any order of rules."""

from dataclasses import replace
from typing import Any

from hypothesis import given, settings
from hypothesis import strategies as st

from hyperroute.canon.units import SECOND
from hyperroute.catalog.shape import Parameter, Range, Rule, Shape, SumRule
from hyperroute.routing.readings import read, redacted
from hyperroute.routing.shapes import Fitted, Misfit, changes, fit
from hyperroute.testing import handmade

SIZES = ("1024x1024", "1536x1024", "2048x2048")
PLAIN = Shape(
    parameters={
        "size": Parameter(name="size", one_of=SIZES, default=SIZES[0]),
        "n": Parameter(name="n", range=Range(1, 10), default=1, otherwise="clamp"),
        "images": Parameter(name="images", count=Range(0, 4), source=frozenset({"https"})),
        "mode": Parameter(name="mode", one_of=("std", "pro"), default="std"),
        "audio": Parameter(name="audio", one_of=(True, False), default=False),
        "duration": Parameter(
            name="duration", one_of=(5 * SECOND, 10 * SECOND, 15 * SECOND), default=5 * SECOND
        ),
        "seed": Parameter(name="seed", refused=True),
        "style": Parameter(name="style", ignored=True),
        "prompt": Parameter(name="prompt", max_chars=10, required=True),
        "resolution": Parameter(name="resolution", pixels={"720p": (1280, 720)}, default="720p"),
    }
)
RULES = (
    Rule(
        when=(handmade.line("images", ">=", 1),),
        then=(Parameter(name="duration", one_of=(5 * SECOND, 10 * SECOND)),),
    ),
    Rule(
        when=(handmade.line("images", "equal", 2),),
        then=(
            Parameter(name="mode", one_of=("pro",), default="pro"),
            Parameter(name="audio", one_of=(False,), default=False),
        ),
    ),
    Rule(
        when=(handmade.line("size", "equal", "2048X2048"),),
        then=(Parameter(name="n", range=Range(1, 2)),),
    ),
    SumRule(parameters=("images", "n"), max=6),
)
SHAPE = replace(PLAIN, rules=RULES)
GIVEN = st.fixed_dictionaries(
    {"prompt": st.text("ab", max_size=12)},
    optional={
        "size": st.sampled_from((*SIZES, "1024*1024", "2048X2048", "9x9", 7)),
        "n": st.integers(-1, 12) | st.just("3") | st.just(True),
        "images": st.lists(
            st.sampled_from(("https://x/1", "HTTPS://x/2", "data:,x", "ftp://x")), max_size=5
        ),
        "mode": st.sampled_from(("std", "PRO", "turbo", None)),
        "audio": st.sampled_from((True, False, 1, "true")),
        "duration": st.sampled_from((5, "5", "5s", 10.0, "15s", 15, 7, "long")),
        "style": st.just("oil"),
        "other": st.integers(),
    },
)


@given(GIVEN, st.permutations(RULES))
def test_the_order_of_rules_never_matters(given_, rules):
    parameters = Fitted(read(given_))
    one, other = fit(SHAPE, parameters), fit(replace(SHAPE, rules=tuple(rules)), parameters)
    assert isinstance(one, Misfit) == isinstance(other, Misfit)
    if isinstance(one, Fitted):
        assert one == other


@given(GIVEN)
@settings(max_examples=200)
def test_what_fits_obeys_every_parameter_and_rule(given_):
    found = fit(SHAPE, Fitted(read(given_)))
    if isinstance(found, Misfit):
        assert found.parameter in {*SHAPE.parameters, "images"}
        return
    values = found.parameters
    images = len(values.get("images", ()))
    assert values["size"] in SIZES
    assert 1 <= values["n"] <= 10
    assert values["n"] is not True
    assert images <= 4
    assert values["mode"] in ("std", "pro")
    assert values["audio"] in (True, False)
    assert len(values["prompt"]) <= 10
    assert "style" not in values
    assert values.get("other") == given_.get("other")
    if images:
        assert values["duration"] in (5 * SECOND, 10 * SECOND)
        assert all(one.casefold().startswith("https://") for one in values["images"])
    if images == 2:
        assert (values["mode"], values["audio"]) == ("pro", False)
    if values["size"] == "2048x2048":
        assert values["n"] <= 2
    assert images + values["n"] <= 6


@given(GIVEN)
def test_fitting_twice_changes_nothing(given_):
    found = fit(SHAPE, Fitted(read(given_)))
    if isinstance(found, Fitted):
        assert fit(SHAPE, found) == replace(found, named=found.named | SHAPE.parameters.keys())


@given(GIVEN)
def test_a_given_value_is_kept_or_refused_and_never_replaced(given_):
    found = fit(SHAPE, Fitted(read(given_)))
    if isinstance(found, Fitted):
        for name in ("size", "mode", "audio", "duration"):
            if given_.get(name) is not None:
                assert str(found.parameters[name]).casefold() == str(read(given_)[name]).casefold()


@given(GIVEN)
def test_a_body_gets_what_was_filled_in_or_spelt_anew_and_no_more(given_):
    found = fit(SHAPE, Fitted(read(given_)))
    if isinstance(found, Misfit):
        return
    written = changes(given_, found, {})
    assert written.get("style", "absent") is None if "style" in given_ else "style" not in written
    assert "prompt" not in written
    assert "other" not in written
    assert "images" not in written
    body = {**given_, **written}
    assert body["duration"] in (5, 10, 15)
    assert body["size"] in SIZES
    renamed = changes(given_, found, {"size": "dimensions", "images": "image_urls"})
    assert renamed["dimensions"] in SIZES
    if "size" in given_:
        assert renamed["size"] is None
    if given_.get("images"):
        assert renamed["image_urls"] == given_["images"]
        assert renamed["images"] is None


@given(GIVEN)
def test_a_redacted_request_fits_alike(given_):
    hidden = {name: redacted(name, value) for name, value in given_.items()}
    one, other = fitted(SHAPE, read(given_)), fitted(SHAPE, read(hidden))
    assert isinstance(one, Misfit) == isinstance(other, Misfit)
    if isinstance(one, Fitted):
        assert one.filled == other.filled
    else:
        assert one == other


def refusal(**given_: Any) -> Misfit:
    found = fit(SHAPE, Fitted(read({"prompt": "a", **given_})))
    assert isinstance(found, Misfit)
    return found


def fitted(shape: Shape, values: Any) -> Any:
    return fit(shape, Fitted(values))


def test_refusals_name_what_would_have_been_accepted():
    assert refusal(size="9x9") == Misfit("size", f"one of {', '.join(SIZES)}", "9x9")
    assert refusal(seed=1) == Misfit("seed", "absent", "1")
    assert refusal(n=0) == Misfit("n", "1 to 10", "0")
    assert refusal(duration=7) == Misfit("duration", "one of 5s, 10s, 15s", "7s")
    assert refusal(prompt="a" * 11) == Misfit("prompt", "at most 10 characters", "11 characters")
    assert refusal(images=["https://x"] * 5) == Misfit("images", "0 to 4 of them", "5")
    assert refusal(images=["data:,x"]).needed == "https: URLs"
    assert refusal(images=["https://x"] * 2, mode="std") == Misfit("mode", "pro", "std")
    assert refusal(images=["https://x"] * 4, n=3) == Misfit(
        "images", "at most 6 with images and n", "7"
    )
    assert fit(SHAPE, Fitted({})) == Misfit("prompt", "given", "absent")


def test_a_default_that_a_rule_excludes_becomes_the_first_value_left():
    shape = Shape(
        parameters={"a": Parameter(name="a", one_of=("x", "y", "z"), default="x")},
        rules=(
            Rule(
                when=(handmade.line("b", "equal", 1),),
                then=(Parameter(name="a", one_of=("z", "y")),),
            ),
            Rule(
                when=(handmade.line("c", "given"),), then=(Parameter(name="a", one_of=("z", "x")),)
            ),
        ),
    )
    assert fitted(shape, {"b": 1}).parameters["a"] == "y"
    assert fitted(shape, {"b": 1, "c": 0}).parameters["a"] == "z"
    assert fitted(shape, {"c": 0}).parameters["a"] == "x"
    assert fitted(shape, {}).parameters["a"] == "x"
    assert fit(shape, Fitted({"a": "x", "b": 1})) == Misfit("a", "one of z, y", "x")


def test_else_clamps_from_above_only_or_takes_the_default():
    count = Parameter(name="images", count=Range(0, 2), otherwise="clamp")
    text = Parameter(name="prompt", max_chars=3, otherwise="clamp")
    shape = Shape(
        parameters={
            "n": Parameter(name="n", range=Range(1, 10), otherwise="clamp"),
            "duration": Parameter(
                name="duration", one_of=(8 * SECOND,), default=8 * SECOND, otherwise="default"
            ),
            "images": count,
            "prompt": text,
        }
    )
    given_ = {
        "n": 20,
        "duration": 5,
        "images": ["https://1", "https://2", "https://3"],
        "prompt": "abcd",
    }
    found = fitted(shape, read(given_))
    assert changes(given_, found, {}) == {
        "n": 10,
        "duration": 8,
        "images": ["https://1", "https://2"],
        "prompt": "abc",
    }
    assert isinstance(fit(shape, Fitted({"n": 0})), Misfit)


def test_counts_may_be_a_set_and_spellings_are_one_list():
    shape = Shape(parameters={"images": Parameter(name="images", count=(0, 1, 3))})
    for given_, fits in (
        ({}, True),
        ({"image": "https://1"}, True),
        ({"image": "https://1", "image_urls": ["https://2"]}, False),
        ({"reference_images": ["https://1", "https://2", "https://3"]}, True),
    ):
        assert isinstance(fit(shape, Fitted(read(given_))), Fitted) is fits


def test_areas_and_sizes_of_data_are_checked():
    shape = Shape(
        parameters={
            "size": Parameter(name="size", area=Range(100, 10_000)),
            "mask": Parameter(name="mask", bytes=3),
        }
    )
    assert isinstance(fit(shape, Fitted({"size": "100x100"})), Fitted)
    assert fit(shape, Fitted({"size": "101x100"})) == Misfit(
        "size", "WxH of 100 to 10000 pixels", "101x100"
    )
    assert isinstance(fit(shape, Fitted({"size": "auto"})), Misfit)
    assert isinstance(fit(shape, Fitted({"mask": "data:image/png;base64,AAAA"})), Fitted)
    assert isinstance(fit(shape, Fitted({"mask": "data:image/png;base64,AAAAAAAA"})), Misfit)
    assert isinstance(fit(shape, Fitted({"mask": "https://unknown/size"})), Fitted)


def test_what_is_no_text_is_not_of_any_length():
    shape = Shape(parameters={"prompt": Parameter(name="prompt", max_chars=3)})
    assert fit(shape, Fitted({"prompt": 5})) == Misfit("prompt", "at most 3 characters", "5")
    assert fit(shape, Fitted({"prompt": "abcd"})) == Misfit(
        "prompt", "at most 3 characters", "4 characters"
    )
    assert isinstance(fit(shape, Fitted({"prompt": "abc"})), Fitted)


def test_a_refusal_tells_an_open_range_by_its_one_end():
    def told(low: Any, high: Any, value: Any) -> Any:
        shape = Shape(parameters={"n": Parameter(name="n", range=Range(low, high))})
        return fit(shape, Fitted({"n": value}))

    assert told(None, 4, 5) == Misfit("n", "at most 4", "5")
    assert told(2, None, 1) == Misfit("n", "at least 2", "1")
    assert isinstance(told(None, 4, 4), Fitted)
    assert isinstance(told(2, None, 2), Fitted)


def test_an_area_needs_two_whole_numbers():
    shape = Shape(parameters={"size": Parameter(name="size", area=Range(0, 10_000))})
    for size in ("10x", "x10", "10xtall", "widex10", "10"):
        assert isinstance(fit(shape, Fitted({"size": size})), Misfit)


def test_a_truth_value_is_no_number():
    for word, value, fits in ((True, True, True), (True, 1, False), (1, True, False), (1, 1, True)):
        shape = Shape(parameters={"x": Parameter(name="x", one_of=(word,))})
        assert isinstance(fit(shape, Fitted({"x": value})), Fitted) is fits


def test_a_redacted_text_is_measured_whole_or_not_at_all():
    shape = Shape(parameters={"prompt": Parameter(name="prompt", max_chars=3)})
    assert isinstance(fit(shape, Fitted({"prompt": {"chars": 3, "bytes": 9}})), Fitted)
    for measure in ({"chars": 4, "bytes": 9}, {"chars": "3", "bytes": 9}, {"chars": 3}):
        assert isinstance(fit(shape, Fitted({"prompt": measure})), Misfit)
    assert redacted("prompt", "äb") == {"chars": 2, "bytes": 3}
    assert redacted("style", "https://x") == "https://x"


def test_a_list_under_another_name_takes_every_spelling_out_and_leaves_the_rest():
    found = Fitted({"images": ["https://1"]}, named=frozenset({"images"}))
    raw = {"image_url": "https://1", "style": "x"}
    assert changes(raw, found, {"images": "refs"}) == {"image_url": None, "refs": ["https://1"]}
    assert changes(raw, found, {}) == {}


def test_whole_seconds_are_written_as_whole_numbers():
    found = Fitted({"duration": 5 * SECOND}, named=frozenset({"duration"}))
    assert repr(changes({}, found, {})["duration"]) == "5"


def test_what_references_are_taken_is_told_https_first():
    both = Parameter(name="mask", source=frozenset({"https", "data"}))
    assert fit(Shape(parameters={"mask": both}), Fitted({"mask": "file:x"})) == Misfit(
        "mask", "https: URLs or data: URLs", "another form of reference"
    )


def test_a_value_is_shown_up_to_sixty_characters():
    shape = Shape(parameters={"x": Parameter(name="x", one_of=("a",))})
    for length, told in ((60, "b" * 60), (61, "b" * 60 + "\u2026")):
        assert fit(shape, Fitted({"x": "b" * length})) == Misfit("x", "a", told)


def test_clamping_never_empties_a_list_whose_number_nobody_limits():
    images = Parameter(name="images", source=frozenset({"https"}), otherwise="clamp")
    shape = Shape(parameters={"images": images})
    given_ = Fitted({"images": ["data:image/png;base64,AA=="]})
    assert isinstance(fit(shape, given_), Misfit)


def test_a_list_that_is_refused_may_be_absent():
    shape = Shape(parameters={"images": Parameter(name="images", refused=True)})
    assert isinstance(fit(shape, Fitted({})), Fitted)
    assert isinstance(fit(shape, Fitted({"images": ["https://x.test"]})), Misfit)


def test_a_number_is_not_clamped_to_words():
    shape = Shape(parameters={"x": Parameter(name="x", one_of=("a",), otherwise="clamp")})
    assert isinstance(fit(shape, Fitted({"x": 7})), Misfit)
