"""Video jobs as their owners see them: submitted, cancelled, tried again, asked for twice."""

import asyncio
from datetime import timedelta
from typing import Any

import pytest

from aigen.domain.model.errors import (
    IdempotencyConflict,
    JobFinished,
    NotFound,
    TokenRevoked,
    TooManyJobs,
)
from aigen.domain.model.inputs import data_url
from aigen.domain.model.users import User
from aigen.domain.model.videos import GenerationType, VideoJob, VideoState, VideoStatus
from aigen.ports.provider import Accepted
from aigen.ports.store import HistoryQuery
from aigen.testing import PNG, Harness, bare_settings
from tests.services.boards import (
    REFUSED,
    answer,
    claimed,
    in_state,
    now_of,
    submitted,
)
from tests.services.bounds import opened
from tests.services.worlds import DAY, a_key, leap, video_request

PICTURE = data_url(PNG, "image/png")
OPTIONS: dict[str, Any] = {
    "aspect_ratio": "16:9",
    "resolution": "1080p",
    "duration": 8,
    "generate_audio": False,
    "seed": 7,
}


async def history(harness: Harness, user: User) -> list[VideoJob]:
    page = await harness.aigen.videos.list(HistoryQuery(user_id=user.id))
    return list(page.items)


# --- submit -----------------------------------------------------------------------------------


async def test_a_job_waits_in_the_queue_with_all_that_was_asked(
    harness: Harness, ann: User
) -> None:
    job = await harness.aigen.videos.submit(ann.id, video_request(**OPTIONS))
    assert (job.status, job.user_id, job.prompt) == (VideoStatus.QUEUED, ann.id, "A fox runs")
    assert {field: getattr(job, field) for field in OPTIONS} == OPTIONS
    assert job.generation_type is GenerationType.TEXT_TO_VIDEO
    assert job.created_at == job.not_before == harness.clock.now()
    assert job.deadline_at == harness.clock.now() + timedelta(seconds=7200)
    assert not job.may_be_charged
    assert await now_of(harness, job) == job
    assert await history(harness, ann) == [job]
    assert harness.provider.submissions == []


async def test_a_job_is_its_owners_alone(harness: Harness, ann: User, bob: User) -> None:
    videos = harness.aigen.videos
    job = await submitted(harness, ann)
    for reach in (videos.get, videos.cancel, videos.retry, videos.remove):
        with pytest.raises(NotFound):
            await reach(bob.id, job.id)
    assert await history(harness, bob) == []
    assert (await now_of(harness, job)).status is VideoStatus.QUEUED


async def test_a_user_who_has_gone_submits_nothing(harness: Harness, ann: User) -> None:
    await harness.aigen.users.remove(ann.id)
    with pytest.raises(TokenRevoked):
        await harness.aigen.videos.submit(ann.id, video_request(image_url=PICTURE))
    assert harness.media.files == {}


async def test_a_user_has_at_most_twenty_unfinished_jobs(
    harness: Harness, ann: User, bob: User
) -> None:
    jobs = [await submitted(harness, ann) for _ in range(20)]
    for _ in range(2):
        with pytest.raises(TooManyJobs) as refused:
            await harness.aigen.videos.submit(ann.id, video_request(image_url=PICTURE))
        assert refused.value.retry_after > timedelta(0)
        assert "20" in refused.value.detail
    assert harness.media.files == {}
    await submitted(harness, bob)
    await harness.aigen.videos.cancel(ann.id, jobs[7].id)
    await submitted(harness, ann)


async def test_many_submissions_at_once_do_not_pass_the_limit() -> None:
    async with opened(bare_settings(jobs_per_user=5)) as harness:
        ann = await harness.user()
        results = await asyncio.gather(
            *(harness.aigen.videos.submit(ann.id, video_request()) for _ in range(12)),
            return_exceptions=True,
        )
        assert sum(isinstance(result, VideoJob) for result in results) == 5
        assert sum(isinstance(result, TooManyJobs) for result in results) == 7


@pytest.mark.parametrize("state", [VideoState.SUBMITTING, VideoState.PROCESSING])
async def test_jobs_at_work_count_as_unfinished(state: VideoState) -> None:
    async with opened(bare_settings(jobs_per_user=1)) as harness:
        ann = await harness.user()
        await in_state(harness, ann, state)
        with pytest.raises(TooManyJobs):
            await submitted(harness, ann)


# --- the same request again -------------------------------------------------------------------


async def test_a_repeat_gives_the_first_job_as_it_is_now(harness: Harness, ann: User) -> None:
    videos = harness.aigen.videos
    first = await videos.submit_once(ann.id, video_request(), a_key())
    await answer(harness, await claimed(harness))
    again = await videos.submit_once(ann.id, video_request(), a_key())
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.value.id == first.value.id
    assert again.value.status is VideoStatus.PROCESSING
    assert len(await history(harness, ann)) == 1


