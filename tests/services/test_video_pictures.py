"""Videos that begin or end with a picture: kept with their job, and never left behind."""

import pytest

from aigen.domain.model.errors import Busy, DatabaseUnavailable, InvalidRequest, StorageFull
from aigen.domain.model.inputs import data_url
from aigen.domain.model.users import User
from aigen.domain.model.videos import GenerationType, VideoError, VideoJob
from aigen.domain.services.inputs import Intake
from aigen.ports.store import HistoryQuery
from aigen.testing import PNG, Harness
from tests.services.workers import ended, running
from tests.services.worlds import StuckMedia, TroubledStore, a_key, video_request

ADDRESS = "https://example.org/fox.png"
PICTURE = data_url(PNG, "image/png")


async def history(harness: Harness, user: User) -> list[VideoJob]:
    page = await harness.aigen.videos.list(HistoryQuery(user_id=user.id))
    return list(page.items)


async def test_a_picture_is_stored_with_its_job_and_an_address_kept(
    harness: Harness, ann: User
) -> None:
    request = video_request(image_url=PICTURE, last_image_url=ADDRESS)
    job = await harness.aigen.videos.submit(ann.id, request)
    assert job.generation_type is GenerationType.IMAGE_TO_VIDEO
    assert job.first_frame is not None
    assert job.last_frame is not None
    assert job.first_frame.stored is not None
    assert job.first_frame.stored.key == f"{ann.id}/{job.id}/first-frame.png"
    assert harness.media.files == {job.first_frame.stored.key: PNG}
    assert (job.last_frame.url, job.last_frame.stored) == (ADDRESS, None)


@pytest.mark.parametrize("field", ["image_url", "last_image_url"])
async def test_a_bad_picture_is_refused_and_leaves_nothing_behind(
    harness: Harness, ann: User, field: str
) -> None:
    pictures = {"image_url": PICTURE, "last_image_url": PICTURE}
    request = video_request(**pictures | {field: "data:image/png;base64,PHN2Zy8+"})
    with pytest.raises(InvalidRequest) as refused:
        await harness.aigen.videos.submit(ann.id, request)
    assert refused.value.field == field
    assert harness.media.files == {}
    assert await history(harness, ann) == []


async def test_a_repeat_leaves_no_picture_behind(harness: Harness, ann: User) -> None:
    request = video_request(image_url=PICTURE)
    for _ in range(2):
        await harness.aigen.videos.submit_once(ann.id, request, a_key())
    assert len(harness.media.files) == 1


async def test_a_busy_database_leaves_no_picture_behind(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    """Busy says that the change was surely not made."""
    store.trouble = Busy()
    with pytest.raises(Busy):
        await harness.aigen.videos.submit(ann.id, video_request(image_url=PICTURE))
    assert harness.media.files == {}


async def test_a_job_that_may_be_queued_after_all_keeps_its_picture(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    store.hides = True
    with pytest.raises(DatabaseUnavailable):
        await harness.aigen.videos.submit(ann.id, video_request(image_url=PICTURE))
    store.recover()
    (job,) = await history(harness, ann)
    assert job.first_frame is not None
    assert job.first_frame.stored is not None
    assert job.first_frame.stored.key in harness.media.files


async def test_no_picture_is_taken_while_the_disk_is_full(harness: Harness, ann: User) -> None:
    harness.media.is_full = True
    with pytest.raises(StorageFull):
        await harness.aigen.videos.submit(ann.id, video_request(image_url=PICTURE))
    await harness.aigen.videos.submit(ann.id, video_request(image_url=ADDRESS))


async def test_a_full_disk_does_not_hide_a_job_that_was_queued_before(
    harness: Harness, ann: User
) -> None:
    request = video_request(image_url=PICTURE)
    first = await harness.aigen.videos.submit_once(ann.id, request, a_key())
    harness.media.is_full = True
    again = await harness.aigen.videos.submit_once(ann.id, request, a_key())
    assert (again.is_replay, again.value) == (True, first.value)


async def test_a_picture_that_cannot_be_deleted_does_not_hide_what_became_of_the_request() -> None:
    media = StuckMedia()
    async with Intake(media, "folder/") as intake:
        await intake.take("image_url", PICTURE, "first-frame")
        await intake.discard()
    assert len(media.files) == 1


async def test_both_pictures_are_given_to_the_provider_as_it_takes_them(
    harness: Harness, ann: User
) -> None:
    request = video_request(image_url=PICTURE, last_image_url=ADDRESS)
    job = await harness.aigen.videos.submit(ann.id, request)
    async with running(harness):
        await ended(harness, job)
    (submission,) = harness.provider.submissions
    assert (submission.first_frame, submission.last_frame) == (PICTURE, ADDRESS)


async def test_a_job_whose_picture_has_gone_fails_and_costs_nothing(
    harness: Harness, ann: User
) -> None:
    job = await harness.aigen.videos.submit(ann.id, video_request(image_url=PICTURE))
    harness.media.files.clear()
    async with running(harness):
        job = await ended(harness, job)
    assert (job.error_code, job.may_be_charged) == (VideoError.PROVIDER_REFUSED, False)
    assert harness.provider.submissions == []
