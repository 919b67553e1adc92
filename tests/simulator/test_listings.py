"""The three listings of models."""

from typing import Any

import httpx
import pytest

from aigen.adapters.openrouter.simulator.catalogue import MODELS


async def ids(client: httpx.AsyncClient, path: str) -> list[str]:
    return [model["id"] for model in (await client.get(path)).json()["data"]]


async def test_only_models_that_write_are_listed_by_default(client: httpx.AsyncClient) -> None:
    listed = await ids(client, "/models")
    assert "openai/gpt-4o-mini" in listed
    assert "google/gemini-2.5-flash-image" in listed
    assert "black-forest-labs/flux.2-pro" not in listed
    assert "google/veo-3.1" not in listed


@pytest.mark.parametrize(
    ("query", "count"),
    [
        ("output_modalities=text", 10),
        ("output_modalities=image", 8),
        ("output_modalities=video", 6),
        ("output_modalities=image,video", 14),
        ("output_modalities=all", len(MODELS)),
        ("output_modalities=embeddings", 0),
        ("output_modalities=image&input_modalities=image", 7),
        ("supported_parameters=structured_outputs", 1),
        ("q=gemini", 3),
    ],
)
async def test_models_are_filtered(client: httpx.AsyncClient, query: str, count: int) -> None:
    page = (await client.get(f"/models?{query}")).json()
    assert (len(page["data"]), page["total_count"]) == (count, count)


async def test_models_come_in_pages(client: httpx.AsyncClient) -> None:
    listed: list[str] = []
    following = "/api/v1/models?output_modalities=all&limit=8"
    while following:
        page: dict[str, Any] = (await client.get(client.base_url.join(following))).json()
        listed += [model["id"] for model in page["data"]]
        following = page["links"]["next"]
    assert listed == [model.id for model in MODELS]


@pytest.mark.parametrize("query", ["limit=0", "limit=1001", "limit=x", "offset=-1"])
async def test_bad_pages_are_400(client: httpx.AsyncClient, query: str) -> None:
    assert (await client.get(f"/models?{query}")).status_code == 400


async def test_prices_are_strings_per_token(client: httpx.AsyncClient) -> None:
    first = (await client.get("/models?q=gpt-4o-mini")).json()["data"][0]
    assert first["pricing"]["prompt"] == "0.00000015"
    assert first["architecture"]["modality"] == "text+image+file->text"


async def test_images_have_a_listing_of_their_own(client: httpx.AsyncClient) -> None:
    models = {model["id"]: model for model in (await client.get("/images/models")).json()["data"]}
    assert len(models) == 8
    gpt = models["openai/gpt-5-image"]
    assert gpt["supports_streaming"]
    assert gpt["supported_parameters"]["n"] == {"type": "range", "min": 1, "max": 10}
    assert not {"size", "aspect_ratio", "output_format"} & set(gpt["supported_parameters"])
    assert models["black-forest-labs/flux.2-pro"]["supported_parameters"]["seed"] == {
        "type": "boolean"
    }
    endpoints = (await client.get(gpt["endpoints"].removeprefix("/api/v1"))).json()
    assert endpoints["endpoints"][0]["pricing"][0]["cost_usd"] == 0.19
    flux = models["black-forest-labs/flux.2-pro"]
    endpoints = (await client.get(flux["endpoints"].removeprefix("/api/v1"))).json()
    variants = [price.get("variant") for price in endpoints["endpoints"][0]["pricing"]]
    assert variants == ["1k", "2k", None]


async def test_endpoints_of_others_are_404(client: httpx.AsyncClient) -> None:
    response = await client.get("/images/models/openai/gpt-4o-mini/endpoints")
    assert response.status_code == 404


async def test_videos_have_a_listing_of_their_own(client: httpx.AsyncClient) -> None:
    listed = await ids(client, "/videos/models")
    assert len(listed) == 6
    models = {model["id"]: model for model in (await client.get("/videos/models")).json()["data"]}
    assert models["google/veo-3.1"]["supported_durations"] == [8, 4, 6]
    assert models["minimax/hailuo-2.3"]["pricing_skus"] == {
        "generate": "0.28",
        "generate-1080p": "0.49",
    }
    assert models["openai/sora-2"]["supported_frame_images"] == ["first_frame"]
    assert models["google/veo-3.1-lite"]["supported_sizes"] is None
