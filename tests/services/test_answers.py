"""What came of a submission: each answer lands once, late ones too, and none where it must not."""

from datetime import timedelta

import pytest

from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.ports.jobs import Claim
from aigen.ports.provider import (
    Accepted,
    Misconfigured,
    NotSent,
    Refused,
    SubmitOutcome,
    Unknown,
)
from aigen.testing import Harness
from tests.services.boards import (
    ACCEPTED,
    BROKEN,
    REFUSED,
    answer,
    claimed,
    claims,
    enlisted,
    finish,
    now_of,
    submitted,
)
from tests.services.worlds import HOUR, MINUTE, SECOND, leap

LEASE = timedelta(seconds=60)
UNKNOWN = Unknown(reason="cut off")
NOT_SENT = NotSent(reason="busy")
NO_CREDIT = Misconfigured(reason="no credit")
#: Everything but an acceptance.
OTHERS: list[SubmitOutcome] = [REFUSED, NOT_SENT, NO_CREDIT, UNKNOWN]


@pytest.fixture
async def job(harness: Harness, ann: User) -> VideoJob:
    return await submitted(harness, ann)


@pytest.fixture
async def worker_id(harness: Harness) -> str:
    return await enlisted(harness)


@pytest.fixture
async def claim(harness: Harness, job: VideoJob, worker_id: str) -> Claim:
    return await claimed(harness, worker_id)


# --- in time ----------------------------------------------------------------------------------


async def test_an_acceptance_gives_the_claim_to_poll_with(
    harness: Harness, job: VideoJob, claim: Claim, worker_id: str
) -> None:
    polling = await answer(harness, claim)
    assert polling is not None
    assert (polling.video_id, polling.epoch, polling.nonce) == (job.id, claim.epoch, None)
    assert (polling.provider_job_id, polling.polling_url) == ("job-1", "/videos/job-1")
    after = await now_of(harness, job)
    assert (after.state, after.worker_id) == (VideoState.PROCESSING, worker_id)
    assert after.submitted_at == harness.clock.now()


