"""A process that is killed loses nothing, and nothing is bought twice."""

from collections import Counter
from collections.abc import Callable

from tests.e2e.processes import ADMIN, Person, Process, submissions, until

#: One job for each thing that can be under way when the power goes.
PROMPTS = {
    "finished": "",
    "being polled": "sim:sleep=4",
    "about to fail": "sim:sleep=4 sim:fail=Sorry",
    "submitting for long": "sim:delay=6",
    "never answered": "sim:hang",
    "refused for now": "sim:times=1 sim:ratelimit=1",
}


def test_after_kill_9_every_job_ends_and_none_is_submitted_twice(
    new_api: Callable[..., Process], provider: Process
) -> None:
    api = new_api(AIGEN_SUBMIT_TIMEOUT="20", AIGEN_JOBS_PER_USER="100")
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    jobs = {name: person.video(f"crash {name} {words}") for name, words in PROMPTS.items()}
    until(
        lambda: person.get(f"/generate/video/{jobs['finished']}/status")["status"] == "completed",
        "the first job",
    )
    until(lambda: len(ours(provider)) >= len(PROMPTS), "all submissions")
    api.kill()
    api.start()
    ends = {name: person.wait(job_id) for name, job_id in jobs.items()}
    assert {name: (job["status"], job["error_code"]) for name, job in ends.items()} == {
        "finished": ("completed", None),
        "being polled": ("completed", None),
        "about to fail": ("failed", "provider_failed"),
        "submitting for long": ("failed", "submission_outcome_unknown"),
        "never answered": ("failed", "submission_outcome_unknown"),
        "refused for now": ("completed", None),
    }
    accepted = Counter(entry["prompt"] for entry in ours(provider) if entry["accepted"])
    assert set(accepted.values()) == {1}
    assert len(accepted) == len(PROMPTS)
    assert all(ends[name]["may_be_charged"] for name in ("submitting for long", "never answered"))
    assert person.get("/admin/stats")["videos"]["outcome_unknown"] == 2
    person.close()
    assert api.stop() == 0


def test_what_was_answered_survives_a_kill_at_once(new_api: Callable[..., Process]) -> None:
    api = new_api("--no-worker", AIGEN_JOBS_PER_USER="100")
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    ids = [person.video(f"number {number}") for number in range(40)]
    key = {"Idempotency-Key": "once"}
    body = {"model": "google/veo-3.1-lite", "prompt": "with a key", "duration": 4}
    keyed = person.post("/generate/video", body, 202, headers=key)
    api.kill()
    api.start()
    kept = [job["id"] for job in person.get("/generate/video?limit=100")["items"]]
    assert kept == [keyed["id"], *ids[::-1]]
    assert person.post("/generate/video", body, 202, headers=key)["id"] == keyed["id"]
    person.close()


def ours(provider: Process) -> list[dict[str, object]]:
    return [e for e in submissions(provider.url) if str(e["prompt"]).startswith("crash ")]
