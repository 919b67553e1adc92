"""Texts as they are written, and clients who do not wait for their end."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from decimal import Decimal

import httpx
import pytest

from aigen.domain.model.texts import TextRequest, Usage
from aigen.entrypoints.api import sse
from aigen.ports.provider import Failure, TextAnswer, TextDelta
from tests.api.answers import (
    assert_json,
    assert_problem,
    assert_problem_shape,
    events_of,
    live_events,
)
from tests.api.conftest import OpenWorld, Serve
from tests.api.test_texts import ASKED, FAILURES, TEXT, assert_refusal_is_explained, failures
from tests.api.world import Person, WatchedProvider, World


@pytest.fixture
def world(common: World) -> World:
    return common


async def test_a_stream_gives_deltas_and_then_the_whole(world: World, ann: Person) -> None:
    response = await ann.post("/generate/text", ASKED | {"stream": True})
    *deltas, done = events_of(response)
    assert [event.name for event in deltas] == ["delta"] * 4
    assert [json.loads(event.data) for event in deltas] == [
        {"text": word} for word in ("You ", "said: ", "Say ", "hello")
    ]
    assert done.name == "done"
    text = json.loads(done.data)
    assert text.keys() == TEXT
    assert assert_json(await ann.get(f"/generate/text/{text['id']}")) == text


@failures
async def test_a_refusal_before_the_first_token_is_an_ordinary_problem(
    world: World, ann: Person, failure: Failure, status: int, code: str
) -> None:
    world.provider.texts.add(failure)
    response = await ann.post("/generate/text", ASKED | {"stream": True})
    assert_problem(response, status, code)
    assert_refusal_is_explained(response, failure)


class Stammering(WatchedProvider):
    """Says a few words, waits to be let on, and says the last thing."""

    def __init__(self, last: TextAnswer | Failure | Exception) -> None:
        super().__init__()
        self._last = last

    async def stream(self, request: TextRequest) -> AsyncIterator[TextDelta | TextAnswer | Failure]:
        self.asked.set()
        for word in ("line 1\n", "\r\n\n data: ü🦊"):
            yield TextDelta(text=word)
        await self.gate.wait()
        if isinstance(self._last, Exception):
            raise self._last
        yield self._last


ANSWER = TextAnswer(
    model="m", text="line 1\n…", finish_reason="stop", usage=Usage(), cost_usd=Decimal(1)
)


async def test_whatever_characters_a_delta_has_it_stays_one_event(open_world: OpenWorld) -> None:
    world = await open_world({"text_provider": Stammering(ANSWER)})
    response = await (await world.ann()).post("/generate/text", ASKED | {"stream": True})
    assert [json.loads(event.data)["text"] for event in events_of(response)] == [
        "line 1\n",
        "\r\n\n data: ü🦊",
        "line 1\n…",
    ]


@pytest.mark.parametrize(
    ("last", "status", "code"),
    [*FAILURES, (RuntimeError("a bug"), 504, "provider_outcome_unknown")],
    ids=lambda value: value if isinstance(value, str) else "",
)
async def test_a_failure_after_the_first_token_is_an_event(
    open_world: OpenWorld, last: Failure | Exception, status: int, code: str
) -> None:
    world = await open_world({"text_provider": Stammering(last)})
    response = await (await world.ann()).post("/generate/text", ASKED | {"stream": True})
    *deltas, error = events_of(response)
    assert [event.name for event in [*deltas, error]] == ["delta", "delta", "error"]
    problem = json.loads(error.data)
    assert problem["code"] == code
    assert problem["request_id"] == response.headers["x-request-id"]
    assert_problem_shape(problem, status)


def asked_of(person: Person) -> AbstractAsyncContextManager[httpx.Response]:
    """A stream as it comes, for clients that do not wait for its end."""
    return person.http.stream(
        "POST",
        "/generate/text",
        json=ASKED | {"stream": True},
        headers={"Authorization": f"Bearer {person.token}"},
    )


async def test_deltas_are_sent_as_they_come(open_world: OpenWorld, serve: Serve) -> None:
    provider = Stammering(ANSWER)
    provider.gate.clear()
    world = await open_world({"text_provider": provider})
    ann = (await world.ann()).over(await serve(world))
    async with asked_of(ann) as response:
        assert response.headers["cache-control"] == "no-store"
        events = live_events(response)
        assert [(await anext(events)).name for _ in range(2)] == ["delta", "delta"]
        provider.gate.set()  # only now can the provider end
        assert (await anext(events)).name == "done"
        assert await anext(events, None) is None


async def test_comments_keep_a_silent_stream_alive(
    open_world: OpenWorld, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sse, "_KEEPALIVE_SECONDS", 0.01)
    provider = Stammering(ANSWER)
    provider.gate.clear()
    world = await open_world({"text_provider": provider})
    ann = (await world.ann()).over(await serve(world))
    async with asyncio.timeout(5), asked_of(ann) as response:
        lines = response.aiter_lines()
        comments = 0
        while comments < 3:
            comments += (await anext(lines)).startswith(":")
        provider.gate.set()
        rest = [line async for line in lines]
    assert "event: done" in rest


# --- clients who leave ------------------------------------------------------------------------


@pytest.mark.parametrize(("kind", "is_stream"), [("text", False), ("text", True), ("image", False)])
async def test_what_a_client_who_left_has_asked_for_is_recorded(
    open_world: OpenWorld, serve: Serve, kind: str, is_stream: bool
) -> None:
    provider = Stammering(ANSWER) if is_stream else WatchedProvider()
    provider.gate.clear()
    world = await open_world({"text_provider": provider, "image_provider": provider})
    ann = await world.ann()
    distant = ann.over(await serve(world))
    asking = asyncio.create_task(
        distant.post(f"/generate/{kind}", ASKED | ({"stream": True} if is_stream else {}))
    )
    async with asyncio.timeout(5):
        await provider.asked.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    provider.gate.set()
    await world.aigen.background.drain()
    (made,) = assert_json(await ann.get(f"/generate/{kind}"))["items"]
    assert made["prompt"] == "Say hello"
    assert made.get("status", "completed") == "completed"
