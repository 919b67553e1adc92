"""What a picture costs: asked model by model, and merged into the list."""

import asyncio
import json
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given

from aigen.adapters.openrouter import catalogue as catalogue_module
from aigen.adapters.openrouter.catalogue import OpenRouterCatalogue
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.picture_prices import picture_prices
from aigen.domain.model.catalogue import Model
from aigen.domain.model.estimates import estimate
from aigen.domain.model.images import ImageRequest
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, http
from tests.openrouter.test_wire import JSON


def line(
    usd: object, billable: object = "output_image", unit: object = "image", variant: object = None
) -> dict[str, object]:
    priced = {"billable": billable, "unit": unit, "cost_usd": usd}
    return priced if variant is None else priced | {"variant": variant}


def told(*endpoints: object) -> dict[str, Any]:
    return {"id": "m/i", "endpoints": [{"pricing": lines} for lines in endpoints]}


def read(*endpoints: object) -> dict[str, str]:
    prices = picture_prices(json.dumps(told(*endpoints)).encode())
    assert prices is not None
    return {price.per: str(price.usd) for price in prices}


def quoted(model: Model, n: int = 1, image_size: str | None = None) -> Decimal | None:
    return estimate(ImageRequest(model=model.id, prompt="a fox", n=n, image_size=image_size), model)


# --- against the simulator --------------------------------------------------------------------


async def test_every_model_of_the_simulator_can_be_quoted(clients: OpenRouterClients) -> None:
    models = {model.id: model for model in await OpenRouterCatalogue(clients).models()}
    draw = [model for model in models.values() if "image" in model.output]
    assert len(draw) == 8
    assert all(quoted(model) for model in draw)
    flux = models["black-forest-labs/flux.2-pro"]
    assert [quoted(flux, 2, size) for size in (None, "1K", "2K")] == [
        Decimal(usd) for usd in ("0.15", "0.06", "0.15")
    ]
    assert quoted(models["google/gemini-2.5-flash-image"], 3) == Decimal("0.117")
    assert flux.price("input_text") == Decimal("0.000002")
    texts = [model for model in models.values() if model.output == ("text",)]
    assert not any("output" in price.per for model in texts for price in model.pricing)


# --- what the endpoints say -------------------------------------------------------------------


def test_prices_are_named_by_what_is_billed_and_in_which_unit() -> None:
    assert read(
        [
            line(0.04),
            line(0.05, variant="2K"),
            line(0.06, variant="4k"),
            line(0.07, variant="hd"),
            line(0.03, unit="megapixel"),
            line(0.02, unit="megapixel", variant="1.5k"),
            line(3e-05, unit="token"),
            line(2e-06, "input_text", "token"),
            line(8e-06, "input_image", "token"),
            line(0.003, "input_image"),
            line(0.2, "input_reference"),
            line(0.01, "input_font", "request"),
            line(0.5, "output_image", "request"),
        ]
    ) == {
        "output_image": "0.04",
        "output_image 2K": "0.05",
        "output_image 4K": "0.06",
        "output_image hd": "0.07",
        "output_megapixel": "0.03",
        "output_megapixel 1.5K": "0.02",
        "output_image_per_token": "0.00003",
        "input_text": "0.000002",
        "input_image_per_token": "0.000008",
        "input_image": "0.003",
        "input_reference": "0.2",
        "input_font_per_request": "0.01",
        "output_image_per_request": "0.5",
    }


