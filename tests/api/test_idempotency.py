"""`Idempotency-Key` on everything that costs: done once, answered as often as asked."""

import asyncio
import json
from datetime import timedelta
from typing import Any

import httpx
import pytest

from aigen.ports.provider import NotSent, Unknown
from tests.api.answers import assert_done, assert_json, assert_problem, events_of
from tests.api.conftest import OpenWorld
from tests.api.world import Person, World

BODY = {"model": "some/model", "prompt": "A fox"}
PICTURE = {"image_url": "https://example.org/fox.png"}

#: Every POST /generate/…: path, body, headers, status.
ROUTES: dict[str, tuple[str, dict[str, Any], dict[str, str], int]] = {
    "text": ("/generate/text", BODY, {}, 200),
    "image": ("/generate/image", BODY, {}, 200),
    "image, async": ("/generate/image", BODY, {"Prefer": "respond-async"}, 202),
    "video": ("/generate/video", BODY, {}, 202),
    "video from image": ("/generate/video/from-image", BODY | PICTURE, {}, 202),
}
routes = pytest.mark.parametrize(
    ("path", "body", "headers", "status"), ROUTES.values(), ids=ROUTES.keys()
)
synchronous = pytest.mark.parametrize("path", ["/generate/text", "/generate/image"])


@pytest.fixture
def world(common: World) -> World:
    return common


async def ask(
    person: Person, path: str, body: Any = BODY, key: str = "a-key", **headers: str
) -> httpx.Response:
    return await person.post(path, body, headers={"Idempotency-Key": key} | headers)


def assert_first(response: httpx.Response, status: int) -> Any:
    assert "idempotent-replay" not in response.headers
    return assert_json(response, status)


def assert_replay(response: httpx.Response, status: int) -> Any:
    assert response.headers.get("idempotent-replay") == "true"
    return assert_json(response, status)


def asked(world: World) -> int:
    """How often the provider was asked for anything."""
    return len(world.provider.text_requests) + len(world.provider.image_requests)


# --- repeats ----------------------------------------------------------------------------------


