"""One's own history, and that nobody else's exists."""

from datetime import timedelta, timezone
from typing import Any

import pytest

from aigen.domain.model.images import ImageStatus
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoState
from aigen.testing.samples import a_job, a_text, an_image, stored
from tests.api.answers import assert_done, assert_json, assert_problem, said_in
from tests.api.world import UNKNOWN_ID, Person, World

KINDS = ("text", "image", "video")
MAKERS: dict[str, Any] = {"text": a_text, "image": an_image, "video": a_job}
kinds = pytest.mark.parametrize("kind", KINDS)


@pytest.fixture
def world(common: World) -> World:
    return common


async def user_of(world: World, person: Person) -> User:
    user = await world.look(lambda records: records.users.get(person.id))
    assert user is not None
    return user


async def have(world: World, person: Person, kind: str, *fields: dict[str, Any]) -> list[str]:
    """Store things of the person's; their ids, oldest first."""
    user = await user_of(world, person)
    values = [MAKERS[kind](user, **said) for said in fields]
    await stored(world.aigen.store, *values)
    return [value.id for value in values]


async def ids(person: Person, path: str, **query: Any) -> list[str]:
    listed = assert_json(await person.get(path, params=query))
    assert listed.keys() == {"items", "next_cursor"}
    return [item["id"] for item in listed["items"]]


# --- lists ------------------------------------------------------------------------------------


@kinds
async def test_ones_own_is_listed_newest_first_and_whole(
    world: World, ann: Person, bob: Person, kind: str
) -> None:
    mine = await have(world, ann, kind, {}, {}, {})
    await have(world, bob, kind, {})
    path = f"/generate/{kind}"
    assert await ids(ann, path) == mine[::-1]
    for item in assert_json(await ann.get(path))["items"]:
        assert item == assert_json(await ann.get(f"{path}/{item['id']}"))


@kinds
async def test_lists_are_cut_into_pages_that_miss_and_repeat_nothing(
    world: World, ann: Person, kind: str
) -> None:
    mine = await have(world, ann, kind, *({} for _ in range(5)))
    path = f"/generate/{kind}"
    first = assert_json(await ann.get(path, params={"limit": 2}))
    await have(world, ann, kind, {})  # newer ones don't move what is older
    second = assert_json(await ann.get(path, params={"limit": 2, "cursor": first["next_cursor"]}))
    third = assert_json(await ann.get(path, params={"limit": 2, "cursor": second["next_cursor"]}))
    assert third["next_cursor"] is None
    seen = [item["id"] for page in (first, second, third) for item in page["items"]]
    assert seen == mine[::-1]


async def test_a_page_has_twenty_unless_said_and_a_hundred_at_most(
    world: World, ann: Person
) -> None:
    mine = await have(world, ann, "text", *({} for _ in range(101)))
    assert await ids(ann, "/generate/text") == mine[:-21:-1]
    assert await ids(ann, "/generate/text", limit=100) == mine[:0:-1]
    assert await ids(ann, "/generate/text", limit=1) == mine[-1:]


@kinds
async def test_a_list_without_anything_is_empty(ann: Person, kind: str) -> None:
    empty: dict[str, Any] = {"items": [], "next_cursor": None}
    assert assert_json(await ann.get(f"/generate/{kind}")) == empty
    assert assert_json(await ann.get(f"/generate/{kind}?cursor={UNKNOWN_ID}")) == empty


@kinds
async def test_prompts_are_searched_whatever_their_case_and_characters(
    world: World, ann: Person, kind: str
) -> None:
    prompts = ("A red FOX", "100% wool", "under_score", "Straße ÜBER Ärger", "back\\slash 'quote\"")
    mine = await have(world, ann, kind, *({"prompt": prompt} for prompt in prompts))
    by_prompt = dict(zip(prompts, mine, strict=True))
    for text, found in (
        ("fox", ["A red FOX"]),
        ("Red f", ["A red FOX"]),
        ("100%", ["100% wool"]),
        ("%", ["100% wool"]),
        ("_", ["under_score"]),
        ("über ä", ["Straße ÜBER Ärger"]),
        ("\\", ["back\\slash 'quote\""]),
        ("'", ["back\\slash 'quote\""]),
        ("wolf", []),
        ("", list(prompts)),
    ):
        expected = [by_prompt[prompt] for prompt in reversed(found)]
        assert await ids(ann, f"/generate/{kind}", q=text) == expected, text


