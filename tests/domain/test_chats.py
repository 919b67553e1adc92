"""What is read of a conversation in OpenAI's words."""

import json
from decimal import Decimal
from typing import Any

import pytest

from aigen.domain.model.catalogue import Model, Price
from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.estimates import estimate
from aigen.domain.model.limits import LONGEST_PROMPT

MODEL = Model(
    id="m/t",
    name="T",
    pricing=(
        Price(per="prompt_token", usd=Decimal("0.001")),
        Price(per="completion_token", usd=Decimal("0.01")),
    ),
)


def asking(*messages: Any, **more: Any) -> dict[str, Any]:
    return {"model": "m/t", "messages": list(messages), **more}


def user(content: Any) -> dict[str, Any]:
    return {"role": "user", "content": content}


def test_the_body_is_sent_as_it_was_read() -> None:
    body = asking(user("h\u00e9 \ud83e"), tools=[{"x": 1.0}], seed=2**70, top_k=None)
    assert json.loads(ChatRequest.of(body).content) == body


@pytest.mark.parametrize(
    ("messages", "prompt"),
    [
        ([user("one"), {"role": "assistant", "content": "two"}, user("three")], "three"),
        ([user("one"), {"role": "tool", "content": "two"}], "one"),
        ([user([{"type": "text", "text": "a"}, {"type": "image_url"}, {"text": "b"}])], "a\nb"),
        ([user([{"type": "image_url", "image_url": {"url": "data:x"}}])], ""),
        ([{"role": "system", "content": "one"}], ""),
        ([user(None)], ""),
        ([user("nul \0")], "nul \ufffd"),
        ([user("x" * (LONGEST_PROMPT + 1))], "x" * LONGEST_PROMPT),
    ],
)
def test_the_prompt_is_the_text_of_the_newest_user_turn(messages: list[Any], prompt: str) -> None:
    assert ChatRequest.of(asking(*messages)).prompt == prompt


@pytest.mark.parametrize(
    "body",
    [
        asking(),
        asking("hello"),
        asking(user("hi"), 1),
        asking(user("hi"), temperature=float("nan")),
        asking(user("hi")) | {"model": " "},
        asking(user("hi")) | {"model": "m" * 201},
    ],
)
def test_what_nobody_can_answer_is_refused(body: dict[str, Any]) -> None:
    with pytest.raises(InvalidRequest):
        ChatRequest.of(body)


def test_the_models_that_may_stand_in_are_known() -> None:
    request = ChatRequest.of(asking(user("hi"), models=["m/t", "m/u", 3]))
    assert (request.model, request.models) == ("m/t", ("m/t", "m/u"))


@pytest.mark.parametrize(
    ("body", "usd"),
    [
        (asking(user("x" * 30), max_tokens=1), "0.02"),
        (asking(user("x" * 30), max_completion_tokens=1, max_tokens=9), "0.02"),
        (asking(user("x" * 30), max_tokens=1, n=3), "0.04"),
        (asking(user("x" * 30)), "20.01"),
        (asking(user([{"type": "image_url", "url": "x" * 9000}]), max_tokens=1), "1.51"),
        (asking(user("x" * 30), max_tokens=True), "20.01"),
        (asking(user(""), max_tokens=1, tools=["x" * 26]), "0.02"),
    ],
)
def test_a_conversation_has_an_estimate(body: dict[str, Any], usd: str) -> None:
    assert estimate(ChatRequest.of(body), MODEL) == Decimal(usd)
