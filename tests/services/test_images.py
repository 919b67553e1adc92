"""Images: noted before they are asked for, stored when they come, kept when they cannot be."""

import asyncio
from decimal import Decimal

import pytest

from aigen.domain.model.errors import (
    AigenError,
    InvalidRequest,
    NotFound,
    ProviderBadAnswer,
    StorageFull,
    TokenRevoked,
)
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.inputs import data_url
from aigen.domain.model.media import MediaType, Picture
from aigen.domain.model.users import User
from aigen.ports.provider import BadAnswer, Failure, ImageAnswer
from aigen.ports.store import HistoryQuery
from aigen.testing import MP4, PNG, Harness
from tests.services.worlds import FAILURES, MINUTE, SECOND, gone_away, image_request, started

CENT = Decimal("0.01")
SVG = Picture(content=b"<svg xmlns='http://www.w3.org/2000/svg'/>")
GOOD = Picture(content=PNG)
WIDE = PNG[:16] + (9000).to_bytes(4, "big") + PNG[20:]


async def history(harness: Harness, user: User) -> list[Image]:
    page = await harness.aigen.images.list(HistoryQuery(user_id=user.id))
    return list(page.items)


# --- whole ------------------------------------------------------------------------------------


@pytest.mark.parametrize("n", [1, 3, 10])
async def test_as_many_pictures_as_asked_are_stored(harness: Harness, ann: User, n: int) -> None:
    image = await harness.aigen.images.generate(ann.id, image_request(n=n))
    assert image.status is ImageStatus.COMPLETED
    assert (image.user_id, image.prompt, image.unstored) == (ann.id, "A fox", ())
    assert [picture.key for picture in image.pictures] == [
        f"{ann.id}/{image.id}/image-{number}.png" for number in range(1, n + 1)
    ]
    assert {harness.media.files[picture.key] for picture in image.pictures} == {PNG}
    assert image.pictures[0].media_type is MediaType.PNG
    assert (image.pictures[0].width, image.pictures[0].height) == (1, 1)
    assert image.cost_usd == Decimal("0.04")
    assert await harness.aigen.images.get(ann.id, image.id) == image
    assert await history(harness, ann) == [image]


async def test_fewer_pictures_than_asked_are_kept(harness: Harness, ann: User) -> None:
    harness.provider.images.add(ImageAnswer(pictures=(GOOD,), text="only one", cost_usd=CENT))
    image = await harness.aigen.images.generate(ann.id, image_request(n=4))
    assert image.status is ImageStatus.COMPLETED
    assert len(image.pictures) == 1
    assert (image.text, image.cost_usd) == ("only one", CENT)


async def test_an_image_is_its_owners_alone(harness: Harness, ann: User, bob: User) -> None:
    image = await harness.aigen.images.generate(ann.id, image_request())
    for reach in (harness.aigen.images.get, harness.aigen.images.remove):
        with pytest.raises(NotFound):
            await reach(bob.id, image.id)
    assert await history(harness, bob) == []


async def test_a_user_who_has_gone_buys_nothing(harness: Harness, ann: User) -> None:
    await harness.aigen.users.remove(ann.id)
    with pytest.raises(TokenRevoked):
        await harness.aigen.images.generate(ann.id, image_request())
    assert harness.provider.image_requests == []


@pytest.mark.parametrize(("failure", "code", "words"), FAILURES)
async def test_each_failure_is_told_and_recorded(
    harness: Harness, ann: User, failure: Failure, code: str, words: str
) -> None:
    harness.provider.images.add(failure)
    with pytest.raises(AigenError) as refused:
        await harness.aigen.images.generate(ann.id, image_request())
    assert refused.value.code == code
    assert words in refused.value.detail
    (image,) = await history(harness, ann)
    assert (image.status, image.error_code) == (ImageStatus.FAILED, code)
    assert image.error == refused.value.detail
    assert len(harness.provider.image_requests) == 1


async def test_what_a_useless_answer_cost_is_recorded(harness: Harness, ann: User) -> None:
    harness.provider.images.add(BadAnswer(reason="only words", cost_usd=CENT))
    with pytest.raises(ProviderBadAnswer):
        await harness.aigen.images.generate(ann.id, image_request())
    assert [image.cost_usd for image in await history(harness, ann)] == [CENT]


# --- in the background ------------------------------------------------------------------------


