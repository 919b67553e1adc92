"""Texts: whole, streamed, repeated, refused."""

import asyncio
import json
from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

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
from aigen.testing import ScriptedProvider
from tests.api.answers import (
    assert_id,
    assert_json,
    assert_problem,
    assert_problem_shape,
    assert_time,
    events_of,
    live_events,
)
from tests.api.conftest import OpenWorld, Serve
from tests.api.world import Person, World

TEXT = {
    "id",
    "model",
    "prompt",
    "text",
    "finish_reason",
    "usage",
    "cost_usd",
    "created_at",
}
ASKED = {"model": "some/model", "prompt": "Say hello"}

FAILURES: list[tuple[Failure, int, str]] = [
    (Refused(reason="no such model"), 422, "provider_refused"),
    (NotSent(reason="rate limit", retry_after=timedelta(seconds=7)), 503, "provider_unavailable"),
    (Misconfigured(reason="no credit"), 502, "provider_misconfigured"),
    (BadAnswer(reason="I would rather not."), 502, "provider_bad_answer"),
    (Unknown(reason="reset"), 504, "provider_outcome_unknown"),
]
failures = pytest.mark.parametrize(
    ("failure", "status", "code"), FAILURES, ids=[code for _, _, code in FAILURES]
)


def assert_refusal_is_explained(response: Any, failure: Failure) -> None:
    """In words about the request, and in headers that programs obey."""
    if not isinstance(failure, NotSent):
        assert failure.reason in response.json()["detail"]
    if isinstance(failure, NotSent):
        assert response.headers["retry-after"] == "7"
    assert response.headers.get("x-should-retry") == (
        "false" if isinstance(failure, Unknown) else None
    )


# --- whole ------------------------------------------------------------------------------------


async def test_a_text_is_answered_with_what_it_took(world: World, ann: Person) -> None:
    answer = TextAnswer(
        model="some/model-2026",
        text="Hello.",
        finish_reason="stop",
        usage=Usage(prompt_tokens=2, completion_tokens=1, total_tokens=3),
        cost_usd=Decimal("0.00000555"),
    )
    world.provider.texts.add(answer)
    text = assert_json(await ann.post("/generate/text", ASKED))
    assert text.keys() == TEXT
    assert_id(text["id"])
    assert_time(text["created_at"])
    assert {name: text[name] for name in TEXT - {"id", "created_at"}} == {
        "model": "some/model-2026",
        "prompt": "Say hello",
        "text": "Hello.",
        "finish_reason": "stop",
        "usage": {"prompt_tokens": 2, "completion_tokens": 1, "total_tokens": 3},
        "cost_usd": 0.00000555,
    }
    assert assert_json(await ann.get(f"/generate/text/{text['id']}")) == text


async def test_what_the_provider_did_not_report_is_null(world: World, ann: Person) -> None:
    world.provider.texts.add(
        TextAnswer(model="m", text="", finish_reason=None, usage=Usage(), cost_usd=None)
    )
    text = assert_json(await ann.post("/generate/text", ASKED))
    assert text.keys() == TEXT
    assert (text["cost_usd"], text["finish_reason"], text["text"]) == (None, None, "")


async def test_all_options_reach_the_provider(world: World, ann: Person) -> None:
    turns = [
        {"role": "user", "content": "Hi"},
        {"role": "assistant", "content": "Hello!"},
        {"role": "system", "content": "Be brief."},
    ]
    more = {"system": "Rhyme.", "messages": turns, "temperature": 0.5, "max_tokens": 7}
    assert_json(await ann.post("/generate/text", ASKED | more))
    assert world.provider.text_requests == [
        TextRequest(
            model="some/model",
            prompt="Say hello",
            system="Rhyme.",
            messages=tuple(
                Message(role=Speaker(turn["role"]), content=turn["content"]) for turn in turns
            ),
            temperature=0.5,
            max_tokens=7,
        )
    ]
    spoken = [turn.content for turn in world.provider.text_requests[0].turns()]
    assert spoken == ["Rhyme.", "Hi", "Hello!", "Be brief.", "Say hello"]


@failures
async def test_a_failure_of_the_provider_is_a_problem(
    world: World, ann: Person, failure: Failure, status: int, code: str
) -> None:
    world.provider.texts.add(failure)
    response = await ann.post("/generate/text", ASKED)
    assert_problem(response, status, code)
    assert_refusal_is_explained(response, failure)
    assert assert_json(await ann.get("/generate/text"))["items"] == []
    assert len(world.provider.text_requests) == 1


async def test_without_room_on_the_disk_nothing_is_bought(open_world: OpenWorld) -> None:
    world = await open_world(min_free_disk=2**60)
    ann = await world.ann()
    for path in ("/generate/text", "/generate/image"):
        assert_problem(await ann.post(path, ASKED), 503, "storage_full")
    assert_problem(await ann.post("/generate/text", ASKED | {"stream": True}), 503, "storage_full")
    assert (world.provider.text_requests, world.provider.image_requests) == ([], [])


# --- streamed ---------------------------------------------------------------------------------


async def test_a_stream_gives_deltas_and_then_the_whole(world: World, ann: Person) -> None:
    response = await ann.post("/generate/text", ASKED | {"stream": True})
    *deltas, done = events_of(response)
    assert [event.name for event in deltas] == ["delta"] * 4
    assert [json.loads(event.data) for event in deltas] == [
        {"text": word} for word in ("You", "said:", "Say", "hello")
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


class Stammering(ScriptedProvider):
    """Says a few words, waits to be let on, and says the last thing."""

    def __init__(self, last: TextAnswer | Failure | Exception) -> None:
        super().__init__()
        self._last = last

    async def stream(self, request: TextRequest) -> AsyncIterator[TextDelta | TextAnswer | Failure]:
        self.text_requests.append(request)
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


async def test_deltas_are_sent_as_they_come(open_world: OpenWorld, serve: Serve) -> None:
    provider = Stammering(ANSWER)
    provider.gate.clear()
    world = await open_world({"text_provider": provider})
    ann = (await world.ann()).over(await serve(world))
    asked = ann.http.stream(
        "POST",
        "/generate/text",
        json=ASKED | {"stream": True},
        headers={"Authorization": f"Bearer {ann.token}"},
    )
    async with asked as response:
        assert response.headers["cache-control"] == "no-store"
        events = live_events(response)
        assert [(await anext(events)).name for _ in range(2)] == ["delta", "delta"]
        provider.gate.set()  # only now can the provider end
        assert (await anext(events)).name == "done"
        assert await anext(events, None) is None


# --- clients who leave ------------------------------------------------------------------------


@pytest.mark.parametrize("is_stream", [False, True])
async def test_what_a_client_who_left_has_asked_for_is_recorded(
    open_world: OpenWorld, serve: Serve, is_stream: bool
) -> None:
    provider = Stammering(ANSWER) if is_stream else ScriptedProvider()
    provider.gate.clear()
    world = await open_world({"text_provider": provider})
    ann = await world.ann()
    distant = ann.over(await serve(world))
    asking = asyncio.create_task(
        distant.post("/generate/text", ASKED | {"stream": is_stream}, timeout=10)
    )
    while not provider.text_requests:
        await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    assert assert_json(await ann.get("/generate/text"))["items"] == []
    provider.gate.set()
    await world.aigen.background.drain()
    (text,) = assert_json(await ann.get("/generate/text"))["items"]
    assert text["prompt"] == "Say hello"
