"""A worker keeps its jobs as long as it has a lease; what the dead have held goes to others."""

from datetime import timedelta

import pytest

from aigen.adapters.local_events import LocalEvents
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoState
from aigen.domain.services.work import Work, WorkPolicy
from aigen.ports.jobs import LeaseLost
from aigen.testing import Harness
from tests.services.boards import (
    ACCEPTED,
    accepted,
    claimed,
    claims,
    enlisted,
    finish,
    leases,
    now_of,
    submitted,
)
from tests.services.worlds import HOUR, MINUTE, SECOND, TICK, leap

LEASE = timedelta(seconds=60)


async def test_who_has_no_lease_claims_nothing(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    with pytest.raises(LeaseLost):
        await claims(harness, "a stranger")
    with pytest.raises(LeaseLost):
        await harness.aigen.work.renew("a stranger", trouble=None)
    assert (await now_of(harness, job)).state is VideoState.QUEUED


async def test_a_dead_workers_jobs_are_taken_over_when_its_lease_is_over(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    old = await accepted(harness)
    successor = await enlisted(harness)
    await leap(harness, LEASE - TICK)
    await harness.aigen.work.renew(successor, trouble=None)
    assert await claims(harness, successor) == ()
    await leap(harness, TICK)
    (claim,) = await claims(harness, successor)
    assert (claim.video_id, claim.nonce) == (job.id, None)
    assert (claim.provider_job_id, claim.polling_url) == ("job-1", "/videos/job-1")
    assert claim.epoch > old.epoch
    after = await now_of(harness, job)
    assert (after.state, after.worker_id) == (VideoState.PROCESSING, successor)
    assert set(await leases(harness)) == {successor}


async def test_a_dead_workers_submission_is_unknown_and_never_sent_again(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    await claimed(harness)
    await leap(harness, LEASE)
    assert await claims(harness, await enlisted(harness)) == ()
    after = await now_of(harness, job)
    assert (after.state, after.error_code) == (
        VideoState.FAILED,
        VideoError.SUBMISSION_OUTCOME_UNKNOWN,
    )
    assert after.may_be_charged
    assert after.attempts == 1


async def test_a_renewed_lease_keeps_the_jobs(harness: Harness, ann: User) -> None:
    await submitted(harness, ann)
    worker_id = await enlisted(harness)
    await accepted(harness, worker_id)
    other = await enlisted(harness)
    for _ in range(10):
        await leap(harness, LEASE - SECOND)
        await harness.aigen.work.renew(worker_id, trouble="no credit")
        await harness.aigen.work.renew(other, trouble=None)
        assert await claims(harness, other) == ()
    found = await leases(harness)
    assert found[worker_id].trouble == "no credit"
    assert found[worker_id].expires_at == harness.clock.now() + LEASE


async def test_a_late_worker_comes_back_to_jobs_that_nobody_has_taken(
    harness: Harness, ann: User
) -> None:
    job = await submitted(harness, ann)
    worker_id = await enlisted(harness)
    claim = await accepted(harness, worker_id)
    await leap(harness, HOUR)
    await harness.aigen.work.renew(worker_id, trouble=None)
    assert (await now_of(harness, job)).worker_id == worker_id
    assert await finish(harness, claim)


async def test_a_late_worker_whose_jobs_were_taken_has_lost_its_lease(
    harness: Harness, ann: User
) -> None:
    await submitted(harness, ann)
    worker_id = await enlisted(harness)
    await accepted(harness, worker_id)
    await leap(harness, LEASE)
    await claims(harness, await enlisted(harness))
    with pytest.raises(LeaseLost):
        await harness.aigen.work.renew(worker_id, trouble=None)
    with pytest.raises(LeaseLost):
        await claims(harness, worker_id)


@pytest.mark.parametrize("late", [LEASE, HOUR])
async def test_whoever_holds_a_job_has_a_lease_also_after_a_late_claim(
    harness: Harness, ann: User, late: timedelta
) -> None:
    """A worker that was asleep claims before it renews: its jobs must not end up with a worker
    that has no lease, since nobody would ever take them over."""
    jobs = [await submitted(harness, ann) for _ in range(3)]
    worker_id = await enlisted(harness)
    await accepted(harness, worker_id)
    await leap(harness, late)
    await claims(harness, worker_id, 1)
    holders = {(await now_of(harness, job)).worker_id for job in jobs} - {None}
    assert holders <= set(await leases(harness))


async def test_a_released_workers_jobs_are_free_at_once(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    worker_id = await enlisted(harness)
    await accepted(harness, worker_id)
    for _ in range(2):
        await harness.aigen.work.release(worker_id)
    assert (await now_of(harness, job)).worker_id is None
    assert [claim.video_id for claim in await claims(harness, await enlisted(harness))] == [job.id]


async def test_the_worker_inside_knows_that_its_predecessor_is_dead(
    harness: Harness, ann: User
) -> None:
    """Only one process can own the data: a new worker inside need not wait for a lease."""
    work = harness.aigen.work
    ids = [SystemIds().new() for _ in range(3)]
    await work.enlist(ids[0], is_inside=True)
    await work.enlist(ids[1], is_inside=False)
    await submitted(harness, ann)
    await accepted(harness, ids[0])
    await work.enlist(ids[2], is_inside=True)
    assert set(await leases(harness)) == {ids[1], ids[2]}
    assert len(await claims(harness, ids[2])) == 1


async def test_where_processes_share_the_data_workers_inside_live_side_by_side(
    harness: Harness,
) -> None:
    work = Work(
        harness.store,
        harness.media,
        LocalEvents(),
        harness.clock,
        SystemIds(),
        WorkPolicy(is_single_process=False),
    )
    for worker_id in ("one", "other"):
        await work.enlist(worker_id, is_inside=True)
    assert set(await leases(harness)) == {"one", "other"}


async def test_a_long_outage_of_all_workers_ends_with_every_job_taken_over(
    harness: Harness, ann: User, bob: User
) -> None:
    for user in (ann, bob):
        for number in range(15):
            await submitted(harness, user)
            await accepted(
                harness, outcome=type(ACCEPTED)(provider_job_id=f"{user.email}-{number}")
            )
    await leap(harness, 10 * MINUTE)
    found = await claims(harness, await enlisted(harness), 0)
    assert len(found) == 30
