"""The models on offer, and the question whether our key is good."""

import logging
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from aigen.adapters.openrouter.catalogue import OpenRouterCatalogue
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.listings import merged
from aigen.adapters.openrouter.simulator import SimulatorOptions, serve_simulator
from aigen.domain.model.catalogue import Model, Price
from aigen.domain.model.errors import ProviderUnavailable
from aigen.ports.provider import Misconfigured
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, Handler, http
from tests.openrouter.test_wire import JSON


def prices(**usd: str) -> tuple[Price, ...]:
    return tuple(Price(per=per.replace("__", "-"), usd=Decimal(text)) for per, text in usd.items())


async def test_all_kinds_are_merged_into_one_list(clients: OpenRouterClients) -> None:
    models = await OpenRouterCatalogue(clients).models()
    by_id = {model.id: model for model in models}
    assert len(by_id) == len(models)
    text, image = by_id["openai/gpt-4o-mini"], by_id["google/gemini-3-pro-image"]
    film = by_id["google/veo-3.1-lite"]
    assert text.output == ("text",)
    assert text.image_input
    assert text.pricing[:2] == prices(prompt_token="0.00000015", completion_token="0.0000006")
    assert (text.durations, text.aspect_ratios, text.sizes) == (None, None, None)
    assert image.output == ("image", "text")
    assert image.resolutions == ("1K", "2K", "4K")
    assert "16:9" in (image.aspect_ratios or ())
    assert film.output == ("video",)
    assert film.durations == (4, 6, 8)
    assert film.aspect_ratios == ("16:9", "9:16")
    assert film.image_input
    assert film.pricing == prices(per__video__second="0.05", per__video__second__1080p="0.08")


# --- listings that fail -----------------------------------------------------------------------

TEXT = {"id": "m/t", "architecture": {"output_modalities": ["text"]}}
IMAGE = {"id": "m/i"}
VIDEO = {"id": "m/v"}


def listings(**answers: bytes) -> Handler:
    async def handle(connection: Connection) -> None:
        seen = await connection.request()
        if seen.target.endswith("/endpoints"):
            await connection.send(http(404))
            return
        name = seen.target.removeprefix("/api/v1/").replace("/models", "").partition("?")
        plain = name[0] == "models" and not name[2]
        await connection.send(answers["plain" if plain else name[0]])

    return handle


GOOD = {
    "models": http(200, {"data": [TEXT]}),
    "plain": http(200, {"data": [TEXT]}),
    "images": http(200, {"data": [IMAGE]}),
    "videos": http(200, {"data": [VIDEO]}),
}


@pytest.mark.parametrize(
    "broken",
    [http(500), http(404), http(200, b"<html>"), http(200, {"data": {}}), http(200, {}), b""],
)
async def test_one_list_that_fails_does_not_lose_the_others(
    connect: Connect, serve: Serve, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.WARNING)

    async def known(**broken: bytes) -> list[str]:
        server = await serve(listings(**(GOOD | broken)))
        models = await OpenRouterCatalogue(connect(server.url)).models()
        return [model.id for model in models]

    assert await known() == ["m/t", "m/i", "m/v"]
    assert not caplog.records
    assert await known(images=broken) == ["m/t", "m/v"]
    assert await known(videos=broken) == ["m/t", "m/i"]
    assert await known(models=broken) == ["m/t", "m/i", "m/v"]
    assert [record.args[0] for record in caplog.records if record.args] == [  # type: ignore[index]
        "/images/models",
        "/videos/models",
        "/models?output_modalities=all",
    ]
    with pytest.raises(ProviderUnavailable):
        await known(models=broken, plain=broken)
    assert KEY not in caplog.text


async def test_a_provider_that_is_away_is_unavailable(connect: Connect) -> None:
    async with serve_simulator() as running:
        url = running.url
    with pytest.raises(ProviderUnavailable):
        await OpenRouterCatalogue(connect(url)).models()


# --- entries of many shapes -------------------------------------------------------------------


def only(
    everything: list[Any] | None = None,
    images: list[Any] | None = None,
    videos: list[Any] | None = None,
) -> Model:
    (model,) = merged(everything or [], images or [], videos or [])
    return model


def test_a_sparse_entry_is_a_model() -> None:
    assert only([{"id": "m"}]) == Model(id="m", name="m")
    assert only(images=[{"id": "m"}]) == Model(id="m", name="m", output=("image",))
    assert only(videos=[{"id": "m"}]) == Model(id="m", name="m", output=("video",))