@pytest.mark.parametrize(
    ("lines", "expected"),
    [
        # Per token, as GPT and Gemini have it: what a picture costs is not known.
        ([line(3e-05, unit="token")], None),
        ([line(3e-05, unit="token", variant="1K")], None),
        ([line(0)], None),
        ([line(0, variant="1K")], None),
        ([line(1, "output_image 1K", "token")], None),
        ([line(1, "output", "megapixel")], None),
        ([line(1, "input_image")], None),
        ([line(1, unit=None)], None),
        ([line(0.04), line(0, variant="1K")], "0.04"),
        ([line(0.014, unit="megapixel")], "0.014"),
    ],
)
def test_only_the_price_of_a_picture_is_taken_for_one(lines: object, expected: str | None) -> None:
    prices = picture_prices(json.dumps(told(lines)).encode()) or ()
    usd = quoted(Model(id="m/i", name="M", pricing=prices), image_size="1K")
    assert usd == (None if expected is None else Decimal(expected))


def test_of_several_endpoints_the_dearest_counts() -> None:
    assert read([line(0.04), line(0.1, variant="4K")], [line(0.05), line(0.02)]) == {
        "output_image": "0.05",
        "output_image 4K": "0.1",
    }


def test_an_endpoint_without_variants_has_the_same_price_for_all() -> None:
    assert read([line(0.04)], [line(0.03, variant="1k"), line(0.06, variant="2k")]) == {
        "output_image": "0.04",
        "output_image 1K": "0.04",
        "output_image 2K": "0.06",
    }


@pytest.mark.parametrize(
    "usd", [-1, "-1", None, True, "x", "", [], {}, 1e9, "nan", "9" * 60, float("inf"), float("nan")]
)
def test_a_price_that_is_none_is_dropped(usd: object) -> None:
    assert read([line(usd), line(0.04, variant="2K")], [line(usd)]) == {"output_image 2K": "0.04"}


@pytest.mark.parametrize(
    "body", [b"", b"<html>", b"[]", b"{}", b'{"endpoints": {}}', b'{"endpoints": [', b"[" * 10**5]
)
def test_what_cannot_be_read_is_no_list_of_prices(body: bytes) -> None:
    assert picture_prices(body) is None


def test_there_is_an_end_to_them() -> None:
    lines = [line(1, variant=f"v{number}" + "x" * 500) for number in range(300)]
    for endpoints in ([lines], [[one] for one in lines], [lines[:150], lines[150:]]):
        prices = picture_prices(json.dumps(told(*endpoints)).encode()) or ()
        assert len(prices) == 200
        assert max(len(price.per) for price in prices) < 100


@given(JSON)
def test_no_answer_is_too_strange(value: Any) -> None:
    for strange in (
        value,
        {"endpoints": value},
        told(value),
        told([value]),
        told([line(1), value]),
    ):
        prices = picture_prices(json.dumps(strange).encode())
        assert all(price.usd > 0 and price.per for price in prices or ())


# --- merged into the list ---------------------------------------------------------------------

ZEROS = {"prompt": "0", "completion": "0", "image": "0", "request": "0"}


def drawing(model_id: str, pricing: object = None) -> dict[str, Any]:
    return {
        "id": model_id,
        "architecture": {"output_modalities": ["image"]},
        "pricing": pricing or ZEROS,
    }


class Provider:
    """Lists these models, and answers each question for the prices of one with what is given for
    it; `None` keeps it waiting."""

    def __init__(self, *listed: dict[str, Any], **answers: bytes | None) -> None:
        self._listed = listed
        self._answers = answers
        self.asked: list[str] = []
        self.at_once = 0
        self.most_at_once = 0

    async def handle(self, connection: Connection) -> None:
        seen = await connection.request()
        path = seen.target.removeprefix("/api/v1").partition("?")[0]
        assert seen.headers["authorization"] == f"Bearer {KEY}"
        if not path.endswith("/endpoints"):
            data = self._listed if path == "/models" else ()
            await connection.send(http(200, {"data": list(data)}))
            return
        self.asked.append(path)
        self.at_once += 1
        self.most_at_once = max(self.most_at_once, self.at_once)
        name = path.removesuffix("/endpoints").rpartition("/")[2]
        answer = self._answers.get(name, http(200, told([line(0.04)])))
        await (connection.hold() if answer is None else connection.send(answer))
        self.at_once -= 1


