"""Pictures through the SDK: made and edited, as base64 or links, kept in our own storage."""

import base64
from decimal import Decimal
from typing import Any

import pytest

from aigen.adapters.memory.provider import PNG
from aigen.adapters.openrouter.simulator import RunningSimulator
from aigen.domain.model.images import Image
from aigen.domain.model.ledger import ChargeState, Limits
from aigen.domain.model.media import MediaType, type_of
from aigen.ports.store import HistoryQuery
from openai import APIStatusError, BadRequestError
from tests.openai.conftest import Shop

FLUX = "black-forest-labs/flux.2-pro"
GEMINI = "google/gemini-2.5-flash-image"


async def history(shop: Shop) -> list[Image]:
    page = await shop.world.aigen.images.list(HistoryQuery(user_id=shop.ann.id))
    return list(page.items)


async def test_pictures_come_as_base64_and_are_kept(shop: Shop) -> None:
    answer = await shop.client.images.generate(model=FLUX, prompt="A fox", n=2)
    assert answer.data is not None
    contents = [base64.b64decode(picture.b64_json or "") for picture in answer.data]
    assert [type_of(content) for content in contents] == [MediaType.PNG] * 2
    assert all(picture.url is None for picture in answer.data)
    (kept,) = await history(shop)
    files = [await shop.world.aigen.media.read(picture) for picture in kept.pictures]
    assert files == contents
    (charge,) = await shop.charges()
    assert (charge.state, charge.cost_usd) == (ChargeState.SETTLED, kept.cost_usd)


async def test_they_come_as_links_if_that_is_wanted(shop: Shop) -> None:
    answer = await shop.client.images.generate(
        model=FLUX, prompt="A fox", response_format="url", quality="high", user="somebody"
    )
    assert answer.data is not None
    (picture,) = answer.data
    assert picture.b64_json is None
    assert picture.url is not None
    file = await shop.world.http.get(picture.url)
    assert file.headers["content-type"] == "image/png"


@pytest.mark.parametrize(
    ("size", "pixels"),
    [
        ("1024x1024", (1024, 1024)),
        ("1536x1024", (1248, 832)),
        ("1024x1792", (768, 1344)),
        ("2048x2048", (2048, 2048)),
        ("auto", (1024, 1024)),
    ],
)
async def test_a_size_is_the_nearest_shape_that_the_model_has(
    shop: Shop, size: Any, pixels: tuple[int, int]
) -> None:
    await shop.client.images.generate(model=FLUX, prompt="A fox", size=size)
    (kept,) = await history(shop)
    assert [(picture.width, picture.height) for picture in kept.pictures] == [pixels]


async def test_a_picture_is_edited(shop: Shop) -> None:
    before = await shop.client.images.generate(model=GEMINI, prompt="A fox")
    assert before.data is not None
    content = base64.b64decode(before.data[0].b64_json or "")
    for image in (content, [content]):
        answer = await shop.client.images.edit(
            model=GEMINI, prompt="Make it night", image=image, size="1024x1024"
        )
        assert answer.data is not None
        assert base64.b64decode(answer.data[0].b64_json or "") != content
    edited, *_ = await history(shop)
    assert edited.input_image is not None
    assert edited.input_image.stored is not None
    assert await shop.world.aigen.media.read(edited.input_image.stored) == content


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"image": b"no picture"}, "image"),
        ({"image": [PNG, PNG]}, "image"),
        ({"image": PNG, "mask": PNG}, "mask"),
        ({"image": PNG, "size": "large"}, "size"),
        ({"image": PNG, "n": 11}, "n"),
        ({"image": PNG, "stream": True}, "stream"),
    ],
)
async def test_what_cannot_be_edited_is_refused(
    shop: Shop, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        await shop.client.images.edit(model=GEMINI, prompt="Make it night", **fields)
    assert (caught.value.code, caught.value.param) == ("invalid_request", param)


async def test_a_repeat_with_other_boundaries_is_a_repeat(
    shop: Shop, simulator: RunningSimulator
) -> None:
    answers = [
        await shop.client.images.edit(
            model=GEMINI,
            prompt="Make it night",
            image=PNG,
            extra_headers={"Idempotency-Key": "a-key"},
        )
        for _ in range(2)
    ]
    assert answers[0] == answers[1]
    assert len(await history(shop)) == 1


async def test_a_cap_is_kept(shop: Shop) -> None:
    await shop.world.aigen.money.set_limits(Limits(owner=shop.ann.id, usd_day=Decimal("0.001")))
    with pytest.raises(APIStatusError) as caught:
        await shop.client.images.generate(model=FLUX, prompt="A fox")
    assert (caught.value.status_code, caught.value.code) == (402, "spend_limit_reached")
    assert await history(shop) == []
