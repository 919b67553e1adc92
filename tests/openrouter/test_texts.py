"""Texts, whole and streamed."""

import asyncio
import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any, cast

import pytest

from aigen.adapters.openrouter import clients as clients_module
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.domain.model.texts import Message, Speaker, TextRequest, Usage
from aigen.ports.provider import (
    BadAnswer,
    Failure,
    Misconfigured,
    NotSent,
    Refused,
    TextAnswer,
    TextDelta,
    Unknown,
)
from tests.openrouter.conftest import Connect, Serve
from tests.openrouter.servers import Connection, answering, http

REQUEST = TextRequest(model="m/t", prompt="hello")


def asking(prompt: str) -> TextRequest:
    return TextRequest(model="openai/gpt-4o-mini", prompt=prompt)


async def streamed(
    clients: OpenRouterClients, request: TextRequest = REQUEST
) -> tuple[str, TextAnswer | Failure]:
    """The deltas put together, and what came after them: exactly one thing."""
    *deltas, outcome = [piece async for piece in OpenRouterTexts(clients).stream(request)]
    assert all(isinstance(delta, TextDelta) and delta.text for delta in deltas)
    assert not isinstance(outcome, TextDelta)
    return "".join(delta.text for delta in deltas if isinstance(delta, TextDelta)), outcome


# --- against the simulator ------------------------------------------------------------------