async def models_of(connect: Connect, serve: Serve, provider: Provider) -> dict[str, Model]:
    server = await serve(provider.handle)
    models = await OpenRouterCatalogue(connect(server.url)).models()
    return {model.id: model for model in models}


async def test_only_models_that_draw_are_asked_for_and_no_address_can_be_made_up(
    connect: Connect, serve: Serve
) -> None:
    writing = {"id": "m/t", "architecture": {"output_modalities": ["text"]}}
    strange = ["m", "m/", "/m", "../key", "m/..", "./m", "m/a\nb"]
    provider = Provider(
        drawing("m/a"), writing, drawing("m/b:free?x=1#y"), drawing("m/c/d"), *map(drawing, strange)
    )
    models = await models_of(connect, serve, provider)
    assert sorted(provider.asked) == [
        "/images/models/m/a/endpoints",
        "/images/models/m/b:free%3Fx=1%23y/endpoints",
        "/images/models/m/c%2Fd/endpoints",
    ]
    assert quoted(models["m/a"]) == Decimal("0.04")
    assert [quoted(models[model_id]) for model_id in strange] == [None] * len(strange)


async def test_they_come_beside_the_other_prices_and_zeros_go(
    connect: Connect, serve: Serve
) -> None:
    plain = ZEROS | {"image_output": "0.00003", "output_image": "9"}
    models = await models_of(connect, serve, Provider(drawing("m/a", plain)))
    pricing = {price.per: str(price.usd) for price in models["m/a"].pricing}
    assert pricing == {"image_output": "0.00003", "output_image": "0.04"}


async def test_a_model_that_writes_may_be_free(connect: Connect, serve: Serve) -> None:
    writing = {"id": "m/t", "architecture": {"output_modalities": ["text"]}, "pricing": ZEROS}
    models = await models_of(connect, serve, Provider(writing))
    assert models["m/t"].price("prompt_token") == 0


BROKEN = [http(500), http(403), http(200, b"<html>"), http(200, {}), http(302), b"", b"nonsense"]


@pytest.mark.parametrize("broken", BROKEN)
async def test_one_that_fails_leaves_the_others_theirs(
    connect: Connect, serve: Serve, broken: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    provider = Provider(drawing("m/a"), drawing("m/b"), b=broken)
    models = await models_of(connect, serve, provider)
    assert quoted(models["m/a"]) == Decimal("0.04")
    assert quoted(models["m/b"]) is None
    assert models["m/b"].pricing == ()
    (record,) = caplog.records
    assert record.args == (1, "m/b")


async def test_a_model_that_draws_in_chats_alone_is_no_failure(
    connect: Connect, serve: Serve, caplog: pytest.LogCaptureFixture
) -> None:
    models = await models_of(connect, serve, Provider(drawing("m/a"), a=http(404)))
    assert quoted(models["m/a"]) is None
    assert not caplog.records


async def test_few_are_asked_for_at_once(connect: Connect, serve: Serve) -> None:
    provider = Provider(*(drawing(f"m/{number}") for number in range(30)))
    models = await models_of(connect, serve, provider)
    assert all(quoted(model) for model in models.values())
    assert len(provider.asked) == 30
    assert provider.most_at_once <= 8


async def test_a_provider_that_does_not_answer_does_not_hold_up_the_list(
    connect: Connect, serve: Serve, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(catalogue_module, "_PRICES_TIMEOUT", timedelta(seconds=0.5))
    names = [f"x{number}" for number in range(20)]
    silent = [drawing(f"m/{name}") for name in names]
    provider = Provider(drawing("m/a"), *silent, **dict.fromkeys(names))
    async with asyncio.timeout(5):
        models = await models_of(connect, serve, provider)
    assert len(models) == 21
    assert quoted(models["m/a"]) == Decimal("0.04")
    assert quoted(models["m/x0"]) is None