@pytest.mark.parametrize("model_id", [None, 7, "", "x" * 201, "a\0", "\ud800", ["m"]])
def test_an_entry_without_an_id_is_none(model_id: object) -> None:
    assert merged([{"id": model_id}], [{"id": model_id}], [{"id": model_id}]) == ()


def test_later_lists_add_and_do_not_take_away() -> None:
    plain = {
        "id": "m",
        "name": "Plain",
        "description": "words",
        "architecture": {"input_modalities": ["text"], "output_modalities": ["image", "text"]},
        "pricing": {"prompt": "0.1", "image_output": "0.2"},
    }
    parameters = {
        "aspect_ratio": {"type": "enum", "values": ["1:1", "16:9"]},
        "resolution": {"type": "enum", "values": ["1K"]},
        "size": {"type": "range", "min": 1, "max": 2},
        "input_references": {"type": "range", "min": 0, "max": 4},
    }
    assert only(
        [plain], [{"id": "m", "name": "Other", "supported_parameters": parameters}]
    ) == Model(
        id="m",
        name="Plain",
        description="words",
        input=("text",),
        output=("image", "text"),
        image_input=True,
        aspect_ratios=("1:1", "16:9"),
        resolutions=("1K",),
        pricing=prices(prompt_token="0.1", image_output="0.2"),
    )


@pytest.mark.parametrize(
    ("output", "is_kept"),
    [(["text"], True), (["image"], False), (["text", "image"], False), (["video"], False)],
)
def test_tokens_for_nothing_do_not_make_pictures_and_films_free(
    output: list[str], is_kept: bool
) -> None:
    zeros = {"prompt": "0", "request": "0.00", "image": 0}
    entry = {"id": "m", "architecture": {"output_modalities": output}, "pricing": zeros}
    assert bool(only([entry]).pricing) == is_kept
    assert not only(images=[{"id": "m", "pricing": zeros}]).pricing


@pytest.mark.parametrize(
    "price", ["-1", "x", "", "nan", "inf", "1e9", None, True, {}, [], "9" * 99]
)
def test_a_price_that_is_none_is_dropped(price: object) -> None:
    pricing = {"prompt": price, "completion": "0.5", "discount": 0.1, "": "1"}
    assert only([{"id": "m", "pricing": pricing}]).pricing == prices(completion_token="0.5")
    skus = {"per-video-second": price, "generate": "0.00000000001"}
    film = only(videos=[{"id": "m", "pricing_skus": skus}])
    assert film.pricing == (Price(per="generate", usd=Decimal("1e-11")),)


@pytest.mark.parametrize(
    ("told", "durations"),
    [
        ([8, 4, 6, 4], (4, 6, 8)),
        ([True, 5, "6", None, 0, -1, 10**9, 7.5], (5,)),
        (None, None),
        ([], None),
        ("4", None),
        ({"4": 1}, None),
    ],
)
def test_film_lengths_are_whole_and_ascending(told: object, durations: object) -> None:
    assert only(videos=[{"id": "m", "supported_durations": told}]).durations == durations


@given(JSON, JSON, JSON)
def test_no_listing_is_too_strange(everything: Any, images: Any, videos: Any) -> None:
    def entries(value: Any) -> list[Any]:
        named = value | {"id": "m"} if isinstance(value, dict) else value
        return [value, named]

    assert len(merged(entries(everything), entries(images), entries(videos))) <= 8


# --- the key ----------------------------------------------------------------------------------


async def test_a_good_key_is_no_trouble(connect: Connect) -> None:
    async with serve_simulator(SimulatorOptions(api_key=KEY)) as running:
        assert await OpenRouterCatalogue(connect(running.url)).check_key() is None


async def test_a_bad_key_is(connect: Connect) -> None:
    async with serve_simulator(SimulatorOptions(api_key="another")) as running:
        trouble = await OpenRouterCatalogue(connect(running.url)).check_key()
        assert trouble == Misconfigured(reason="Invalid API key")
        url = running.url
    assert await OpenRouterCatalogue(connect(url)).check_key() is None  # it cannot be asked


@pytest.mark.parametrize(
    ("status", "is_trouble"), [(200, False), (401, True), (403, True), (402, False), (500, False)]
)
async def test_only_a_refusal_is_trouble(
    connect: Connect, serve: Serve, status: int, is_trouble: bool
) -> None:
    async def handle(connection: Connection) -> None:
        assert (await connection.request()).target == "/api/v1/key"
        await connection.send(http(status))

    server = await serve(handle)
    trouble = await OpenRouterCatalogue(connect(server.url)).check_key()
    assert trouble == (
        Misconfigured(reason=f"the provider answered {status}") if is_trouble else None
    )
