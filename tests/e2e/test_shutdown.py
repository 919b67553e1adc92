"""The first signal drains, the second ends at once."""

import signal
from collections.abc import Callable

import httpx

from tests.e2e.processes import ADMIN, Person, Process, submissions, until


def test_sigterm_finishes_what_is_being_submitted_and_says_that_it_is_not_ready(
    new_api: Callable[..., Process], provider: Process
) -> None:
    api = new_api()
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    job_id = person.video("slow to accept sim:delay=2")

    def is_being_submitted() -> bool:
        return any("slow to accept" in entry["prompt"] for entry in submissions(provider.url))

    until(is_being_submitted, "the submission")
    api.signal(signal.SIGTERM)

    def is_unready() -> bool:
        answer = httpx.get(f"{api.url}/readyz", trust_env=False)
        return (
            answer.status_code == 503 and "the server is shutting down" in answer.json()["reasons"]
        )

    until(is_unready, "readiness to go")
    refused = person.post("/generate/text", {"model": "m", "prompt": "p"}, 503)
    assert refused["code"] == "shutting_down"
    assert api.child.wait(timeout=30) == 0
    assert api.output().splitlines()[-1].count("stopped") == 1, "nothing complains at the end"
    api.start()
    job = person.wait(job_id)
    assert (job["status"], job["error_code"]) == ("completed", None)
    assert sum("slow to accept" in entry["prompt"] for entry in submissions(provider.url)) == 1
    person.close()


def test_the_second_signal_ends_it_at_once(new_api: Callable[..., Process]) -> None:
    api = new_api()
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    job_id = person.video("hanging sim:hang")
    until(
        lambda: person.get(f"/generate/video/{job_id}/status")["status"] == "processing",
        "the submission",
    )
    api.signal(signal.SIGINT)
    until(lambda: "draining" in api.output(), "the first signal to be heard")
    api.signal(signal.SIGINT)
    assert api.child.wait(timeout=5) == 130
    person.close()


def test_a_shutdown_takes_no_longer_than_its_grace(new_api: Callable[..., Process]) -> None:
    api = new_api(AIGEN_SHUTDOWN_GRACE="1")
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    job_id = person.video("hanging sim:hang")
    until(
        lambda: person.get(f"/generate/video/{job_id}/status")["status"] == "processing",
        "the submission",
    )
    with httpx.stream(
        "GET",
        f"{api.url}/generate/video/{job_id}/events",
        headers=person.client.headers,
        trust_env=False,
    ) as events:
        next(events.iter_lines())
        assert api.stop() == 0
    assert "shutdown_grace_is_over" in api.output()
    person.close()
