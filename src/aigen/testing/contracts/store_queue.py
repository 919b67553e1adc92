"""What every store must do for the video queue; the fixture `store` is an open, empty one."""

from collections.abc import Callable
from datetime import timedelta

from attrs import evolve

from aigen.domain.model.images import ImageStatus
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.ports.store import Records, Store
from aigen.testing.samples import (
    NOW,
    a_job,
    a_user,
    an_image,
    new_id,
    stored,
)


async def test_ready_jobs_go_round_the_users(store: Store) -> None:
    ann, bob, eve = a_user(), a_user(), a_user()
    jobs = {user.id: [a_job(user) for _ in range(count)] for user, count in ((ann, 3), (bob, 1))}
    await stored(store, *jobs[ann.id], *jobs[bob.id])
    late = a_job(eve)
    await stored(store, late)
    first, second, third = jobs[ann.id]
    (only,) = jobs[bob.id]
    ready = await store.write(lambda records: records.videos.ready(NOW, 9))
    assert ready == (first, only, late, second, third)

    def claim_one(records: Records) -> str:
        (job,) = records.videos.ready(NOW, 1)
        records.videos.put(job.claimed(worker_id=new_id(), nonce="n", now=NOW))
        return job.user_id

    order = [await store.write(claim_one) for _ in range(5)]
    assert order == [ann.id, bob.id, eve.id, ann.id, ann.id]
    assert await store.write(lambda records: records.videos.ready(NOW, 9)) == ()


async def test_jobs_that_wait_or_are_held_are_not_ready(store: Store) -> None:
    user = a_user()
    waiting = a_job(user, not_before=NOW + timedelta(seconds=5))
    held = a_job(user, is_held=True)
    ready = a_job(user)
    await stored(store, waiting, held, ready)
    assert await store.write(lambda records: records.videos.ready(NOW, 9)) == (ready,)
    soon = NOW + timedelta(seconds=5)
    found = await store.write(lambda records: records.videos.ready(soon, 9))
    assert set(found) == {ready, waiting}


async def test_queued_jobs_past_their_deadline_are_overdue_unless_held(store: Store) -> None:
    user = a_user()
    overdue = a_job(user, deadline_at=NOW)
    held = a_job(user, deadline_at=NOW, is_held=True)
    working = a_job(user, deadline_at=NOW, state=VideoState.PROCESSING)
    in_time = a_job(user, deadline_at=NOW + timedelta(microseconds=1))
    jobs = (overdue, held, working, in_time)
    await stored(store, *jobs)
    assert await store.write(lambda records: records.videos.overdue(NOW)) == (overdue,)


async def test_jobs_at_work_are_found_by_their_worker(store: Store) -> None:
    user, worker = a_user(), new_id()
    submitting = a_job(user).claimed(worker_id=worker, nonce="n", now=NOW)
    processing = submitting.accepted(provider_job_id="p", polling_url=None, now=NOW)
    free = evolve(processing.let_go(), id=new_id())
    queued, done = a_job(user), a_job(user, state=VideoState.COMPLETED, worker_id=worker)
    jobs = (submitting, evolve(processing, id=new_id()), free, queued, done)
    await stored(store, *jobs)
    held = await store.write(lambda records: records.videos.held_by(worker, 9))
    assert {job.id for job in held} == {jobs[0].id, jobs[1].id}
    assert await store.write(lambda records: records.videos.held_by(None, 9)) == (free,)
    assert len(await store.write(lambda records: records.videos.held_by(worker, 1))) == 1


async def test_jobs_that_a_worker_does_not_know_of_are_found(store: Store) -> None:
    user, worker = a_user(), new_id()
    known, unknown, others = (
        a_job(user).claimed(worker_id=worker_id, nonce="n", now=NOW)
        for worker_id in (worker, worker, new_id())
    )
    await stored(store, known, unknown, others, a_job(user))

    def unheard_of(*ids: str) -> Callable[[Records], set[VideoJob]]:
        return lambda records: set(records.videos.held_unheard_of(worker, ids))

    assert await store.read(unheard_of()) == {known, unknown}
    strangers = [new_id() for _ in range(2500)]
    assert await store.read(unheard_of(known.id, others.id, *strangers)) == {unknown}
    assert await store.read(unheard_of(known.id, unknown.id)) == set()


async def test_unfinished_jobs_are_found_by_their_owner(store: Store) -> None:
    user = a_user()
    jobs = [a_job(user, state=state) for state in VideoState]
    await stored(store, *jobs)
    unfinished = await store.read(lambda records: records.videos.unfinished_of(user.id))
    assert [job.state for job in unfinished] == [
        VideoState.QUEUED,
        VideoState.SUBMITTING,
        VideoState.PROCESSING,
    ]


async def test_images_being_made_are_found(store: Store) -> None:
    user = a_user()
    making, made = an_image(user, status=ImageStatus.PROCESSING), an_image(user)
    await stored(store, making, made)
    assert await store.read(lambda records: records.images.unfinished()) == (making,)