@kinds
async def test_a_list_is_narrowed_to_a_model(world: World, ann: Person, kind: str) -> None:
    one, other = await have(world, ann, kind, {"model": "a/one"}, {"model": "a/one-more"})
    path = f"/generate/{kind}"
    assert await ids(ann, path, model="a/one") == [one]
    assert await ids(ann, path, model="a/one-more") == [other]
    assert await ids(ann, path, model="a/on") == []
    assert await ids(ann, path, model="a/one", q="fox", limit=1) in ([one], [])


async def test_videos_are_narrowed_to_a_status(world: World, ann: Person) -> None:
    states = list(VideoState)
    mine = dict(
        zip(
            states,
            await have(world, ann, "video", *({"state": state} for state in states)),
            strict=True,
        )
    )
    for status in ("queued", "completed", "failed", "cancelled"):
        found = await ids(ann, "/generate/video", status=status)
        assert found == [mine[VideoState(status)]]
    # A submission in flight is shown as processing.
    processing = await ids(ann, "/generate/video", status="processing")
    assert processing == [mine[VideoState.PROCESSING], mine[VideoState.SUBMITTING]]


async def test_images_are_narrowed_to_a_status(world: World, ann: Person) -> None:
    fields = ({"status": status} for status in ImageStatus)
    mine = await have(world, ann, "image", *fields)
    for status, image_id in zip(ImageStatus, mine, strict=True):
        assert await ids(ann, "/generate/image", status=status.value) == [image_id]
    assert_problem(await ann.get("/generate/image?status=queued"), 422, "invalid_request")


@kinds
async def test_a_list_is_cut_by_when_things_were_made(world: World, ann: Person, kind: str) -> None:
    noon = world.clock.now()
    times = [noon - timedelta(days=1), noon, noon + timedelta(microseconds=1)]
    mine = await have(world, ann, kind, *({"created_at": at} for at in times))
    path = f"/generate/{kind}"
    in_berlin = noon.astimezone(timezone(timedelta(hours=2)))
    for query, found in (
        ({"since": noon.isoformat()}, mine[:0:-1]),
        ({"until": f"{noon:%Y-%m-%dT%H:%M:%SZ}"}, mine[:1]),
        ({"since": f"{noon:%Y-%m-%d}"}, mine[:0:-1]),
        ({"until": f"{noon:%Y-%m-%d}"}, mine[:1]),
        ({"since": f"{noon:%Y-%m-%dT%H:%M}", "until": times[2].isoformat()}, mine[1:2]),
        ({"since": in_berlin.isoformat(), "limit": 1}, mine[2:]),
        ({"since": "0001-01-01", "until": "9999-12-31"}, mine[::-1]),
        ({"since": times[2].isoformat(), "q": "no such words"}, []),
    ):
        assert await ids(ann, path, **query) == found, query


@kinds
async def test_times_that_are_none_are_refused_in_one_sentence(
    world: World, ann: Person, kind: str
) -> None:
    noon = world.clock.now()
    for query, field in (
        ({"since": "yesterday"}, "since"),
        ({"since": ""}, "since"),
        ({"until": "2026-13-01"}, "until"),
        ({"until": "1767225600"}, "until"),
        ({"since": "0001-01-01T00:00+14:00"}, "since"),
        ({"since": noon.isoformat(), "until": noon.isoformat()}, "until"),
        ({"since": "2026-03-16", "until": "2026-03-15"}, "until"),
    ):
        response = await ann.get(f"/generate/{kind}", params=query)
        problem = assert_problem(response, 422, "invalid_request")
        assert [error["loc"][-1] for error in problem["errors"]] == [field], query


