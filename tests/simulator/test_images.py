"""POST /images and the legacy POST /images/generations."""

import base64
import struct
from collections.abc import Awaitable, Callable
from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator import RunningSimulator

Ask = Callable[..., Awaitable[httpx.Response]]

SEEDREAM = {"model": "bytedance-seed/seedream-4.5"}
PRO = {"model": "google/gemini-3-pro-image"}
PIXEL = {"type": "image_url", "image_url": {"url": "data:image/png;base64,YSBwaWN0dXJl"}}


def pictures_of(response: httpx.Response) -> list[bytes]:
    return [base64.b64decode(item["b64_json"], validate=True) for item in response.json()["data"]]


def size_of(response: httpx.Response) -> tuple[int, ...]:
    return struct.unpack(">2I", pictures_of(response)[0][16:24])


@pytest.mark.parametrize(
    ("asked", "size"),
    [
        ({}, (1024, 1024)),
        ({"aspect_ratio": "16:9"}, (1344, 768)),
        (PRO | {"resolution": "2K", "aspect_ratio": "9:16"}, (1536, 2688)),
        (PRO | {"size": "4K"}, (4096, 4096)),
        (SEEDREAM, (2048, 2048)),
        (SEEDREAM | {"size": "2688x1536"}, (2688, 1536)),
        (SEEDREAM | {"size": "2688x1536", "aspect_ratio": "16:9"}, (2688, 1536)),
        ({"model": "openai/dall-e-3", "size": "1792x1024"}, (1792, 1024)),
    ],
)
async def test_a_picture_has_the_pixels_asked_for(
    image: Ask, asked: dict[str, Any], size: tuple[int, int]
) -> None:
    assert size_of(await image("a fox", **asked)) == size


@pytest.mark.parametrize(
    "asked",
    [
        SEEDREAM | {"size": "2688x1536", "aspect_ratio": "1:1"},
        SEEDREAM | {"size": "2688x1536", "resolution": "4K"},
        PRO | {"size": "2K", "resolution": "4K"},
        PRO | {"size": "512"},
        PRO | {"size": "1000x1000"},
        {"resolution": "2K"},
        {"resolution": "8K"},
        {"aspect_ratio": "7:3"},
        {"model": "openai/gpt-5-image", "aspect_ratio": "16:9"},
        {"quality": "high"},
        {"output_format": "webp"},
        {"n": 2},
        {"n": 0},
        {"n": 11},
        {"seed": 1.5},
        {"input_references": ["data:image/png;base64,YQ=="]},
        {"input_references": [PIXEL] * 4},
        {"input_references": [PIXEL] * 17},
        {"model": "openai/dall-e-3", "input_references": [PIXEL]},
        {"model": "openai/gpt-4o-mini"},
        {"model": "nobody/nothing"},
        {"prompt": ""},
        {"prompt": None},
        {"prompt": 7},
    ],
)
async def test_what_the_model_cannot_do_is_400(image: Ask, asked: dict[str, Any]) -> None:
    response = await image("a fox", **asked)
    assert response.status_code == 400
    assert response.json()["error"]["message"]


async def test_pictures_follow_from_the_request(image: Ask) -> None:
    flux = {"model": "black-forest-labs/flux.2-pro"}
    first, again = [pictures_of(await image("a fox", **flux)) for _ in range(2)]
    assert first == again
    others = [
        await image("a hen", **flux),
        await image("a fox", **flux, seed=7),
        await image("a fox", **flux, input_references=[PIXEL]),
    ]
    assert all(pictures_of(other) != first for other in others)


async def test_the_cost_is_that_of_all_pictures_at_their_resolution(image: Ask) -> None:
    response = await image("a fox", **SEEDREAM, n=3, resolution="4K", aspect_ratio="21:9")
    assert response.json()["usage"]["cost"] == pytest.approx(3 * 0.06, abs=0.001)


async def test_a_model_that_does_not_stream_ignores_the_wish(image: Ask) -> None:
    response = await image("a fox", stream=True)
    assert response.headers["Content-Type"] == "application/json"


async def test_pictures_can_be_as_heavy_as_real_ones(image: Ask, running: RunningSimulator) -> None:
    running.simulator.change(image_bytes=2_000_000)
    (picture,) = pictures_of(await image("a fox"))
    assert len(picture) >= 2_000_000
    assert picture.endswith(b"IEND\xaeB`\x82")


async def test_the_generation_id_is_told_if_switched_on(
    image: Ask, running: RunningSimulator, client: httpx.AsyncClient
) -> None:
    assert "X-Generation-Id" not in (await image("a fox")).headers
    running.simulator.change(generation_id_on_images=True, generation_misses=0)
    response = await image("a fox")
    found = await client.get("/generation", params={"id": response.headers["X-Generation-Id"]})
    assert found.json()["data"]["api_type"] == "image"
    assert found.json()["data"]["total_cost"] == response.json()["usage"]["cost"]


@pytest.fixture
def legacy(client: httpx.AsyncClient, running: RunningSimulator) -> Ask:
    running.simulator.change(legacy_images=True)

    async def ask(prompt: str, /, **more: Any) -> httpx.Response:
        body = {"model": "dall-e-3", "prompt": prompt} | more
        return await client.post("/images/generations", json=body)

    return ask


async def test_the_legacy_route_is_404_as_at_openrouter(client: httpx.AsyncClient) -> None:
    response = await client.post("/images/generations", json={"prompt": "a fox"})
    assert response.status_code == 404
    assert response.json()["error"]["code"] == 404


async def test_the_legacy_url_shows_the_picture_without_a_key(
    legacy: Ask, client: httpx.AsyncClient
) -> None:
    (item,) = (await legacy("a fox", size="1792x1024")).json()["data"]
    assert item["revised_prompt"]
    del client.headers["Authorization"]
    shown = await client.get(item["url"])
    assert shown.headers["Content-Type"] == "image/png"
    assert struct.unpack(">2I", shown.content[16:24]) == (1792, 1024)
    assert (await client.get(item["url"].replace("1792", "1793"))).status_code == 403
    assert (await client.get(item["url"].partition("?")[0])).status_code == 403


async def test_the_legacy_picture_comes_as_base64_if_asked(legacy: Ask) -> None:
    response = await legacy("a fox", response_format="b64_json")
    assert size_of(response) == (1024, 1024)
    assert pictures_of(await legacy("a fox", model="gpt-5-image"))


@pytest.mark.parametrize(
    ("more", "param"),
    [
        ({"n": 2}, "n"),
        ({"size": "512x512"}, "size"),
        ({"prompt": "x" * 4001}, "prompt"),
        ({"style": "sober"}, "style"),
        ({"model": "dall-e-9"}, "model"),
    ],
)
async def test_legacy_errors_have_openais_shape(
    legacy: Ask, more: dict[str, Any], param: str
) -> None:
    response = await legacy("a fox", **more)
    error = response.json()["error"]
    assert response.status_code == 400
    assert set(error) == {"message", "type", "param", "code"}
    assert (error["type"], error["param"]) == ("invalid_request_error", param)


async def test_gpt_models_know_no_response_format(legacy: Ask) -> None:
    response = await legacy("a fox", model="gpt-5-image", response_format="b64_json")
    assert response.json()["error"]["code"] == "unknown_parameter"


async def test_keywords_work_on_the_legacy_route(legacy: Ask) -> None:
    assert (await legacy("a fox sim:refuse")).status_code == 400
    assert (await legacy("a fox sim:empty")).json()["data"] == []
