"""Texts: whole, streamed, repeated, refused."""

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
    Unknown,
)
from tests.api.answers import (
    assert_id,
    assert_json,
    assert_problem,
    assert_time,
)
from tests.api.conftest import OpenWorld
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


@pytest.fixture
def world(common: World) -> World:
    return common


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