async def test_all_texts_are_completed(world: World, ann: Person) -> None:
    mine = await have(world, ann, "text", {})
    assert await ids(ann, "/generate/text", status="completed") == mine
    assert_problem(await ann.get("/generate/text?status=failed"), 422, "invalid_request")


# --- all kinds as one list --------------------------------------------------------------------


async def test_all_kinds_are_one_list_of_items_as_they_are_with_their_kind(
    world: World, ann: Person, bob: Person
) -> None:
    mine = [(await have(world, ann, kind, {}))[0] for kind in (*KINDS, *KINDS)]
    for kind in KINDS:
        await have(world, bob, kind, {})
    items = assert_json(await ann.get("/generate"))["items"]
    assert [item["id"] for item in items] == mine[::-1]
    assert [item["kind"] for item in items] == [*KINDS, *KINDS][::-1]
    for item in items:
        alone = assert_json(await ann.get(f"/generate/{item['kind']}/{item['id']}"))
        assert item == alone | {"kind": item["kind"]}


async def test_the_list_of_all_kinds_is_cut_into_pages_that_miss_and_repeat_nothing(
    world: World, ann: Person
) -> None:
    order = ("image", "image", "image", "text", "video", "text", "video")
    mine = [(await have(world, ann, kind, {}))[0] for kind in order]
    for limit in range(1, len(mine) + 2):
        query: dict[str, Any] = {"limit": limit}
        pages = []
        while query.get("cursor", "") is not None:
            page = assert_json(await ann.get("/generate", params=query))
            pages.append([item["id"] for item in page["items"]])
            query["cursor"] = page["next_cursor"]
        assert [one for page in pages for one in page] == mine[::-1]
        assert {len(page) for page in pages[:-1]} <= {limit}
        assert pages[-1]


async def test_the_list_of_all_kinds_is_narrowed_to_some(world: World, ann: Person) -> None:
    text, image, video = [(await have(world, ann, kind, {}))[0] for kind in KINDS]
    assert await ids(ann, "/generate", kind="image") == [image]
    assert await ids(ann, "/generate", kind=["image", "video", "image"]) == [video, image]
    assert await ids(ann, "/generate", kind=KINDS) == [video, image, text]
    for unknown in ("film", "", ["image", "film"]):
        answer = await ann.get("/generate", params={"kind": unknown})
        assert_problem(answer, 422, "invalid_request")


async def test_a_status_gives_nothing_of_a_kind_that_cannot_have_it(
    world: World, ann: Person
) -> None:
    (text,) = await have(world, ann, "text", {})
    images = await have(world, ann, "image", *({"status": status} for status in ImageStatus))
    videos = await have(world, ann, "video", *({"state": state} for state in VideoState))
    image = dict(zip(ImageStatus, images, strict=True))
    video = dict(zip(VideoState, videos, strict=True))
    in_flight = [video[VideoState.PROCESSING], video[VideoState.SUBMITTING]]
    for status, found in (
        ("queued", [video[VideoState.QUEUED]]),
        ("processing", [*in_flight, image[ImageStatus.PROCESSING]]),
        ("completed", [video[VideoState.COMPLETED], image[ImageStatus.COMPLETED], text]),
        ("failed", [video[VideoState.FAILED], image[ImageStatus.FAILED]]),
        ("cancelled", [video[VideoState.CANCELLED]]),
    ):
        assert await ids(ann, "/generate", status=status) == found
    assert await ids(ann, "/generate", status="failed", kind=["text", "image"]) == [
        image[ImageStatus.FAILED]
    ]
    assert_problem(await ann.get("/generate?status=done"), 422, "invalid_request")