async def test_a_double_click_makes_one_job(harness: Harness, ann: User) -> None:
    videos = harness.aigen.videos
    onces = await asyncio.gather(
        *(videos.submit_once(ann.id, video_request(), a_key()) for _ in range(6))
    )
    assert len({once.value.id for once in onces}) == 1
    assert sum(not once.is_replay for once in onces) == 1


async def test_the_same_key_with_another_request_is_a_conflict(harness: Harness, ann: User) -> None:
    videos = harness.aigen.videos
    await videos.submit_once(ann.id, video_request(), a_key())
    with pytest.raises(IdempotencyConflict):
        await videos.submit_once(ann.id, video_request(image_url=PICTURE), a_key(fingerprint="2"))
    assert harness.media.files == {}


async def test_another_user_or_another_day_is_another_request(
    harness: Harness, ann: User, bob: User
) -> None:
    videos = harness.aigen.videos
    ids = {
        (await videos.submit_once(user.id, video_request(), a_key())).value.id
        for user in (ann, bob)
    }
    await leap(harness, DAY)
    ids.add((await videos.submit_once(ann.id, video_request(), a_key())).value.id)
    assert len(ids) == 3


async def test_a_repeat_is_answered_also_when_no_other_job_is_allowed(ann: User) -> None:
    async with opened(bare_settings(jobs_per_user=1)) as harness:
        ann = await harness.user()
        first = await harness.aigen.videos.submit_once(ann.id, video_request(), a_key())
        again = await harness.aigen.videos.submit_once(ann.id, video_request(), a_key())
        assert again.value == first.value


async def test_a_refused_submission_does_not_use_up_its_key() -> None:
    async with opened(bare_settings(jobs_per_user=1)) as harness:
        ann = await harness.user()
        job = await submitted(harness, ann)
        with pytest.raises(TooManyJobs):
            await harness.aigen.videos.submit_once(ann.id, video_request(), a_key())
        await harness.aigen.videos.cancel(ann.id, job.id)
        once = await harness.aigen.videos.submit_once(ann.id, video_request(), a_key())
        assert not once.is_replay


async def test_a_repeat_of_a_deleted_job_makes_no_other(harness: Harness, ann: User) -> None:
    videos = harness.aigen.videos
    first = await videos.submit_once(ann.id, video_request(), a_key())
    await videos.cancel(ann.id, first.value.id)
    await videos.remove(ann.id, first.value.id)
    with pytest.raises(NotFound):
        await videos.submit_once(ann.id, video_request(), a_key())
    assert await history(harness, ann) == []


# --- cancel -----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("state", "may_be_charged"),
    [(VideoState.QUEUED, False), (VideoState.SUBMITTING, True), (VideoState.PROCESSING, True)],
)
async def test_cancelling_works_at_once_and_again_wherever_the_job_is(
    harness: Harness, ann: User, state: VideoState, may_be_charged: bool
) -> None:
    job = await in_state(harness, ann, state)
    for _ in range(2):
        cancelled = await harness.aigen.videos.cancel(ann.id, job.id)
        assert cancelled.status is VideoStatus.CANCELLED
        assert cancelled.may_be_charged is may_be_charged
    assert (await now_of(harness, job)).finished_at == harness.clock.now()


@pytest.mark.parametrize("state", [VideoState.COMPLETED, VideoState.FAILED])
async def test_what_is_finished_cannot_be_cancelled(
    harness: Harness, ann: User, state: VideoState
) -> None:
    job = await in_state(harness, ann, state)
    with pytest.raises(JobFinished):
        await harness.aigen.videos.cancel(ann.id, job.id)
    assert await now_of(harness, job) == job


async def test_a_job_cancelled_in_flight_stays_so_when_the_provider_takes_it(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    claim = await claimed(harness)
    await harness.aigen.videos.cancel(ann.id, job.id)
    assert await answer(harness, claim) is None
    after = await now_of(harness, job)
    assert (after.status, after.provider_job_id) == (VideoStatus.CANCELLED, "job-1")
    assert after.may_be_charged


async def test_a_job_cancelled_in_flight_is_free_when_the_provider_refuses(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    claim = await claimed(harness)
    await harness.aigen.videos.cancel(ann.id, job.id)
    await answer(harness, claim, REFUSED)
    after = await now_of(harness, job)
    assert (after.status, after.may_be_charged) == (VideoStatus.CANCELLED, False)


async def test_an_id_of_the_provider_is_no_secret_between_users(
    harness: Harness, ann: User, bob: User
) -> None:
    """The same id for two jobs is the provider's mistake; neither sees the other's."""
    jobs = [await submitted(harness, user) for user in (ann, bob)]
    for _ in jobs:
        await answer(harness, await claimed(harness), Accepted(provider_job_id="the same"))
    after = [await now_of(harness, job) for job in jobs]
    assert sorted(job.provider_job_id or "" for job in after) == ["", "the same"]
