"""What a generation will cost, told before it is asked for; and what a model does not offer."""

from typing import Any

import pytest
import pytest_asyncio

from tests.api.answers import assert_json, assert_problem
from tests.api.money import IMAGE, OFFERED, TEXT, UNPRICED, VIDEO, spent_and_reserved
from tests.api.test_videos import claims
from tests.api.world import Person, World


@pytest_asyncio.fixture(loop_scope="package")
async def world(world: World) -> World:
    world.provider.offered = OFFERED
    return world


@pytest.mark.parametrize(
    ("request_", "estimate_usd"),
    [
        ({"kind": "text"} | TEXT, 0.1),
        ({"kind": "text"} | TEXT | {"stream": True, "system": "Be brief."}, 0.1),
        ({"kind": "text"} | UNPRICED, None),
        ({"kind": "text"} | TEXT | {"model": "nobody/has-this"}, None),
        ({"kind": "image"} | IMAGE, 0.04),
        ({"kind": "image"} | IMAGE | {"n": 3, "image_url": "https://example.org/fox.png"}, 0.12),
        ({"kind": "image"} | IMAGE | {"model": VIDEO["model"]}, None),
        ({"kind": "video"} | VIDEO, 0.2),
        ({"kind": "video"} | VIDEO | {"duration": 8, "resolution": "1080p"}, 0.8),
        ({"kind": "video"} | VIDEO | {"duration": None, "resolution": None}, 0.8),
        ({"kind": "video"} | VIDEO | {"image_url": "https://example.org/fox.png"}, 0.2),
        ({"kind": "video"} | VIDEO | {"model": "nobody/has-this"}, None),
    ],
)
async def test_a_quote_is_what_the_prices_tell_and_null_if_they_do_not(
    world: World, ann: Person, request_: dict[str, Any], estimate_usd: float | None
) -> None:
    response = await ann.post("/generate/quote", request_)
    assert assert_json(response) == {"estimate_usd": estimate_usd}
    assert await spent_and_reserved(ann) == (0, 0)
    assert not world.provider.text_requests
    assert not world.provider.image_requests
    assert not world.provider.submissions


async def test_a_quote_says_what_a_limit_would_object_to(root: Person, ann: Person) -> None:
    path = f"/users/{ann.id}/limits"
    quoted = {"kind": "video"} | VIDEO
    for usd_day, is_enough in ((0.2, True), (0.19, False), (None, True)):
        await root.put(path, {"usd_day": usd_day, "usd_month": None})
        answer = assert_json(await ann.post("/generate/quote", quoted))
        assert (answer["estimate_usd"], "objection" not in answer) == (0.2, is_enough)
    await root.put(path, {"usd_day": 0.19, "usd_month": None})
    said = assert_json(await ann.post("/generate/quote", quoted))["objection"]
    refused = assert_problem(await ann.post("/generate/video", VIDEO), 402, "spend_limit_reached")
    assert said == refused["detail"]
    unpriced = assert_json(await ann.post("/generate/quote", {"kind": "text"} | UNPRICED))
    assert unpriced == {"estimate_usd": None}, "it may take all that is left"


@pytest.mark.parametrize(
    "request_",
    [
        TEXT,
        {"kind": "song"} | TEXT,
        {"kind": "text"} | TEXT | {"n": 2},
        {"kind": "text"} | TEXT | {"max_tokens": 0},
        {"kind": "image"} | IMAGE | {"n": 11},
        {"kind": "image", "prompt": "A fox"},
        {"kind": "video"} | VIDEO | {"duration": "4"},
        {"kind": "video"} | VIDEO | {"prompt": ""},
    ],
)
async def test_what_could_not_be_generated_is_not_quoted(
    ann: Person, request_: dict[str, Any]
) -> None:
    assert_problem(await ann.post("/generate/quote", request_), 422, "invalid_request")


async def test_nobody_gets_a_quote_without_a_token(world: World) -> None:
    response = await world.anonymous.post("/generate/quote", {"kind": "text"} | TEXT)
    assert_problem(response, 401, "unauthenticated")


UNSUPPORTED: list[tuple[str, Any, list[str]]] = [
    ("duration", 5, ["4", "8"]),
    ("aspect_ratio", "1:1", ["16:9", "9:16"]),
    ("resolution", "4K", ["720p", "1080p"]),
]


@pytest.mark.parametrize(("field", "value", "allowed"), UNSUPPORTED)
@pytest.mark.parametrize(
    ("path", "more"),
    [
        ("/generate/video", {}),
        ("/generate/video/from-image", {"image_url": "https://example.org/fox.png"}),
        ("/generate/quote", {"kind": "video"}),
    ],
)
async def test_what_a_model_does_not_offer_is_refused_with_what_it_does(
    world: World, ann: Person, path: str, more: Any, field: str, value: Any, allowed: list[str]
) -> None:
    response = await ann.post(path, VIDEO | more | {field: value})
    problem = assert_problem(response, 422, "invalid_request")
    assert problem["errors"][0]["loc"] == ["body", field]
    assert all(word in problem["detail"] for word in allowed)
    assert await claims(world) == ()
    assert await spent_and_reserved(ann) == (0, 0)


async def test_of_a_model_that_is_not_listed_anything_may_be_asked(ann: Person) -> None:
    body = VIDEO | {"model": "nobody/has-this", "duration": 5, "resolution": "4K"}
    assert_json(await ann.post("/generate/video", body), 202)
