"""Texts, whole and streamed: the same ends, and answers of many shapes."""

import json
from decimal import Decimal
from typing import Any

import pytest

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.domain.model.texts import Message, Speaker, TextRequest, Usage
from aigen.ports.provider import (
    BadAnswer,
    Failure,
    NotSent,
    TextAnswer,
    Unknown,
)
from tests.openrouter.asking import FAILURES, REQUEST, asking, streamed
from tests.openrouter.conftest import Connect, Serve
from tests.openrouter.servers import answering, http

# --- against the simulator ------------------------------------------------------------------

KEYWORDS: list[tuple[str, type]] = [
    ("", TextAnswer),
    ("sim:nocost", TextAnswer),
    *FAILURES,
    ("sim:midstream", Unknown),
    ("sim:garbage", BadAnswer),
    ("sim:empty", BadAnswer),
]


@pytest.mark.parametrize(("keyword", "expected"), KEYWORDS)
async def test_what_the_simulator_does_has_a_name(
    clients: OpenRouterClients, keyword: str, expected: type
) -> None:
    outcome = await OpenRouterTexts(clients).complete(asking(f"a fox {keyword}"))
    assert type(outcome) is expected


@pytest.mark.parametrize(("keyword", "expected"), [*KEYWORDS, ("sim:stream-cut", Unknown)])
async def test_a_stream_ends_in_the_same_ways(
    clients: OpenRouterClients, keyword: str, expected: type
) -> None:
    text, outcome = await streamed(clients, asking(f"a fox {keyword}"))
    assert type(outcome) is expected
    if isinstance(outcome, TextAnswer):
        assert text == outcome.text
    assert bool(text) == (keyword in {"", "sim:nocost", "sim:midstream", "sim:stream-cut"})


async def test_streamed_or_not_the_answer_is_the_same(clients: OpenRouterClients) -> None:
    whole = await OpenRouterTexts(clients).complete(asking("a fox"))
    assert (await streamed(clients, asking("a fox")))[1] == whole
    assert isinstance(whole, TextAnswer)
    assert whole.model == "openai/gpt-4o-mini"
    assert whole.finish_reason == "stop"
    assert whole.usage.total_tokens == whole.usage.prompt_tokens + whole.usage.completion_tokens > 0
    assert whole.cost_usd is not None
    assert whole.cost_usd > 0


async def test_a_cost_that_is_not_told_is_not_made_up(clients: OpenRouterClients) -> None:
    outcome = await OpenRouterTexts(clients).complete(asking("sim:nocost"))
    assert isinstance(outcome, TextAnswer)
    assert outcome.cost_usd is None
    assert outcome.usage.total_tokens > 0


async def test_it_is_asked_once_whatever_happens(
    clients: OpenRouterClients, simulator: RunningSimulator
) -> None:
    for keyword, _ in KEYWORDS:
        await OpenRouterTexts(clients).complete(asking(f"{keyword} once"))
        await streamed(clients, asking(f"{keyword} once"))
    prompts = [entry["prompt"] for entry in simulator.simulator.journal.entries()]
    assert len(prompts) == 2 * len(KEYWORDS)


# --- what is sent ---------------------------------------------------------------------------


async def test_the_whole_conversation_is_sent(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, {})))
    request = TextRequest(
        model="m/t",
        prompt="and now?",
        system="be brief",
        messages=(
            Message(role=Speaker.USER, content="hi ❤"),
            Message(role=Speaker.ASSISTANT, content="hello"),
        ),
        temperature=0.0,
        max_tokens=7,
    )
    await OpenRouterTexts(connect(server.url)).complete(request)
    await streamed(connect(server.url), request)
    whole, stream = (seen.json for seen in server.requests)
    assert whole == {
        "model": "m/t",
        "messages": [
            {"role": "system", "content": "be brief"},
            {"role": "user", "content": "hi ❤"},
            {"role": "assistant", "content": "hello"},
            {"role": "user", "content": "and now?"},
        ],
        "temperature": 0.0,
        "max_completion_tokens": 7,
    }
    assert stream == whole | {"stream": True}
    assert {seen.target for seen in server.requests} == {"/api/v1/chat/completions"}


async def test_what_is_not_given_is_not_sent(connect: Connect, serve: Serve) -> None:
    server = await serve(answering(http(200, {})))
    await OpenRouterTexts(connect(server.url)).complete(REQUEST)
    assert server.requests[0].json == {
        "model": "m/t",
        "messages": [{"role": "user", "content": "hello"}],
    }


# --- answers of many shapes -----------------------------------------------------------------


def said(content: object, finish: object = "stop", **more: Any) -> dict[str, Any]:
    return {"choices": [{"message": {"content": content} | more, "finish_reason": finish}]}


