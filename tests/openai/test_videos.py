"""Films through the SDK: ordered, watched, fetched from our own storage, removed."""

from decimal import Decimal
from typing import Any

import httpx
import pytest

from aigen.adapters.memory.provider import PNG
from aigen.domain.model.ledger import ChargeState, Limits
from openai import APIStatusError, BadRequestError, ConflictError, NotFoundError
from tests.openai.conftest import Shop

pytestmark = pytest.mark.filterwarnings("ignore:The Sora API:DeprecationWarning")

VEO: Any = "google/veo-3.1-lite"


async def made(shop: Shop, **fields: Any) -> Any:
    """A job that a worker has done."""
    job = await shop.client.videos.create(model=VEO, prompt="A fox", **fields)
    async with shop.world.aigen.worker():
        await shop.world.aigen.videos.wait(job.id)
    return await shop.client.videos.retrieve(job.id)


async def test_a_film_is_made_and_fetched(shop: Shop) -> None:
    job = await shop.client.videos.create(model=VEO, prompt="A fox", seconds="4", size="1280x720")
    assert (job.object, job.status, job.progress) == ("video", "queued", 0)
    assert (job.seconds, job.size, job.prompt) == ("4", "1280x720", "A fox")
    async with shop.world.aigen.worker():
        await shop.world.aigen.videos.wait(job.id)
    done = await shop.client.videos.retrieve(job.id)
    assert (done.status, done.progress, done.error) == ("completed", 100, None)
    assert done.completed_at is not None
    assert done.completed_at >= done.created_at
    film = await shop.client.videos.download_content(job.id)
    assert film.response.headers["content-type"] == "video/mp4"
    stored = (await shop.world.aigen.videos.get(shop.ann.id, job.id)).media
    assert stored is not None
    assert film.content == await shop.world.aigen.media.read(stored)
    (charge,) = await shop.charges()
    assert (charge.state, charge.cost_usd) == (ChargeState.SETTLED, Decimal("0.2"))


async def test_a_part_of_a_film_can_be_had(shop: Shop) -> None:
    job = await made(shop)
    headers = {"Authorization": f"Bearer {shop.client.api_key}", "Range": "bytes=4-7"}
    async with httpx.AsyncClient(trust_env=False) as http:
        part = await http.get(f"{shop.url}/videos/{job.id}/content", headers=headers)
    assert (part.status_code, part.content) == (206, b"ftyp")


async def test_a_film_that_lies_elsewhere_is_streamed(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    job = await made(shop)
    here = (await shop.client.videos.download_content(job.id)).content

    async def nowhere(_: object, key: str) -> None:
        return None

    # As in a bucket: there is no path, and `stream` does without one.
    media = shop.world.aigen.media
    stored = (await shop.world.aigen.videos.get(shop.ann.id, job.id)).media
    assert stored is not None
    pieces = await media.stream(stored.key)

    async def stream(_: object, key: str) -> object:
        return pieces

    monkeypatch.setattr(type(media), "path", nowhere)
    monkeypatch.setattr(type(media), "stream", stream)
    film = await shop.client.videos.download_content(job.id)
    assert film.content == here
    assert film.response.headers["content-length"] == str(len(here))
    assert film.response.headers["content-type"] == "video/mp4"


@pytest.mark.parametrize("reference", [PNG, ("fox.png", PNG, "image/png")])
async def test_a_film_begins_with_a_picture(shop: Shop, reference: Any) -> None:
    job = await shop.client.videos.create(model=VEO, prompt="A fox", input_reference=reference)
    kept = await shop.world.aigen.videos.get(shop.ann.id, job.id)
    assert kept.first_frame is not None
    assert kept.first_frame.stored is not None
    assert await shop.world.aigen.media.read(kept.first_frame.stored) == PNG


async def test_a_picture_may_be_named(shop: Shop) -> None:
    address = "https://example.org/fox.png"
    job = await shop.client.videos.create(
        model=VEO, prompt="A fox", extra_body={"input_reference": {"image_url": address}}
    )
    kept = await shop.world.aigen.videos.get(shop.ann.id, job.id)
    assert kept.first_frame is not None
    assert kept.first_frame.url == address


async def test_a_request_may_be_json(shop: Shop) -> None:
    body = {"model": VEO, "prompt": "A fox", "seconds": "6", "size": "1080x1920"}
    job = await shop.client.post("/videos", body=body, cast_to=object)
    assert isinstance(job, dict)
    assert (job["seconds"], job["size"]) == ("6", "1080x1920")


async def test_the_list_goes_on_where_it_ended(shop: Shop) -> None:
    jobs = [await shop.client.videos.create(model=VEO, prompt=f"Fox {n}") for n in range(3)]
    page = await shop.client.videos.list(limit=2)
    assert page.has_more
    assert [job.id async for job in page] == [job.id for job in reversed(jobs)]


async def test_a_film_is_deleted(shop: Shop) -> None:
    job = await shop.client.videos.create(model=VEO, prompt="A fox")
    with pytest.raises(ConflictError):
        await shop.client.videos.delete(job.id)
    await shop.world.aigen.videos.cancel(shop.ann.id, job.id)
    cancelled = await shop.client.videos.retrieve(job.id)
    assert cancelled.status == "failed"
    assert cancelled.error is not None
    assert cancelled.error.code == "cancelled"
    gone = await shop.client.videos.delete(job.id)
    assert (gone.id, gone.object, gone.deleted) == (job.id, "video.deleted", True)
    with pytest.raises(NotFoundError):
        await shop.client.videos.retrieve(job.id)


async def test_a_film_that_is_not_there_is_not_found(shop: Shop) -> None:
    job = await shop.client.videos.create(model=VEO, prompt="A fox")
    with pytest.raises(NotFoundError, match="not yet"):
        await shop.client.videos.download_content(job.id)


async def test_why_a_film_failed_is_told(shop: Shop) -> None:
    job = await shop.client.videos.create(model=VEO, prompt="sim:fail=too_many_foxes")
    async with shop.world.aigen.worker():
        await shop.world.aigen.videos.wait(job.id)
    failed = await shop.client.videos.retrieve(job.id)
    assert (failed.status, failed.progress) == ("failed", 0)
    assert failed.error is not None
    assert failed.error.code == "provider_failed"
    assert "too many foxes" in failed.error.message


@pytest.mark.parametrize(
    ("fields", "param"),
    [
        ({"seconds": "5"}, "seconds"),
        ({"seconds": "soon"}, "seconds"),
        ({"size": "wide"}, "size"),
        ({"input_reference": b"no picture"}, "input_reference"),
    ],
)
async def test_what_cannot_be_made_is_refused(
    shop: Shop, fields: dict[str, Any], param: str
) -> None:
    with pytest.raises(BadRequestError) as caught:
        await shop.client.videos.create(model=VEO, prompt="A fox", **fields)
    assert (caught.value.code, caught.value.param) == ("invalid_request", param)


async def test_a_cap_is_kept(shop: Shop) -> None:
    await shop.world.aigen.money.set_limits(Limits(owner=shop.ann.id, usd_day=Decimal("0.01")))
    with pytest.raises(APIStatusError) as caught:
        await shop.client.videos.create(model=VEO, prompt="A fox", seconds="4")
    assert (caught.value.status_code, caught.value.code) == (402, "spend_limit_reached")
