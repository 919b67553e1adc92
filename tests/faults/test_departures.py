"""A user is deleted while their job is in each of its states; nothing of theirs stays behind."""

from collections.abc import Callable

from tests.e2e.processes import Person, until
from tests.faults.books import books
from tests.faults.hostile import Hostile, hostile, in_progress, saying, slow_film, withhold
from tests.faults.houses import House, until_job

STATES = ("queued", "submitting", "polled", "downloading", "completed", "failed", "unknown")

LATER = {"error": {"message": "not now"}}


def test_a_user_deleted_in_any_state_leaves_nothing_but_the_costs(
    new_house: Callable[..., House],
) -> None:
    with hostile() as provider:
        provider.submits |= {
            "queued": saying(429, LATER, retry_after="600"),
            "submitting": withhold,
            "failed": saying(400, LATER),
            "unknown": saying(500, LATER),
        }
        house = new_house(provider.url, AIGEN_SUBMIT_TIMEOUT="8")
        root = house.root()
        gone = []
        for state in STATES:
            person = house.new_user(root, f"{state}@example.org")
            bring(person, state, provider)
            gone.append(person.get("/users/me")["id"])
        for user_id in gone:
            root.delete(f"/users/{user_id}")
        provider.polls = provider.contents = None
        assert root.wait(root.video("who stays is served"))["status"] == "completed"
        house.stop()
        found = books(house.data)
        assert len(found.jobs) == 1
        found.must_balance()
        found.must_have_their_films(house.media)
        assert not {path.name for path in house.media.iterdir()} & set(gone)
        # Costs outlive their users, and nothing stays reserved for ever.
        theirs = [charge for charge in found.charges.values() if charge.user_id in gone]
        assert len(theirs) == len(STATES)
        assert [c for c in theirs if c.is_open and c.closes_at is None] == []
        assert [provider.sent(state) for state in STATES] == [1] * len(STATES)


def test_an_unknown_job_that_its_owner_removes_keeps_nothing_reserved(
    new_house: Callable[..., House],
) -> None:
    with hostile() as provider:
        provider.submits["unknown"] = saying(500, LATER)
        house = new_house(provider.url)
        root = house.root()
        job_id = root.video("unknown")
        assert root.wait(job_id)["error_code"] == "submission_outcome_unknown"
        root.delete(f"/generate/video/{job_id}")
        house.stop()
        (charge,) = books(house.data).charges.values()
        assert not charge.is_open or charge.closes_at is not None


def bring(person: Person, state: str, provider: Hostile) -> None:
    """A job of theirs into this state."""
    provider.polls = in_progress if state == "polled" else None
    provider.contents = slow_film if state == "downloading" else None
    job_id = person.video(state)
    until(lambda: provider.sent(state), f"the submission of {state}")
    if state == "queued":
        until_job(person, job_id, lambda found: found["status"] == "queued", "the way back")
    elif state == "polled":
        until(lambda: provider.asked_for("/job-polled"), "a poll")
    elif state == "downloading":
        until(lambda: provider.asked_for("/job-downloading/content"), "the download")
    elif state != "submitting":
        person.wait(job_id)
