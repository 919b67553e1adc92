"""Streamed texts: chunks of many shapes, errors among them, ends and none."""

import asyncio
import json
from collections.abc import AsyncGenerator
from decimal import Decimal
from typing import Any, cast

import pytest

from aigen.adapters.openrouter import clients as clients_module
from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.domain.model.texts import Usage
from aigen.ports.provider import (
    BadAnswer,
    Failure,
    NotSent,
    TextAnswer,
    TextDelta,
    Unknown,
)
from tests.openrouter.asking import REQUEST, asking, streamed
from tests.openrouter.conftest import Connect, Serve
from tests.openrouter.servers import Connection


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
