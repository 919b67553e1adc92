"""Several generations deleted at once, of whatever kind."""

from typing import Any

import pytest

from aigen.domain.model.images import ImageStatus
from aigen.domain.model.videos import VideoState
from tests.api.answers import assert_json, assert_problem
from tests.api.test_history import KINDS, have, ids
from tests.api.world import UNKNOWN_ID, Person, World


@pytest.fixture
def world(common: World) -> World:
    return common


async def delete(person: Any, *wanted: str) -> Any:
    return assert_json(await person.post("/generate/delete", {"ids": list(wanted)}))


async def test_all_kinds_go_in_one_request(world: World, ann: Person) -> None:
    (text,) = await have(world, ann, "text", {})
    (image, making) = await have(world, ann, "image", {}, {"status": ImageStatus.PROCESSING})
    (video, kept) = await have(world, ann, "video", *({"state": VideoState.FAILED} for _ in "12"))
    wanted = [video, text, making, image]
    assert await delete(ann, *wanted, video) == {"deleted": wanted, "kept": []}
    left = [await ids(ann, f"/generate/{kind}") for kind in KINDS]
    assert left == [[], [], [kept]]


async def test_their_files_go_and_no_others(world: World, ann: Person) -> None:
    body = {"model": "m", "prompt": "p", "n": 2}
    gone, kept = [assert_json(await ann.post("/generate/image", body)) for _ in "12"]
    await delete(ann, gone["id"])
    for picture in gone["images"]:
        assert_problem(await world.anonymous.get(picture["url"]), 404, "not_found")
    for picture in kept["images"]:
        assert (await world.anonymous.get(picture["url"])).status_code == 200


async def test_what_is_kept_is_kept_for_a_reason(world: World, ann: Person, bob: Person) -> None:
    states = (VideoState.QUEUED, VideoState.SUBMITTING, VideoState.PROCESSING)
    unfinished = await have(world, ann, "video", *({"state": state} for state in states))
    (mine,) = await have(world, ann, "text", {})
    (bobs,) = await have(world, bob, "text", {})
    strange = [bobs, UNKNOWN_ID, "not-an-id", mine.upper() + "x"]
    found = await delete(ann, *unfinished, *strange, mine)
    assert found["deleted"] == [mine]
    said = {kept["id"]: kept["code"] for kept in found["kept"]}
    assert said == dict.fromkeys(unfinished, "job_unfinished") | dict.fromkeys(strange, "not_found")
    details = {kept["detail"] for kept in found["kept"]}
    assert details == {
        "The job is not finished: cancel it first.",
        "There is no such thing, or it is not yours.",
    }
    assert await ids(bob, "/generate/text") == [bobs]
    assert await ids(ann, "/generate/video") == unfinished[::-1]


async def test_what_was_deleted_is_not_found_again(world: World, ann: Person) -> None:
    (mine,) = await have(world, ann, "text", {})
    await delete(ann, mine)
    (kept,) = (await delete(ann, mine))["kept"]
    assert (kept["id"], kept["code"]) == (mine, "not_found")


async def test_a_key_deletes_what_is_its_users(world: World, ann: Person, bob: Person) -> None:
    key = world.bearing((await world.aigen.keys.make(ann.id, "a script")).text)
    (mine,) = await have(world, ann, "text", {})
    (bobs,) = await have(world, bob, "text", {})
    found = await delete(key, mine, bobs)
    assert (found["deleted"], len(found["kept"])) == ([mine], 1)


async def test_two_hundred_go_at_once_and_more_are_refused(world: World, ann: Person) -> None:
    mine = await have(world, ann, "image", *({} for _ in range(201)))
    response = await ann.post("/generate/delete", {"ids": mine})
    assert_problem(response, 422, "invalid_request")
    assert (await delete(ann, *mine[:200]))["deleted"] == mine[:200]
    assert await ids(ann, "/generate/image") == mine[200:]


@pytest.mark.parametrize(
    "body", [{}, {"ids": []}, {"ids": "x"}, {"ids": [5]}, {"ids": ["x" * 101]}, {"ids": ["\0"]}]
)
async def test_what_cannot_be_asked_is_refused(
    world: World, ann: Person, body: dict[str, Any]
) -> None:
    for route in ("delete", "archive"):
        response = await ann.post(f"/generate/{route}", body)
        assert_problem(response, 422, "invalid_request")
        response = await world.anonymous.post(f"/generate/{route}", body)
        assert_problem(response, 401, "unauthenticated")
