"""The provider calls back: proof that it has the job, and a reason to ask how it is."""

from collections.abc import AsyncIterator

import pytest

from aigen.domain.model.errors import NotFound
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.ports.events import VideoEvent
from aigen.ports.jobs import Claim
from aigen.ports.provider import InProgress, Unknown
from aigen.testing import Harness, bare_settings
from tests.services.boards import (
    BROKEN,
    REFUSED,
    answer,
    claimed,
    finish,
    now_of,
    submitted,
)
from tests.services.bounds import opened
from tests.services.workers import ended, passed, running
from tests.services.worlds import SECOND


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    """An installation that asks for callbacks."""
    settings = bare_settings(callback_secret="a secret", public_url="https://aigen.example")
    async with opened(settings) as harness:
        yield harness


@pytest.fixture
async def job(harness: Harness, ann: User) -> VideoJob:
    return await submitted(harness, ann)


@pytest.fixture
async def claim(harness: Harness, job: VideoJob) -> Claim:
    return await claimed(harness)


async def call_back(harness: Harness, claim: Claim, provider_job_id: str = "job-1") -> None:
    """As the API does, once the signature has proved right."""
    nonce = claim.nonce or ""
    await harness.aigen.work.must_expect(claim.video_id, nonce, provider_job_id)
    await harness.aigen.work.called_back(claim.video_id, nonce, provider_job_id)


async def test_a_submission_says_where_to_call(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    expected = f"https://aigen.example/provider/callback/{job.id}.{claim.nonce}"
    assert claim.callback_url == expected


async def test_a_call_proves_a_submission_in_flight(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await call_back(harness, claim)
    after = await now_of(harness, job)
    assert (after.state, after.provider_job_id) == (VideoState.PROCESSING, "job-1")
    polling = await answer(harness, claim)  # the worker's own answer comes second
    assert polling is not None
    assert polling.provider_job_id == "job-1"


async def test_a_call_proves_an_unknown_submission(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await answer(harness, claim, Unknown(reason="cut off"))
    await call_back(harness, claim)
    after = await now_of(harness, job)
    assert (after.state, after.provider_job_id) == (VideoState.PROCESSING, "job-1")


async def test_a_call_for_a_cancelled_job_only_notes_the_id(
    harness: Harness, ann: User, job: VideoJob, claim: Claim
) -> None:
    await harness.aigen.videos.cancel(ann.id, job.id)
    await call_back(harness, claim)
    after = await now_of(harness, job)
    assert (after.state, after.provider_job_id) == (VideoState.CANCELLED, "job-1")


async def test_a_call_for_a_finished_job_has_no_effect(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await answer(harness, claim)
    await finish(harness, claim, BROKEN)
    after = await now_of(harness, job)
    for _ in range(2):
        await call_back(harness, claim)
    assert await now_of(harness, job) == after


async def test_a_call_with_a_wrong_nonce_or_id_is_not_expected(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await answer(harness, claim)
    must_expect = harness.aigen.work.must_expect
    nonce = claim.nonce or ""
    for video_id, said_nonce, provider_job_id in (
        ("nothing", nonce, "job-1"),
        (job.id, "a guess", "job-1"),
        (job.id, "", "job-1"),
        (job.id, nonce, "job-2"),
    ):
        with pytest.raises(NotFound):
            await must_expect(video_id, said_nonce, provider_job_id)
    await must_expect(job.id, nonce, "job-1")


async def test_a_call_for_what_was_refused_is_not_expected(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    await answer(harness, claim, REFUSED)
    with pytest.raises(NotFound):
        await call_back(harness, claim)


async def test_a_call_makes_the_worker_ask_at_once(harness: Harness, ann: User) -> None:
    harness.provider.polls.add(*[InProgress()] * 2)
    async with running(harness):
        job = await submitted(harness, ann)
        await passed(harness, lambda: len(harness.provider.polled) == 1)
        after = await now_of(harness, job)
        await harness.aigen.work.called_back(job.id, after.nonce or "", "job-1")
        await harness.clock.settle()
        assert len(harness.provider.polled) == 2
        await harness.aigen.work.called_back(job.id, after.nonce or "", "job-1")
        await harness.clock.settle()
    assert (await now_of(harness, job)).state is VideoState.COMPLETED


async def test_a_call_that_proves_an_unknown_submission_makes_a_worker_take_it(
    harness: Harness, ann: User
) -> None:
    harness.provider.submits.add(Unknown(reason="cut off"))
    async with running(harness):
        job = await submitted(harness, ann)
        failed = await ended(harness, job)
        assert failed.is_unknown
        await harness.aigen.work.called_back(job.id, failed.nonce or "", "job-1")
        await harness.clock.settle()
    assert (await now_of(harness, job)).state is VideoState.COMPLETED
    assert len(harness.provider.submissions) == 1


async def test_a_call_that_comes_before_a_broken_answer_loses_no_job(
    harness: Harness, ann: User
) -> None:
    """The call proves that the provider has it; then the submission's own connection breaks."""
    harness.provider.submits.add(Unknown(reason="cut off"))
    harness.provider.gate.clear()
    async with running(harness):
        job = await submitted(harness, ann)
        await harness.clock.settle()
        nonce = (await now_of(harness, job)).nonce or ""
        await harness.aigen.work.called_back(job.id, nonce, "job-1")
        harness.provider.gate.set()
        job = await ended(harness, job, step=60 * SECOND)
    assert job.state is VideoState.COMPLETED


async def test_every_call_is_heard_by_those_who_watch(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    async with harness.aigen.events.subscribe(job.id) as news:
        await call_back(harness, claim)
        heard = await news.next()
    assert VideoEvent(video_id=job.id, state=VideoState.PROCESSING, ask_provider=True) in heard
