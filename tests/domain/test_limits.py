"""What every request must satisfy, whatever door it comes through."""

import math
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model import limits
from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import Message, Speaker, TextRequest
from aigen.domain.model.video_requests import VideoRequest
from tests.strategies import storable_text


def a_text(**fields: Any) -> TextRequest:
    return TextRequest(**{"model": "m", "prompt": "p"} | fields)


def an_image(**fields: Any) -> ImageRequest:
    return ImageRequest(**{"model": "m", "prompt": "p"} | fields)


def a_video(**fields: Any) -> VideoRequest:
    return VideoRequest(**{"model": "m", "prompt": "p"} | fields)


def a_message(content: str) -> Message:
    return Message(role=Speaker.USER, content=content)


#: Every number that can be asked for: who takes it, the smallest and the largest.
NUMBERS: list[tuple[Callable[..., object], str, float, float]] = [
    (a_text, "temperature", 0, 2.0),
    (a_text, "max_tokens", 1, 10_000_000),
    (an_image, "n", 1, 10),
    (a_video, "duration", 1, 3600),
    (a_video, "seed", 0, 2**53 - 1),
]
#: Every text that must say something, and how long it may be.
TEXTS: list[tuple[Callable[..., object], str, int]] = [
    (make, field, longest)
    for make in (a_text, an_image, a_video)
    for field, longest in (("model", 200), ("prompt", 200_000))
]
OPTIONS: list[tuple[Callable[..., object], str]] = [
    (an_image, "size"),
    (an_image, "aspect_ratio"),
    (an_image, "image_size"),
    (a_video, "aspect_ratio"),
    (a_video, "resolution"),
]
UNSTORABLE = ["\0", "a\0b", "\ud800", "a \udfff b", "\udc80"]


def refused_field(make: Callable[..., object], **fields: Any) -> str | None:
    with pytest.raises(InvalidRequest) as refused:
        make(**fields)
    assert refused.value.detail.endswith(".")
    return refused.value.field


@pytest.mark.parametrize(("make", "field", "lowest", "highest"), NUMBERS)
def test_a_number_may_be_as_small_and_as_large_as_its_range(
    make: Callable[..., object], field: str, lowest: float, highest: float
) -> None:
    make(**{field: lowest})
    make(**{field: highest})
    assert refused_field(make, **{field: lowest - 1}) == field
    assert refused_field(make, **{field: highest + 1}) == field


@pytest.mark.parametrize("number", [math.nan, math.inf, -math.inf])
@pytest.mark.parametrize(("make", "field", "lowest", "highest"), NUMBERS)
def test_nan_and_infinity_are_no_numbers(
    make: Callable[..., object], field: str, lowest: float, highest: float, number: float
) -> None:
    assert refused_field(make, **{field: number}) == field


@pytest.mark.parametrize(("make", "field", "longest"), TEXTS)
def test_a_text_may_be_as_long_as_its_limit(
    make: Callable[..., object], field: str, longest: int
) -> None:
    make(**{field: "ü" * longest})
    assert refused_field(make, **{field: "ü" * (longest + 1)}) == field


@pytest.mark.parametrize("text", ["", " ", "\n\t\u00a0", *UNSTORABLE])
@pytest.mark.parametrize(("make", "field", "longest"), TEXTS)
def test_a_text_must_say_something_that_can_be_stored(
    make: Callable[..., object], field: str, longest: int, text: str
) -> None:
    assert refused_field(make, **{field: text}) == field


@pytest.mark.parametrize("text", ["", " ", "x" * 41, *UNSTORABLE])
@pytest.mark.parametrize(("make", "field"), OPTIONS)
def test_an_option_is_left_out_or_short_and_storable(
    make: Callable[..., object], field: str, text: str
) -> None:
    make(**{field: None})
    make(**{field: "x" * 40})
    assert refused_field(make, **{field: text}) == field


@pytest.mark.parametrize("text", ["", "  ", *UNSTORABLE])
def test_a_turn_must_say_something_that_can_be_stored(text: str) -> None:
    assert refused_field(a_message, content=text) == "messages"


@pytest.mark.parametrize("text", UNSTORABLE)
def test_a_system_prompt_must_be_storable(text: str) -> None:
    assert refused_field(a_text, system=text) == "system"


def test_a_conversation_may_have_a_thousand_turns() -> None:
    turns = (a_message("hello"),) * 1000
    a_text(messages=turns)
    assert refused_field(a_text, messages=(*turns, a_message("again"))) == "messages"


@given(storable_text(min_size=1, max_size=200))
def test_whatever_can_be_stored_and_says_something_is_taken(text: str) -> None:
    assert limits.can_be_stored(text)
    if text.strip():
        limits.check_text("prompt", text, longest=200)


@given(st.text(max_size=20), st.sampled_from(["\0", *map(chr, range(0xD800, 0xE000, 97))]))
def test_one_bad_character_is_enough(text: str, sign: str) -> None:
    place = len(text) // 2
    assert not limits.can_be_stored(text[:place] + sign + text[place:])