async def answer_to(connect: Connect, serve: Serve, body: object) -> TextAnswer | Failure:
    """The same for a stream that was asked for and is answered whole."""
    server = await serve(answering(http(200, body, content_type="application/json")))
    clients = connect(server.url)
    outcome = await OpenRouterTexts(clients).complete(REQUEST)
    text, last = await streamed(clients)
    assert last == outcome
    assert text == (outcome.text if isinstance(outcome, TextAnswer) else "")
    return outcome


async def test_a_sparse_answer_is_enough(connect: Connect, serve: Serve) -> None:
    assert await answer_to(connect, serve, said("hi", None)) == TextAnswer(
        model="m/t", text="hi", finish_reason=None, usage=Usage(), cost_usd=None
    )


async def test_a_rich_answer_is_read(connect: Connect, serve: Serve) -> None:
    usage = {"prompt_tokens": 3, "completion_tokens": 4, "total_tokens": 7, "cost": 5.55e-06}
    body = said("hi", "brand_new_reason") | {"model": "m/served", "usage": usage, "new": [{}]}
    assert await answer_to(connect, serve, body) == TextAnswer(
        model="m/served",
        text="hi",
        finish_reason="brand_new_reason",
        usage=Usage(prompt_tokens=3, completion_tokens=4, total_tokens=7),
        cost_usd=Decimal("0.00000555"),
    )


async def test_a_text_in_parts_is_put_together(connect: Connect, serve: Serve) -> None:
    parts = [{"type": "text", "text": "one "}, {"type": "new"}, 7, {"type": "text", "text": "two"}]
    outcome = await answer_to(connect, serve, said(parts))
    assert isinstance(outcome, TextAnswer)
    assert outcome.text == "one two"


async def test_what_no_database_takes_is_replaced(connect: Connect, serve: Serve) -> None:
    body = json.dumps(said("a\0b\ud800c ❤ d")).encode()
    outcome = await answer_to(connect, serve, body)
    assert isinstance(outcome, TextAnswer)
    assert outcome.text == "a\ufffdb\ufffdc ❤ d"


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        ({}, "the model gave no text"),
        ({"choices": []}, "the model gave no text"),
        ({"choices": [None]}, "the model gave no text"),
        ({"choices": "x", "usage": 1}, "the model gave no text"),
        (said(None, None), "the model gave no text"),
        (said("", "length"), "the model gave no text (finish reason: length)"),
        (said(None, "tool_calls"), "the model gave no text (finish reason: tool_calls)"),
        (
            said(None, "content_filter", refusal="I must not."),
            "the model gave no text (finish reason: content_filter): I must not.",
        ),
        ([], "the provider's answer cannot be read"),
        (b"", "the provider's answer cannot be read"),
        (b"OK", "the provider's answer cannot be read"),
        (b"\xff\xfe\x00", "the provider's answer cannot be read"),
        (b"[" * 100_000, "the provider's answer cannot be read"),
        (b"1" * 10_000, "the provider's answer cannot be read"),
        (b"<html>Sign in</html>", "the provider's answer cannot be read"),
    ],
)
async def test_an_answer_without_text_says_what_came_instead(
    connect: Connect, serve: Serve, body: object, reason: str
) -> None:
    assert await answer_to(connect, serve, body) == BadAnswer(reason=reason)


async def test_what_an_answer_without_text_cost_is_told(connect: Connect, serve: Serve) -> None:
    outcome = await answer_to(connect, serve, said("") | {"usage": {"cost": "0.25"}})
    assert isinstance(outcome, BadAnswer)
    assert outcome.cost_usd == Decimal("0.25")


@pytest.mark.parametrize("code", [403, 429, 503, 400])
async def test_an_error_after_some_text_may_be_charged(
    connect: Connect, serve: Serve, code: int
) -> None:
    body = said("half an ans", "error")
    body["choices"][0]["error"] = {"code": code, "message": "no more"}
    assert await answer_to(connect, serve, body) == Unknown(reason="no more")


async def test_an_error_before_any_text_counts_by_its_code(connect: Connect, serve: Serve) -> None:
    body = said(None, "error")
    body["choices"][0]["error"] = {"code": 429, "message": "later"}
    assert await answer_to(connect, serve, body) == NotSent(reason="later")


async def test_an_error_that_says_nothing_is_unknown(connect: Connect, serve: Serve) -> None:
    outcome = await answer_to(connect, serve, said("half", "error"))
    assert outcome == Unknown(reason="the provider reported an error")


async def test_json_that_breaks_off_is_unknown(connect: Connect, serve: Serve) -> None:
    outcome = await answer_to(connect, serve, json.dumps(said("hi")).encode()[:-3])
    assert outcome == Unknown(reason="the provider's answer broke off")
