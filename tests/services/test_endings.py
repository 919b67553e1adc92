"""The end of a job is recorded once, by the worker that holds it, with its file."""

from decimal import Decimal

import pytest
from attrs import evolve

from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.ports.jobs import Claim, Film, NoFilm
from aigen.testing import MP4, Harness
from tests.services.boards import (
    BROKEN,
    CENT,
    accepted,
    claims,
    enlisted,
    film_of,
    finish,
    now_of,
    submitted,
)
from tests.services.worlds import MINUTE, SECOND, leap


@pytest.fixture
async def job(harness: Harness, ann: User) -> VideoJob:
    return await submitted(harness, ann)


@pytest.fixture
async def claim(harness: Harness, job: VideoJob) -> Claim:
    return await accepted(harness)


async def taken_over(harness: Harness) -> Claim:
    """The job in the hands of another worker, since the first fell silent."""
    await leap(harness, MINUTE)
    (claim,) = await claims(harness, await enlisted(harness))
    return claim


async def test_a_film_completes_its_job(harness: Harness, job: VideoJob, claim: Claim) -> None:
    film = await film_of(harness.media, claim)
    assert await finish(harness, claim, film)
    after = await now_of(harness, job)
    assert (after.state, after.media, after.cost_usd) == (VideoState.COMPLETED, film.media, CENT)
    assert after.worker_id is None
    assert after.finished_at == harness.clock.now()


async def test_a_failure_fails_its_job(harness: Harness, job: VideoJob, claim: Claim) -> None:
    assert await finish(harness, claim, BROKEN)
    after = await now_of(harness, job)
    assert (after.state, after.error_code) == (VideoState.FAILED, VideoError.PROVIDER_FAILED)
    assert (after.error, after.cost_usd, after.may_be_charged) == ("it broke", CENT, True)


async def test_a_failure_that_cost_nothing_says_so(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await finish(harness, claim, evolve(BROKEN, cost_usd=Decimal(0)))
    assert not (await now_of(harness, job)).may_be_charged


async def test_a_repeated_end_changes_nothing_and_is_answered_the_same(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    film = await film_of(harness.media, claim)
    await finish(harness, claim, film)
    after = await now_of(harness, job)
    await leap(harness, SECOND)
    assert await finish(harness, claim, film)
    assert await now_of(harness, job) == after
    await leap(harness, MINUTE)
    assert harness.media.files == {film.media.key: MP4}


async def test_a_repeated_failure_changes_nothing_and_is_answered_the_same(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await finish(harness, claim, BROKEN)
    after = await now_of(harness, job)
    await leap(harness, SECOND)
    assert await finish(harness, claim, BROKEN)
    assert await now_of(harness, job) == after


@pytest.mark.parametrize("is_film", [True, False])
async def test_a_stale_worker_cannot_finish_a_taken_over_job(
    harness: Harness, job: VideoJob, claim: Claim, is_film: bool
) -> None:
    successor = await taken_over(harness)
    before = await now_of(harness, job)
    result = await film_of(harness.media, claim) if is_film else BROKEN
    assert not await finish(harness, claim, result)
    assert await now_of(harness, job) == before
    assert await finish(harness, successor)


async def test_a_stale_workers_film_is_deleted_and_its_successors_stays(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    successor = await taken_over(harness)
    right = await film_of(harness.media, successor, MP4 + b"right")
    assert await finish(harness, successor, right)
    assert not await finish(harness, claim, await film_of(harness.media, claim, MP4 + b"late"))
    await leap(harness, MINUTE)
    assert harness.media.files == {right.media.key: MP4 + b"right"}
    assert (await now_of(harness, job)).media == right.media


async def test_a_film_that_a_killed_worker_could_not_tell_of_is_deleted_at_the_end(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await film_of(harness.media, claim, MP4 + b"never told")
    right = await film_of(harness.media, successor := await taken_over(harness), MP4 + b"right")
    assert await finish(harness, successor, right)
    await leap(harness, MINUTE)
    assert harness.media.files == {right.media.key: MP4 + b"right"}


async def test_a_film_that_a_killed_worker_could_not_tell_of_is_deleted_with_a_cancellation(
    harness: Harness, ann: User, job: VideoJob, claim: Claim
) -> None:
    await film_of(harness.media, claim, MP4 + b"never told")
    await harness.aigen.videos.cancel(ann.id, job.id)
    await leap(harness, MINUTE)
    assert harness.media.files == {}


async def test_a_film_that_nobody_wants_any_more_is_deleted(
    harness: Harness, ann: User, job: VideoJob, claim: Claim
) -> None:
    cancelled = await harness.aigen.videos.cancel(ann.id, job.id)
    assert not await finish(harness, claim, await film_of(harness.media, claim))
    assert await now_of(harness, job) == cancelled
    await leap(harness, MINUTE)
    assert harness.media.files == {}


async def test_a_cancelled_job_does_not_fail(
    harness: Harness, ann: User, job: VideoJob, claim: Claim
) -> None:
    cancelled = await harness.aigen.videos.cancel(ann.id, job.id)
    assert not await finish(harness, claim, BROKEN)
    assert await now_of(harness, job) == cancelled


async def test_a_film_that_was_fetched_once_more_does_not_cost_the_job_its_file(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    """The same worker, the same place, and bytes that differ from the first ones."""
    assert await finish(harness, claim)
    after = await now_of(harness, job)
    await finish(harness, claim, await film_of(harness.media, claim, MP4 + b"again"))
    assert await now_of(harness, job) == after
    await leap(harness, MINUTE)
    assert after.media is not None
    assert list(harness.media.files) == [after.media.key]


@pytest.mark.parametrize("second", [True, False])
async def test_the_first_end_is_the_end(
    harness: Harness, job: VideoJob, claim: Claim, second: bool
) -> None:
    film = await film_of(harness.media, claim)
    ends: list[Film | NoFilm] = [film, BROKEN] if second else [BROKEN, film]
    assert await finish(harness, claim, ends[0])
    after = await now_of(harness, job)
    assert not await finish(harness, claim, ends[1])
    assert await now_of(harness, job) == after


async def test_a_job_that_is_only_being_submitted_cannot_end(
    harness: Harness, job: VideoJob
) -> None:
    (claim,) = await claims(harness, await enlisted(harness))
    assert not await finish(harness, claim)
    assert (await now_of(harness, job)).state is VideoState.SUBMITTING


async def test_a_job_that_has_gone_leaves_no_film(
    harness: Harness, ann: User, claim: Claim
) -> None:
    await harness.aigen.users.remove(ann.id)
    assert not await finish(harness, claim)
    await leap(harness, MINUTE)
    assert harness.media.files == {}
