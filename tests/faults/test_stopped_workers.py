"""A worker that stands still past its lease and comes back, and one that only goes away."""

import signal
from collections.abc import Callable

from tests.e2e.processes import Process, submissions, until
from tests.faults.books import books, possible_purchases
from tests.faults.hostile import hostile, in_progress, slow_film
from tests.faults.houses import House, job, until_job


def test_a_worker_that_stood_still_past_its_lease_writes_nothing(
    new_house: Callable[..., House], provider: Process
) -> None:
    house = new_house(provider.url, "--no-worker", AIGEN_SUBMIT_TIMEOUT="20")
    ann = house.root()
    sleeper = house.add_worker()
    polled = [ann.video(f"held by a sleeper {number} sim:sleep=2") for number in range(5)]
    for job_id in polled:
        until_job(ann, job_id, lambda found: found["submitted_at"], "the submission")
    in_flight = ann.video("sent by a sleeper sim:delay=1.5")
    until(lambda: was_sent(provider, "sent by a sleeper"), "the submission in flight")
    sleeper.signal(signal.SIGSTOP)
    house.add_worker()
    # Taken over within a lease and a sweep; what was in flight is unknown and never sent again.
    ends = {job_id: ann.wait(job_id) for job_id in (*polled, in_flight)}
    assert {ends[job_id]["status"] for job_id in polled} == {"completed"}
    assert ends[in_flight]["error_code"] == "submission_outcome_unknown"
    sleeper.signal(signal.SIGCONT)
    # The answer that it had not yet heard is proof, however late.
    assert until_job(ann, in_flight, lambda found: found["status"] == "completed", "the proof")
    until(lambda: house.ready()["workers"] == 2, "the sleeper's new lease")
    after = {job_id: job(ann, job_id) for job_id in polled}
    assert {i: found["updated_at"] for i, found in after.items()} == {
        i: ends[i]["updated_at"] for i in polled
    }
    # It works again, and the other lets go of what it has at once.
    others = [ann.video(f"for both {number}") for number in range(6)]
    assert {ann.wait(job_id)["status"] for job_id in others} == {"completed"}
    prompts = [job(ann, job_id)["prompt"] for job_id in (*polled, in_flight)]
    house.stop()
    assert set(possible_purchases(provider.url, prompts).values()) == {1}
    found = books(house.data)
    found.must_balance()
    found.must_have_their_films(house.media)


def was_sent(provider: Process, prompt: str) -> bool:
    return any(prompt in entry["prompt"] for entry in submissions(provider.url))


def test_a_stop_in_any_state_ends_well_and_the_next_start_goes_on(
    new_house: Callable[..., House],
) -> None:
    with hostile() as provider:
        provider.polls = in_progress
        house = new_house(provider.url, AIGEN_SHUTDOWN_GRACE="20", AIGEN_WORKER_CONCURRENCY="3")
        ann = house.root()
        polling = ann.video("polled")
        until_job(ann, polling, lambda found: found["submitted_at"], "the first")
        provider.polls, provider.contents = None, slow_film
        until(lambda: provider.asked_for("/content"), "the download")
        provider.polls = in_progress
        waiting = [ann.video(f"also {number}") for number in range(5)]
        for job_id in waiting:
            until_job(ann, job_id, lambda found: found["submitted_at"], "the second")
        house.api.signal(signal.SIGTERM)
        assert house.api.child.wait(timeout=20) == 0
        incoming = house.media / ".incoming"
        assert not any(incoming.rglob("*")), "half a film was left"
        provider.polls = provider.contents = None
        house.revive(house.api)
        assert {ann.wait(job_id)["status"] for job_id in (polling, *waiting)} == {"completed"}
        assert [provider.sent(f"also {number}") for number in range(5)] == [1] * 5
        assert provider.sent("polled") == 1
        house.stop()
        books(house.data).must_have_their_films(house.media)


def test_a_stop_leaves_the_queue_to_the_next_start(
    new_house: Callable[..., House], provider: Process
) -> None:
    house = new_house(provider.url, "--no-worker")
    ann = house.root()
    worker = house.add_worker()
    slow = [ann.video(f"slow {number} sim:delay=1") for number in range(3)]
    until(lambda: was_sent(provider, "slow 2"), "the submissions")
    worker.signal(signal.SIGTERM)
    until(lambda: worker.child.poll() is not None, "the end of the worker")
    assert worker.child.returncode == 0
    queued = [ann.video(f"left in the queue {number}") for number in range(10)]
    # What was being sent was finished, not left for the lease to end: it is known.
    assert all(job(ann, job_id)["error_code"] is None for job_id in slow)
    assert {job(ann, job_id)["status"] for job_id in queued} == {"queued"}
    house.revive(worker)
    assert {ann.wait(job_id)["status"] for job_id in (*slow, *queued)} == {"completed"}
    house.stop()