async def test_the_list_of_all_kinds_is_narrowed_as_the_others_are(
    world: World, ann: Person
) -> None:
    noon = world.clock.now()
    fields: dict[str, Any] = {"prompt": "A red FOX", "model": "a/one", "created_at": noon}
    foxes = [(await have(world, ann, kind, fields))[0] for kind in KINDS]
    for kind in KINDS:
        for other in ({"prompt": "owl"}, {"model": "b"}, {"created_at": noon - timedelta(days=2)}):
            await have(world, ann, kind, fields | other)
    query = {"q": "fox", "model": "a/one", "since": (noon - timedelta(days=1)).isoformat()}
    assert await ids(ann, "/generate", **query) == foxes[::-1]
    assert await ids(ann, "/generate", **query, until=noon.isoformat()) == []


# --- one thing --------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["text", "image"])
async def test_what_was_deleted_is_gone(world: World, ann: Person, kind: str) -> None:
    (mine,) = await have(world, ann, kind, {})
    path = f"/generate/{kind}/{mine}"
    assert_done(await ann.delete(path))
    assert_problem(await ann.get(path), 404, "not_found")
    assert_problem(await ann.delete(path), 404, "not_found")
    assert await ids(ann, f"/generate/{kind}") == []


async def test_with_an_image_go_its_files(world: World, ann: Person) -> None:
    body = {"model": "m", "prompt": "p", "n": 3}
    image = assert_json(await ann.post("/generate/image", body))
    kept = assert_json(await ann.post("/generate/image", body))
    assert_done(await ann.delete(f"/generate/image/{image['id']}"))
    for picture in image["images"]:
        assert_problem(await world.anonymous.get(picture["url"]), 404, "not_found")
    for picture in kept["images"]:
        assert (await world.anonymous.get(picture["url"])).status_code == 200


OF_ONE = [
    ("text", "GET", ""),
    ("text", "DELETE", ""),
    ("image", "GET", ""),
    ("image", "DELETE", ""),
    ("video", "GET", ""),
    ("video", "DELETE", ""),
    ("video", "GET", "/status"),
    ("video", "GET", "/events"),
    ("video", "POST", "/cancel"),
    ("video", "POST", "/retry"),
]


@pytest.mark.parametrize(("kind", "method", "more"), OF_ONE)
async def test_somebody_elses_is_like_an_unknown_and_a_malformed_id_for_admins_too(
    world: World, ann: Person, bob: Person, root: Person, kind: str, method: str, more: str
) -> None:
    state = {"state": VideoState.FAILED} if kind == "video" else {}
    (anns,) = await have(world, ann, kind, state)
    said = []
    for person in (bob, root):
        for one in (anns, UNKNOWN_ID, "42", "not-an-id", "%00", "x" * 500, "'--", anns.upper()):
            response = await person.ask(method, f"/generate/{kind}/{one}{more}")
            assert_problem(response, 404, "not_found")
            said.append(said_in(response))
    assert said == [said[0]] * len(said)
    assert await ids(ann, f"/generate/{kind}") == [anns]


@kinds
async def test_nobody_gets_anything_without_a_token(world: World, ann: Person, kind: str) -> None:
    (mine,) = await have(world, ann, kind, {})
    for method, path in (
        ("GET", f"/generate/{kind}"),
        ("GET", f"/generate/{kind}/{mine}"),
        ("DELETE", f"/generate/{kind}/{mine}"),
        ("GET", f"/generate/{kind}/{UNKNOWN_ID}"),
    ):
        assert_problem(await world.anonymous.ask(method, path), 401, "unauthenticated")
    assert_problem(await world.worker.get(f"/generate/{kind}/{mine}"), 401, "token_invalid")


async def test_times_are_in_utc_whatever_they_were(world: World, ann: Person) -> None:
    created_at = world.clock.now() + timedelta(microseconds=1)
    (mine,) = await have(world, ann, "text", {"created_at": created_at})
    text = assert_json(await ann.get(f"/generate/text/{mine}"))
    assert text["created_at"] == created_at.isoformat().replace("+00:00", "Z")
