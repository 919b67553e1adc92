"""The job board gives each job to one worker, at its time, and fairly among the users."""

import asyncio
from datetime import timedelta

import pytest

from aigen.domain.model.errors import DatabaseUnavailable
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.ports.jobs import Claim
from aigen.ports.provider import NotSent
from aigen.testing import Harness
from tests.services.boards import (
    accepted,
    answer,
    claimed,
    claims,
    enlisted,
    now_of,
    submitted,
)
from tests.services.worlds import SECOND, TICK, TroubledStore, leap

LEASE = timedelta(seconds=60)


async def test_a_claim_is_committed_with_all_that_is_needed_to_submit(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann, "A fox runs")
    worker_id = await enlisted(harness)
    claim = await claimed(harness, worker_id)
    after = await now_of(harness, job)
    assert (after.state, after.worker_id) == (VideoState.SUBMITTING, worker_id)
    assert after.may_be_charged
    assert (claim.video_id, claim.epoch, claim.nonce) == (job.id, after.epoch, after.nonce)
    assert (claim.model, claim.prompt) == (job.model, "A fox runs")
    assert claim.folder == f"{ann.id}/{job.id}/"
    assert claim.deadline_at == job.deadline_at
    assert claim.callback_url is None


async def test_every_attempt_has_a_secret_of_its_own(harness: Harness, ann: User) -> None:
    for _ in range(5):
        await submitted(harness, ann)
    nonces = {claim.nonce for claim in await claims(harness, await enlisted(harness))}
    assert len(nonces) == 5
    assert all(nonce and len(nonce) >= 22 for nonce in nonces)


async def test_many_workers_at_once_never_get_the_same_job(
    harness: Harness, ann: User, bob: User
) -> None:
    jobs = [await submitted(harness, user) for user in (ann, bob) for _ in range(10)]
    workers = [await enlisted(harness) for _ in range(7)]
    found = await asyncio.gather(*(claims(harness, worker_id, 3) for worker_id in workers))
    ids = [claim.video_id for part in found for claim in part]
    assert len(ids) == 20
    assert set(ids) == {job.id for job in jobs}


async def test_claims_go_round_the_users(harness: Harness, ann: User, bob: User) -> None:
    many = [(await submitted(harness, ann)).id for _ in range(10)]
    few = [(await submitted(harness, bob)).id for _ in range(2)]
    worker_id = await enlisted(harness)
    first = [claim.video_id for claim in await claims(harness, worker_id, 4)]
    assert first == [many[0], few[0], many[1], few[1]]


async def test_one_job_at_a_time_goes_round_the_users_too(
    harness: Harness, ann: User, bob: User
) -> None:
    for _ in range(6):
        await submitted(harness, ann)
    for _ in range(3):
        await submitted(harness, bob)
    worker_id = await enlisted(harness)
    owners = [(await claimed(harness, worker_id)).folder.split("/")[0] for _ in range(6)]
    assert owners.count(bob.id) == 3


async def test_no_more_is_claimed_than_asked(harness: Harness, ann: User) -> None:
    for _ in range(3):
        await submitted(harness, ann)
    worker_id = await enlisted(harness)
    assert [len(await claims(harness, worker_id, count)) for count in (0, 2, 5, 5)] == [0, 2, 1, 0]