@routes
async def test_a_repeat_is_answered_with_the_first_object(
    world: World, ann: Person, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    first = assert_first(await ask(ann, path, body, **headers), status)
    await world.aigen.background.drain()
    again = assert_replay(await ask(ann, path, body, **headers), status)
    kind = path.split("/")[2]
    now = assert_json(await ann.get(f"/generate/{kind}/{first['id']}"))
    assert again == now
    assert len(assert_json(await ann.get(f"/generate/{kind}"))["items"]) == 1
    assert asked(world) == (0 if kind == "video" else 1)


@routes
async def test_the_same_key_with_another_request_is_a_conflict(
    world: World, ann: Person, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    assert_first(await ask(ann, path, body, **headers), status)
    await world.aigen.background.drain()
    other = await ask(ann, path, body | {"prompt": "Another fox"}, **headers)
    assert_problem(other, 409, "idempotency_conflict")
    elsewhere = "/generate/image" if path == "/generate/text" else "/generate/text"
    assert_problem(await ask(ann, elsewhere, BODY), 409, "idempotency_conflict")


@routes
async def test_a_key_is_ones_own(
    ann: Person, bob: Person, path: str, body: Any, headers: dict[str, str], status: int
) -> None:
    first = assert_first(await ask(ann, path, body, **headers), status)
    other = assert_first(await ask(bob, path, body, **headers), status)
    assert other["id"] != first["id"]


async def test_a_retry_is_made_once_too(world: World, ann: Person) -> None:
    old = assert_json(await ann.post("/generate/video", BODY), 202)
    assert_json(await ann.post(f"/generate/video/{old['id']}/cancel"))
    path = f"/generate/video/{old['id']}/retry"
    first = assert_first(await ask(ann, path, None), 202)
    assert assert_replay(await ask(ann, path, None), 202) == first
    assert len(assert_json(await ann.get("/generate/video"))["items"]) == 2


async def test_a_repeat_shows_the_object_as_it_is_now(ann: Person) -> None:
    job = assert_first(await ask(ann, "/generate/video"), 202)
    cancelled = assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
    assert assert_replay(await ask(ann, "/generate/video"), 202) == cancelled
    assert_done(await ann.delete(f"/generate/video/{job['id']}"))
    assert_problem(await ask(ann, "/generate/video"), 404, "not_found")


async def test_a_key_is_forgotten_after_a_day(world: World, ann: Person) -> None:
    first = assert_first(await ask(ann, "/generate/video"), 202)
    world.clock.set(world.clock.now() + timedelta(hours=24, microseconds=-1))
    ann = await world.login(ann.email)
    assert_replay(await ask(ann, "/generate/video"), 202)
    world.clock.set(world.clock.now() + timedelta(microseconds=1))
    assert assert_first(await ask(ann, "/generate/video"), 202)["id"] != first["id"]


async def test_the_longest_key_is_taken(ann: Person) -> None:
    assert_first(await ask(ann, "/generate/video", key="~" * 255), 202)
    assert_replay(await ask(ann, "/generate/video", key="~" * 255), 202)


# --- at the same time -------------------------------------------------------------------------


@synchronous
async def test_while_the_first_runs_a_repeat_is_told_to_wait(
    world: World, ann: Person, path: str
) -> None:
    world.provider.gate.clear()
    first = asyncio.create_task(ask(ann, path))
    await world.provider.asked.wait()
    early = await ask(ann, path)
    assert_problem(early, 409, "idempotency_in_progress")
    assert int(early.headers["retry-after"]) >= 1
    other = await ask(ann, path, BODY | {"prompt": "Another fox"})
    assert_problem(other, 409, "idempotency_conflict")
    world.provider.gate.set()
    made = assert_first(await first, 200)
    assert assert_replay(await ask(ann, path), 200)["id"] == made["id"]
    assert asked(world) == 1


async def test_a_deferred_image_that_is_being_made_is_shown_so(world: World, ann: Person) -> None:
    world.provider.gate.clear()
    prefer = {"Prefer": "respond-async"}
    first = assert_first(await ask(ann, "/generate/image", **prefer), 202)
    again = assert_replay(await ask(ann, "/generate/image", **prefer), 202)
    assert (again["id"], again["status"]) == (first["id"], "processing")


@pytest.mark.parametrize("path", ["/generate/video", "/generate/video/from-image"])
async def test_of_many_at_once_one_makes_a_job(ann: Person, path: str) -> None:
    body = BODY if path == "/generate/video" else BODY | PICTURE
    answers = await asyncio.gather(*(ask(ann, path, body) for _ in range(8)))
    assert {assert_json(answer, 202)["id"] for answer in answers} == {answers[0].json()["id"]}
    assert sum("idempotent-replay" in answer.headers for answer in answers) == 7
    assert len(assert_json(await ann.get("/generate/video"))["items"]) == 1


@synchronous
async def test_of_many_at_once_one_asks_the_provider(world: World, ann: Person, path: str) -> None:
    world.provider.gate.clear()
    asking = [asyncio.create_task(ask(ann, path)) for _ in range(8)]
    running = set(asking)
    while len(running) > 1:
        _, running = await asyncio.wait(running, return_when=asyncio.FIRST_COMPLETED)
    world.provider.gate.set()
    assert (await running.pop()).status_code == 200
    assert sorted(task.result().status_code for task in asking) == [200] + [409] * 7
    assert asked(world) == 1


# --- failures ---------------------------------------------------------------------------------


@synchronous
async def test_what_surely_did_not_happen_may_be_asked_again_with_the_same_key(
    world: World, ann: Person, path: str
) -> None:
    world.provider.texts.add(NotSent(reason="overload"))
    world.provider.images.add(NotSent(reason="overload"))
    assert_problem(await ask(ann, path), 503, "provider_unavailable")
    assert_first(await ask(ann, path), 200)
    assert asked(world) == 2


@synchronous
async def test_what_may_have_been_bought_is_never_asked_again_with_the_same_key(
    world: World, ann: Person, path: str
) -> None:
    world.provider.texts.add(Unknown(reason="reset"))
    world.provider.images.add(Unknown(reason="reset"))
    for _ in range(2):
        response = await ask(ann, path)
        assert_problem(response, 504, "provider_outcome_unknown")
        assert response.headers["x-should-retry"] == "false"
    assert asked(world) == 1


async def test_a_job_that_there_was_no_room_for_may_be_asked_again_with_the_same_key(
    open_world: OpenWorld,
) -> None:
    world = await open_world(jobs_per_user=1)
    ann = await world.ann()
    job = assert_json(await ann.post("/generate/video", BODY), 202)
    assert_problem(await ask(ann, "/generate/video"), 429, "too_many_jobs")
    assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
    assert_first(await ask(ann, "/generate/video"), 202)


# --- streams ----------------------------------------------------------------------------------


async def test_a_finished_text_asked_for_again_as_a_stream_is_one_delta_and_done(
    world: World, ann: Person
) -> None:
    text = assert_first(await ask(ann, "/generate/text"), 200)
    response = await ask(ann, "/generate/text", BODY | {"stream": True})
    assert response.headers["idempotent-replay"] == "true"
    delta, done = events_of(response)
    assert (delta.name, json.loads(delta.data)) == ("delta", {"text": text["text"]})
    assert (done.name, json.loads(done.data)) == ("done", text)
    assert asked(world) == 1


async def test_a_streamed_text_asked_for_again_is_whole(world: World, ann: Person) -> None:
    response = await ask(ann, "/generate/text", BODY | {"stream": True})
    assert "idempotent-replay" not in response.headers
    text = json.loads(events_of(response)[-1].data)
    assert assert_replay(await ask(ann, "/generate/text"), 200) == text
    assert asked(world) == 1


async def test_while_a_stream_runs_a_repeat_is_told_to_wait(world: World, ann: Person) -> None:
    world.provider.gate.clear()
    first = asyncio.create_task(ask(ann, "/generate/text", BODY | {"stream": True}))
    await world.provider.asked.wait()
    for stream in (True, False):
        again = await ask(ann, "/generate/text", BODY | {"stream": stream})
        assert_problem(again, 409, "idempotency_in_progress")
    world.provider.gate.set()
    assert events_of(await first)[-1].name == "done"