async def test_a_refusal_fails_the_job_and_costs_nothing(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    assert await answer(harness, claim, Refused(reason="no foxes")) is None
    after = await now_of(harness, job)
    assert (after.state, after.error_code) == (VideoState.FAILED, VideoError.PROVIDER_REFUSED)
    assert (after.error, after.may_be_charged) == ("no foxes", False)


async def test_an_ambiguous_answer_fails_the_job_and_says_that_it_may_cost(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    assert await answer(harness, claim, UNKNOWN) is None
    after = await now_of(harness, job)
    assert (after.state, after.is_unknown, after.may_be_charged) == (VideoState.FAILED, True, True)
    assert "cut off" in (after.error or "")
    assert "not sent again" in (after.error or "")


@pytest.mark.parametrize("attempts", [1, 2, 3, 8, 9, 12])
async def test_what_was_surely_not_taken_waits_longer_each_time_up_to_five_minutes(
    harness: Harness, job: VideoJob, worker_id: str, attempts: int
) -> None:
    for _ in range(attempts):
        await leap(harness, 6 * MINUTE)
        await harness.aigen.work.renew(worker_id, trouble=None)
        await answer(harness, await claimed(harness, worker_id), NOT_SENT)
    after = await now_of(harness, job)
    wait = (after.not_before - harness.clock.now()).total_seconds()
    usual = min(2**attempts, 300)
    assert 0.8 * usual <= wait <= 1.2 * usual
    assert (after.state, after.may_be_charged) == (VideoState.QUEUED, False)


async def test_a_provider_that_says_when_to_come_back_is_not_asked_earlier(
    harness: Harness, job: VideoJob, claim: Claim, worker_id: str
) -> None:
    for _ in range(6):  # however the dice fall; later our own pause is the longer one
        await answer(harness, claim, NotSent(reason="busy", retry_after=100 * SECOND))
        wait = (await now_of(harness, job)).not_before - harness.clock.now()
        assert 100 * SECOND <= wait <= 120 * SECOND
        await leap(harness, 2 * MINUTE)
        await harness.aigen.work.renew(worker_id, trouble=None)
        claim = await claimed(harness, worker_id)


async def test_a_refused_key_is_no_jobs_fault(
    harness: Harness, job: VideoJob, claim: Claim, worker_id: str
) -> None:
    await answer(harness, claim, NO_CREDIT)
    after = await now_of(harness, job)
    assert (after.state, after.may_be_charged) == (VideoState.QUEUED, False)
    assert after.not_before == harness.clock.now()
    assert (await claimed(harness, worker_id)).video_id == job.id


@pytest.mark.parametrize("outcome", [ACCEPTED, *OTHERS])
async def test_a_repeated_answer_changes_nothing_and_is_answered_the_same(
    harness: Harness, job: VideoJob, claim: Claim, outcome: SubmitOutcome
) -> None:
    first = await answer(harness, claim, outcome)
    after = await now_of(harness, job)
    await leap(harness, SECOND)
    assert await answer(harness, claim, outcome) == first
    assert await now_of(harness, job) == after


@pytest.mark.parametrize("outcome", [ACCEPTED, *OTHERS])
async def test_an_answer_to_nobodys_question_changes_nothing(
    harness: Harness, job: VideoJob, claim: Claim, outcome: SubmitOutcome
) -> None:
    before = await now_of(harness, job)
    work = harness.aigen.work
    assert await work.record(job.id, "a guess", outcome) is None
    assert await work.record(job.id, "", outcome) is None
    assert await work.record("nothing", claim.nonce or "", outcome) is None
    assert await now_of(harness, job) == before


@pytest.mark.parametrize("outcome", [ACCEPTED, *OTHERS])
async def test_an_answer_to_an_earlier_attempt_changes_nothing(
    harness: Harness, job: VideoJob, claim: Claim, worker_id: str, outcome: SubmitOutcome
) -> None:
    await answer(harness, claim, NO_CREDIT)
    await claimed(harness, worker_id)
    before = await now_of(harness, job)
    assert await answer(harness, claim, outcome) is None
    assert await now_of(harness, job) == before


@pytest.mark.parametrize("outcome", OTHERS)
async def test_no_other_answer_takes_an_acceptance_back(
    harness: Harness, job: VideoJob, claim: Claim, outcome: SubmitOutcome
) -> None:
    await answer(harness, claim)
    before = await now_of(harness, job)
    await answer(harness, claim, outcome)
    await answer(harness, claim, Accepted(provider_job_id="another"))
    assert await now_of(harness, job) == before


@pytest.mark.parametrize("outcome", [ACCEPTED, *OTHERS])
async def test_an_answer_that_comes_after_the_end_changes_nothing(
    harness: Harness, job: VideoJob, claim: Claim, outcome: SubmitOutcome
) -> None:
    await answer(harness, claim)
    await finish(harness, claim, BROKEN)
    before = await now_of(harness, job)
    assert await answer(harness, claim, outcome) is None
    assert await now_of(harness, job) == before


# --- late -------------------------------------------------------------------------------------


@pytest.mark.parametrize("is_silent", [True, False])
async def test_a_late_acceptance_brings_an_unknown_job_back_for_anybody_to_poll(
    harness: Harness, job: VideoJob, claim: Claim, is_silent: bool
) -> None:
    if is_silent:
        await leap(harness, LEASE)
        await claims(harness, await enlisted(harness))
    else:
        await answer(harness, claim, UNKNOWN)
    assert (await now_of(harness, job)).is_unknown
    await leap(harness, HOUR)
    assert await answer(harness, claim) is None  # whoever claims it polls it
    after = await now_of(harness, job)
    assert (after.state, after.error_code) == (VideoState.PROCESSING, None)
    assert after.deadline_at == harness.clock.now() + 2 * HOUR
    assert after.worker_id is None
    (taken,) = await claims(harness, await enlisted(harness))
    assert (taken.video_id, taken.provider_job_id) == (job.id, "job-1")
    assert taken.epoch > claim.epoch


@pytest.mark.parametrize("outcome", OTHERS)
async def test_a_late_answer_that_proves_nothing_leaves_the_job_as_it_is(
    harness: Harness, job: VideoJob, claim: Claim, outcome: SubmitOutcome
) -> None:
    await answer(harness, claim, UNKNOWN)
    before = await now_of(harness, job)
    assert await answer(harness, claim, outcome) is None
    assert await now_of(harness, job) == before


@pytest.mark.parametrize("was_charged", [True, False])
async def test_an_acceptance_after_the_settlement_is_too_late(
    harness: Harness, job: VideoJob, claim: Claim, was_charged: bool
) -> None:
    await answer(harness, claim, UNKNOWN)
    settled = await harness.aigen.admin.close(job.id, was_charged=was_charged)
    assert await answer(harness, claim) is None
    assert await now_of(harness, job) == settled


async def test_a_stale_worker_that_repeats_an_acceptance_is_not_given_the_new_fence(
    harness: Harness, job: VideoJob, claim: Claim
) -> None:
    """Its own answer was recorded, but it did not hear so and asks again, after a takeover."""
    await answer(harness, claim)
    await leap(harness, LEASE)
    (successor,) = await claims(harness, await enlisted(harness))
    stale = await answer(harness, claim)
    assert stale is None
    assert (await now_of(harness, job)).epoch == successor.epoch


async def test_a_worker_that_never_heard_an_acceptance_polls_all_the_same(
    harness: Harness, job: VideoJob, claim: Claim, worker_id: str
) -> None:
    """The provider's callback came first, then the connection of the submission broke."""
    await harness.aigen.work.called_back(job.id, claim.nonce or "", "job-1")
    assert (await now_of(harness, job)).worker_id == worker_id
    polling = await answer(harness, claim, UNKNOWN)
    after = await now_of(harness, job)
    assert after.state is VideoState.PROCESSING
    assert polling is not None  # else nobody ever polls it
    assert (polling.provider_job_id, polling.epoch) == ("job-1", after.epoch)


# --- the id of another job --------------------------------------------------------------------


async def test_an_id_that_another_job_has_fails_the_job(
    harness: Harness, job: VideoJob, claim: Claim, bob: User, worker_id: str
) -> None:
    await answer(harness, claim)
    other = await submitted(harness, bob)
    assert await answer(harness, await claimed(harness, worker_id)) is None
    after = await now_of(harness, other)
    assert (after.state, after.error_code) == (VideoState.FAILED, VideoError.PROVIDER_DUPLICATE)
    assert after.may_be_charged
    assert (await now_of(harness, job)).state is VideoState.PROCESSING


async def test_an_id_that_another_job_has_is_no_proof(
    harness: Harness, job: VideoJob, claim: Claim, bob: User, worker_id: str
) -> None:
    await answer(harness, claim, UNKNOWN)
    before = await now_of(harness, job)
    await submitted(harness, bob)
    await answer(harness, await claimed(harness, worker_id))
    assert await answer(harness, claim) is None
    assert await now_of(harness, job) == before


@pytest.mark.parametrize("outcome", [ACCEPTED, *OTHERS])
async def test_an_answer_for_a_job_that_has_gone_changes_nothing(
    harness: Harness, ann: User, job: VideoJob, claim: Claim, outcome: SubmitOutcome
) -> None:
    await harness.aigen.users.remove(ann.id)
    assert await answer(harness, claim, outcome) is None
    found = await harness.store.read(lambda records: records.provider_jobs.get("job-1"))
    assert found is None