async def test_a_job_that_must_wait_is_not_claimed_before_its_time(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    worker_id = await enlisted(harness)
    await answer(
        harness, await claimed(harness, worker_id), NotSent(reason="busy", retry_after=20 * SECOND)
    )
    waits_until = (await now_of(harness, job)).not_before
    harness.clock.set(waits_until - TICK)
    assert await claims(harness, worker_id) == ()
    harness.clock.set(waits_until)
    assert len(await claims(harness, worker_id)) == 1


async def test_a_full_disk_claims_nothing_to_submit_and_everything_to_poll(
    harness: Harness, ann: User
) -> None:
    await submitted(harness, ann)
    polled = await accepted(harness)
    waiting = await submitted(harness, ann)
    await harness.clock.advance(LEASE)
    harness.media.is_full = True
    (claim,) = await claims(harness, await enlisted(harness))
    assert (claim.video_id, claim.nonce) == (polled.video_id, None)
    assert (await now_of(harness, waiting)).state is VideoState.QUEUED
    harness.media.is_full = False
    assert [claim.video_id for claim in await claims(harness, await enlisted(harness))] == [
        waiting.id
    ]


@pytest.mark.parametrize("seconds", [7199.999, 7200])
async def test_a_job_that_waited_past_its_deadline_is_ended_and_costs_nothing(
    harness: Harness, ann: User, seconds: float
) -> None:
    job = await submitted(harness, ann)
    await leap(harness, timedelta(seconds=seconds))
    found = await claims(harness, await enlisted(harness))
    after = await now_of(harness, job)
    if seconds < 7200:
        assert len(found) == 1
    else:
        assert found == ()
        assert (after.state, after.error_code) == (VideoState.FAILED, VideoError.QUEUE_TIMEOUT)
        assert not after.may_be_charged


# --- claims whose answer was lost ---------------------------------------------------------------


async def recalled(harness: Harness, worker_id: str, *holding: str) -> tuple[Claim, ...]:
    return await harness.aigen.work.recall(worker_id, holding=holding)


async def test_what_was_claimed_unheard_can_be_recalled(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    """An outage can hide that a claim was made; what it claimed must not be forgotten."""
    polled = await accepted_and_let_go(harness, ann)
    waiting = await submitted(harness, ann)
    worker_id = await enlisted(harness)
    store.hides = True
    with pytest.raises(DatabaseUnavailable):
        await claims(harness, worker_id)
    store.recover()
    assert await claims(harness, worker_id) == ()
    found = {claim.video_id: claim for claim in await recalled(harness, worker_id)}
    assert found.keys() == {polled.id, waiting.id}
    assert found[polled.id].nonce is None
    assert found[polled.id].epoch == (await now_of(harness, polled)).epoch
    assert found[waiting.id].nonce == (await now_of(harness, waiting)).nonce is not None
    assert await recalled(harness, worker_id) == tuple(found.values())  # until it is held


async def test_what_is_held_is_not_recalled(harness: Harness, ann: User) -> None:
    one, other = [await submitted(harness, ann) for _ in range(2)]
    worker_id = await enlisted(harness)
    await claims(harness, worker_id)
    (found,) = await recalled(harness, worker_id, one.id)
    assert found.video_id == other.id
    assert await recalled(harness, worker_id, one.id, other.id) == ()


async def test_nobody_recalls_what_another_has(harness: Harness, ann: User) -> None:
    await submitted(harness, ann)
    worker_id = await enlisted(harness)
    await claims(harness, worker_id)
    await leap(harness, LEASE)
    successor = await enlisted(harness)
    await claims(harness, successor)
    for stranger in (successor, worker_id, "nobody"):
        assert await recalled(harness, stranger) == ()


async def test_a_full_disk_recalls_nothing_to_submit(harness: Harness, ann: User) -> None:
    polled = await accepted_and_let_go(harness, ann)
    waiting = await submitted(harness, ann)
    worker_id = await enlisted(harness)
    await claims(harness, worker_id)
    harness.media.is_full = True
    assert [claim.video_id for claim in await recalled(harness, worker_id)] == [polled.id]
    harness.media.is_full = False
    found = {claim.video_id for claim in await recalled(harness, worker_id)}
    assert found == {polled.id, waiting.id}


async def accepted_and_let_go(harness: Harness, user: User) -> VideoJob:
    """A job that the provider has, and no worker."""
    job = await submitted(harness, user)
    worker_id = await enlisted(harness)
    await accepted(harness, worker_id)
    await harness.aigen.work.release(worker_id)
    return job