KEYWORDS: list[tuple[str, type]] = [
    ("", TextAnswer),
    ("sim:nocost", TextAnswer),
    ("sim:refuse", Refused),
    ("sim:moderation", Refused),
    ("sim:notfound", Refused),
    ("sim:toolarge", Refused),
    ("sim:semantic", Refused),
    ("sim:credits", Misconfigured),
    ("sim:badkey", Misconfigured),
    ("sim:ratelimit=3", NotSent),
    ("sim:overloaded=3", NotSent),
    ("sim:http=529", NotSent),
    *((f"sim:http={status}", Unknown) for status in (408, 409, 500, 502, 504, 524)),
    ("sim:html502", Unknown),
    ("sim:raw502", Unknown),
    ("sim:redirect", Unknown),
    ("sim:200-error", Unknown),
    ("sim:reset-early", Unknown),
    ("sim:reset", Unknown),
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


async def test_a_stream_of_comments_alone_times_out(
    connect: Connect, simulator: RunningSimulator
) -> None:
    clients = connect(simulator.url, seconds=0.6)
    assert await streamed(clients, asking("sim:slowstream=60")) == (
        "",
        Unknown(reason="the provider did not answer in time"),
    )


async def test_a_listener_who_leaves_closes_the_connection(connect: Connect, serve: Serve) -> None:
    left = asyncio.Event()

    async def hold(connection: Connection) -> None:
        await connection.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        await connection.send(head + delta("x"))
        await connection.hold()
        left.set()

    server = await serve(hold)
    stream = cast("AsyncGenerator[object]", OpenRouterTexts(connect(server.url)).stream(REQUEST))
    assert await anext(stream) == TextDelta(text="x")
    await stream.aclose()
    await left.wait()


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


# --- streams of many shapes -----------------------------------------------------------------


def event(body: object) -> bytes:
    return b"data: " + json.dumps(body).encode() + b"\n\n"


def delta(content: object, finish: str | None = None, **more: Any) -> bytes:
    return event({"choices": [{"delta": {"content": content}, "finish_reason": finish}]} | more)


USAGE = event({"choices": [], "usage": {"total_tokens": 9, "cost": 0.5}})
DONE = b"data: [DONE]\n\n"


async def stream_of(
    connect: Connect, serve: Serve, *pieces: bytes, is_whole: bool = True
) -> tuple[str, TextAnswer | Failure]:
    """What becomes of these bytes, each sent on its own; a stream that is not whole is cut."""

    async def handle(connection: Connection) -> None:
        await connection.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream; charset=utf-8\r\n"
        await connection.send(head + b"Transfer-Encoding: chunked\r\n\r\n")
        for piece in pieces:
            await connection.send(b"%x\r\n%s\r\n" % (len(piece), piece))
        if is_whole:
            await connection.send(b"0\r\n\r\n")

    server = await serve(handle)
    return await streamed(connect(server.url))


def answer(text: str, finish_reason: str | None = "stop", **more: Any) -> TextAnswer:
    plain: dict[str, Any] = {"usage": Usage(), "cost_usd": None}
    return TextAnswer(model="m/t", text=text, finish_reason=finish_reason, **(plain | more))


PAID: dict[str, Any] = {"usage": Usage(total_tokens=9), "cost_usd": Decimal("0.5")}


async def test_comments_and_unknown_fields_are_passed_over(connect: Connect, serve: Serve) -> None:
    text, outcome = await stream_of(
        connect,
        serve,
        b": OPENROUTER PROCESSING\n\n: again\n",
        b"event: message\nid: 7\nretry: 10\n" + delta(""),
        delta("Hel") + b": in between\n\n" + delta(None) + delta("lo"),
        delta(None, "stop") + USAGE + DONE,
    )
    assert (text, outcome) == ("Hello", answer("Hello", **PAID))


async def test_chunks_may_end_anywhere(connect: Connect, serve: Serve) -> None:
    whole = b": x\r\n\r\n" + delta("Grüße ❤").replace(b"\n", b"\r\n") + delta("!", "stop") + DONE
    bytewise = [bytes([byte]) for byte in whole]
    assert await stream_of(connect, serve, *bytewise) == ("Grüße ❤!", answer("Grüße ❤!"))


async def test_data_on_several_lines_is_one_event(connect: Connect, serve: Serve) -> None:
    lines = (
        b'data: {"choices": [{"delta":\ndata:{"content": "hi"},\ndata: "finish_reason": "x"}]}\n\n'
    )
    assert await stream_of(connect, serve, lines, DONE) == ("hi", answer("hi", "x"))


async def test_usage_may_come_with_an_empty_delta(connect: Connect, serve: Serve) -> None:
    late = delta(None, None, usage={"total_tokens": 9, "cost": 0.5})
    outcome = await stream_of(connect, serve, delta("hi"), delta(None, "stop"), late, DONE)
    assert outcome == ("hi", answer("hi", **PAID))


async def test_what_is_no_json_is_passed_over(connect: Connect, serve: Serve) -> None:
    pieces = (b"data: nonsense\n\ndata: [1]\n\ndata:\n\n", delta("hi", "stop"), DONE)
    assert await stream_of(connect, serve, *pieces) == ("hi", answer("hi"))


async def test_after_done_nothing_is_waited_for(connect: Connect, serve: Serve) -> None:
    async def never_end(connection: Connection) -> None:
        await connection.request()
        head = b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n"
        await connection.send(head + delta("hi", "stop") + DONE)
        await connection.hold()

    server = await serve(never_end)
    assert await streamed(connect(server.url)) == ("hi", answer("hi"))


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_text_with_a_reason_to_finish_is_whole(
    connect: Connect, serve: Serve, is_whole: bool
) -> None:
    pieces = (delta("hi"), delta(None, "length"))
    outcome = await stream_of(connect, serve, *pieces, is_whole=is_whole)
    assert outcome == ("hi", answer("hi", "length"))


async def test_done_alone_ends_a_text_too(connect: Connect, serve: Serve) -> None:
    assert await stream_of(connect, serve, delta("hi"), DONE) == ("hi", answer("hi", None))


@pytest.mark.parametrize("is_whole", [True, False])
async def test_a_text_without_end_may_be_charged(
    connect: Connect, serve: Serve, is_whole: bool
) -> None:
    text, outcome = await stream_of(connect, serve, delta("half"), is_whole=is_whole)
    assert text == "half"
    assert isinstance(outcome, Unknown)


ERROR = {"code": 429, "message": "Rate limit exceeded"}
AS_CHUNK = event(
    {"error": ERROR, "choices": [{"delta": {"content": ""}, "finish_reason": "error"}]}
)
IN_CHOICE = event({"choices": [{"delta": {}, "finish_reason": "error", "error": ERROR}]})


@pytest.mark.parametrize("error", [AS_CHUNK, IN_CHOICE, event({"error": ERROR})])
@pytest.mark.parametrize("end", [b": \n\n", DONE])
async def test_an_error_in_a_stream_counts_by_its_code_only_before_the_text(
    connect: Connect, serve: Serve, error: bytes, end: bytes
) -> None:
    before = await stream_of(connect, serve, delta(""), error, end)
    assert before == ("", NotSent(reason="Rate limit exceeded"))
    after = await stream_of(connect, serve, delta("half"), error, end)
    assert after == ("half", Unknown(reason="Rate limit exceeded"))


async def test_a_stream_with_a_code_in_words(connect: Connect, serve: Serve) -> None:
    error = event({"error": {"code": "server_error", "message": "oops"}})
    assert await stream_of(connect, serve, error) == ("", Unknown(reason="oops"))


async def test_a_stream_without_text_says_so(connect: Connect, serve: Serve) -> None:
    text, outcome = await stream_of(connect, serve, delta("", "content_filter"), USAGE, DONE)
    assert text == ""
    assert outcome == BadAnswer(
        reason="the model gave no text (finish reason: content_filter)", cost_usd=Decimal("0.5")
    )


@pytest.mark.parametrize("piece", [b"data: " + b"x" * 100_000, b": comment\n\n" * 10_000])
async def test_a_stream_without_measure_is_left(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch, piece: bytes
) -> None:
    monkeypatch.setattr(clients_module, "_LARGEST_STREAM", 1_000_000)
    text, outcome = await stream_of(connect, serve, delta("half"), *(piece for _ in range(11)))
    assert (text, outcome) == ("half", Unknown(reason="the provider's answer was too large"))


async def test_the_deadline_is_for_the_whole_stream(connect: Connect, serve: Serve) -> None:
    async def drip(connection: Connection) -> None:
        await connection.request()
        await connection.send(b"HTTP/1.1 200 OK\r\nContent-Type: text/event-stream\r\n\r\n")
        while True:
            await connection.send(delta("x"))
            await asyncio.sleep(0.01)

    server = await serve(drip)
    text, outcome = await streamed(connect(server.url, seconds=0.6))
    assert text.startswith("xx")
    assert outcome == Unknown(reason="the provider did not answer in time")
