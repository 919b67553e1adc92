"""Trying again: a new job, linked to the old one, that asks for the same."""

from datetime import timedelta
from typing import Any

import pytest

from aigen.domain.model.errors import JobNotRetryable, NotFound, TooManyJobs
from aigen.domain.model.inputs import data_url
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoState, VideoStatus
from aigen.testing import PNG, Harness, bare_settings
from tests.services.boards import in_state, now_of, submitted
from tests.services.bounds import opened
from tests.services.worlds import HOUR, a_key, video_request

ADDRESS = "https://example.org/fox.png"
PICTURE = data_url(PNG, "image/png")
OPTIONS: dict[str, Any] = {
    "aspect_ratio": "16:9",
    "resolution": "1080p",
    "duration": 8,
    "generate_audio": False,
    "seed": 7,
}


@pytest.mark.parametrize("state", [VideoState.FAILED, VideoState.CANCELLED])
async def test_a_retry_is_a_new_job_that_asks_for_the_same(
    harness: Harness, ann: User, state: VideoState
) -> None:
    old = await in_state(harness, ann, state)
    await harness.clock.advance(HOUR / 4)
    once = await harness.aigen.videos.retry(ann.id, old.id)
    new = once.value
    assert new.id != old.id
    assert (new.retry_of, new.status) == (old.id, VideoStatus.QUEUED)
    assert (new.model, new.prompt) == (old.model, old.prompt)
    assert new.created_at == harness.clock.now()
    assert new.deadline_at == harness.clock.now() + timedelta(seconds=7200)
    assert (new.attempts, new.epoch, new.may_be_charged) == (0, 0, False)
    assert await now_of(harness, old) == old


async def test_a_retry_has_its_own_copy_of_the_pictures(harness: Harness, ann: User) -> None:
    videos = harness.aigen.videos
    request = video_request(image_url=PICTURE, last_image_url=ADDRESS, **OPTIONS)
    old = await videos.submit(ann.id, request)
    await videos.cancel(ann.id, old.id)
    new = (await videos.retry(ann.id, old.id)).value
    await videos.remove(ann.id, old.id)
    assert {field: getattr(new, field) for field in OPTIONS} == OPTIONS
    assert new.first_frame is not None
    assert new.first_frame.stored is not None
    assert harness.media.files == {new.first_frame.stored.key: PNG}
    assert new.first_frame.stored.key.startswith(f"{ann.id}/{new.id}/")
    assert new.last_frame == old.last_frame


@pytest.mark.parametrize(
    "state",
    [VideoState.QUEUED, VideoState.SUBMITTING, VideoState.PROCESSING, VideoState.COMPLETED],
)
async def test_other_jobs_cannot_be_retried(harness: Harness, ann: User, state: VideoState) -> None:
    job = await in_state(harness, ann, state)
    with pytest.raises(JobNotRetryable):
        await harness.aigen.videos.retry(ann.id, job.id)


async def test_a_retry_with_a_key_is_made_once(harness: Harness, ann: User) -> None:
    old = await harness.aigen.videos.submit(ann.id, video_request(image_url=PICTURE))
    await harness.aigen.videos.cancel(ann.id, old.id)
    first, again = [await harness.aigen.videos.retry(ann.id, old.id, a_key()) for _ in range(2)]
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.value == first.value
    assert len(harness.media.files) == 2


async def test_a_repeated_retry_is_answered_also_when_the_old_job_has_gone(
    harness: Harness, ann: User
) -> None:
    old = await in_state(harness, ann, VideoState.FAILED)
    first = await harness.aigen.videos.retry(ann.id, old.id, a_key())
    await harness.aigen.videos.remove(ann.id, old.id)
    again = await harness.aigen.videos.retry(ann.id, old.id, a_key())
    assert (again.is_replay, again.value) == (True, first.value)


async def test_a_retry_counts_towards_the_limit() -> None:
    async with opened(bare_settings(jobs_per_user=1)) as harness:
        ann = await harness.user()
        old = await in_state(harness, ann, VideoState.FAILED)
        await submitted(harness, ann)
        with pytest.raises(TooManyJobs):
            await harness.aigen.videos.retry(ann.id, old.id)


async def test_a_retry_without_its_picture_leaves_nothing_behind(
    harness: Harness, ann: User
) -> None:
    videos = harness.aigen.videos
    request = video_request(image_url=PICTURE, last_image_url=PICTURE)
    old = await videos.submit(ann.id, request)
    await videos.cancel(ann.id, old.id)
    assert old.last_frame is not None
    assert old.last_frame.stored is not None
    del harness.media.files[old.last_frame.stored.key]
    before = dict(harness.media.files)
    with pytest.raises(NotFound):
        await videos.retry(ann.id, old.id)
    assert harness.media.files == before