async def test_a_deferred_image_is_answered_at_once_and_finished_later(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    once = await harness.aigen.images.generate_once(ann.id, image_request(), None, is_deferred=True)
    assert (once.was_deferred, once.is_replay) == (True, False)
    assert once.value.status is ImageStatus.PROCESSING
    assert await history(harness, ann) == [once.value]
    harness.provider.gate.set()
    await harness.aigen.background.drain()
    (image,) = await history(harness, ann)
    assert (image.id, image.status) == (once.value.id, ImageStatus.COMPLETED)


async def test_a_deferred_image_that_fails_says_so_in_its_record(
    harness: Harness, ann: User
) -> None:
    harness.provider.images.add(FAILURES[0][0])
    await harness.aigen.images.generate_once(ann.id, image_request(), None, is_deferred=True)
    await harness.aigen.background.drain()
    (image,) = await history(harness, ann)
    assert (image.status, image.error_code) == (ImageStatus.FAILED, "provider_refused")


async def test_a_client_that_has_gone_away_finds_the_image_in_its_history(
    harness: Harness, ann: User
) -> None:
    await gone_away(harness, harness.aigen.images.generate(ann.id, image_request()))
    (image,) = await history(harness, ann)
    assert image.status is ImageStatus.COMPLETED
    assert image.pictures[0].key in harness.media.files


async def test_an_image_whose_process_died_is_given_up(harness: Harness, ann: User) -> None:
    harness.provider.gate.clear()
    asked = await started(harness, harness.aigen.images.generate(ann.id, image_request()))
    await harness.clock.advance(harness.aigen.settings.image_timeout + MINUTE)
    assert (await history(harness, ann))[0].status is ImageStatus.PROCESSING
    await harness.clock.advance(3 * MINUTE)
    (image,) = await history(harness, ann)
    assert (image.status, image.error_code) == (ImageStatus.FAILED, "provider_outcome_unknown")
    harness.provider.gate.set()  # it was alive after all, and what was paid for is kept
    late = await asked
    assert await history(harness, ann) == [late]
    assert late.status is ImageStatus.COMPLETED


# --- storing ----------------------------------------------------------------------------------


async def test_nothing_is_asked_for_while_the_disk_is_full(harness: Harness, ann: User) -> None:
    harness.media.is_full = True
    with pytest.raises(StorageFull):
        await harness.aigen.images.generate(ann.id, image_request())
    assert harness.provider.image_requests == []
    assert await history(harness, ann) == []


async def test_pictures_that_find_no_room_leave_with_the_answer(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    asked = await started(harness, harness.aigen.images.generate(ann.id, image_request(n=2)))
    harness.media.is_full = True
    harness.provider.gate.set()
    image = await asked
    assert (image.status, image.pictures) == (ImageStatus.COMPLETED, ())
    assert image.unstored == (GOOD, GOOD)
    assert [found.status for found in await history(harness, ann)] == [ImageStatus.COMPLETED]


async def test_what_no_browser_may_be_shown_is_dropped_and_the_rest_kept(
    harness: Harness, ann: User
) -> None:
    film = Picture(content=MP4)
    harness.provider.images.add(ImageAnswer(pictures=(SVG, GOOD, film)))
    image = await harness.aigen.images.generate(ann.id, image_request(n=3))
    assert [picture.key for picture in image.pictures] == [f"{ann.id}/{image.id}/image-2.png"]
    assert list(harness.media.files) == [image.pictures[0].key]


async def test_an_answer_without_any_usable_picture_is_a_failure_with_its_cost(
    harness: Harness, ann: User
) -> None:
    harness.provider.images.add(ImageAnswer(pictures=(SVG, SVG), cost_usd=CENT))
    with pytest.raises(ProviderBadAnswer):
        await harness.aigen.images.generate(ann.id, image_request(n=2))
    (image,) = await history(harness, ann)
    assert (image.status, image.cost_usd) == (ImageStatus.FAILED, CENT)
    assert harness.media.files == {}


# --- a picture to edit ------------------------------------------------------------------------


async def test_a_picture_to_edit_is_stored_and_given_as_a_data_url(
    harness: Harness, ann: User
) -> None:
    url = data_url(PNG, "image/webp")  # what its sender calls it does not count
    image = await harness.aigen.images.generate(ann.id, image_request(image_url=url))
    assert image.input_image is not None
    assert image.input_image.stored is not None
    assert harness.media.files[image.input_image.stored.key] == PNG
    ((_, source),) = harness.provider.image_requests
    assert source == data_url(PNG, "image/png")


async def test_an_address_to_edit_is_handed_on_and_never_fetched(
    harness: Harness, ann: User
) -> None:
    url = "https://example.org/fox.png"
    image = await harness.aigen.images.generate(ann.id, image_request(image_url=url))
    assert image.input_image is not None
    assert (image.input_image.url, image.input_image.stored) == (url, None)
    ((_, source),) = harness.provider.image_requests
    assert source == url


@pytest.mark.parametrize(
    "url",
    [
        "https://localhost/fox.png",
        "http://example.org/fox.png",
        data_url(MP4, "image/png"),
        data_url(b"GIF89a", "image/png"),
        data_url(b"<svg/>", "image/png"),
        data_url(WIDE, "image/png"),
    ],
)
async def test_any_other_picture_to_edit_is_refused_before_anything_is_bought(
    harness: Harness, ann: User, url: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await harness.aigen.images.generate(ann.id, image_request(image_url=url))
    assert refused.value.field == "image_url"
    assert harness.provider.image_requests == []
    assert harness.media.files == {}
    assert await history(harness, ann) == []


async def test_many_images_at_once_keep_their_own_pictures(harness: Harness, ann: User) -> None:
    pictures = [PNG + bytes([number]) for number in range(8)]
    harness.provider.images.add(
        *(ImageAnswer(pictures=(Picture(content=content),)) for content in pictures)
    )
    images = await asyncio.gather(
        *(harness.aigen.images.generate(ann.id, image_request()) for _ in pictures)
    )
    stored = [harness.media.files[image.pictures[0].key] for image in images]
    assert sorted(stored) == sorted(pictures)
    assert harness.clock.now() - images[0].created_at < SECOND
