"""A worker in a process of its own, over HTTP against an API that owns the data."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.e2e.processes import (
    ADMIN,
    AIGEN,
    Person,
    Process,
    environment,
    submissions,
    until,
)


@contextmanager
def worker(api: Process, folder: Path, name: str, **settings: str) -> Iterator[Process]:
    """A standalone worker; it serves nothing, so it is ready when it says so."""
    defaults = {
        "AIGEN_API_URL": api.url,
        "AIGEN_DATA_DIR": str(folder / name),
        "AIGEN_WORKER_TOKEN": (folder / "data" / "worker-token").read_text().strip(),
        "AIGEN_OPENROUTER_URL": api.env["AIGEN_OPENROUTER_URL"],
        "OPENROUTER_API_KEY": "sk-or-v1-test",
        "AIGEN_POLL_INTERVAL": "0.2",
        "AIGEN_WORKER_INTERVAL": "1",
        "AIGEN_LEASE": "2",
    }
    process = Process(
        [AIGEN, "worker"], environment(**defaults | settings), api.url, folder / name, folder
    )
    process.log = folder / f"{name}.log"
    process.start()
    try:
        yield process
    finally:
        if process.child.poll() is None:
            process.stop()


@pytest.fixture
def person(new_api: Callable[..., Process]) -> Iterator[tuple[Process, Person]]:
    api = new_api("--no-worker", AIGEN_JOBS_PER_USER="100")
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    yield api, person
    person.close()


def ready(person: Person) -> int:
    workers: int = person.get("/readyz")["workers"]
    return workers


def test_a_worker_over_http_makes_videos_and_lets_go_when_stopped(
    person: tuple[Process, Person], tmp_path: Path, provider: Process
) -> None:
    api, ann = person
    assert ready(ann) == 0
    waiting = ann.video("distant, queued before")
    with worker(api, tmp_path, "first") as first:
        until(lambda: ready(ann) == 1, "the worker's lease")
        assert ann.wait(waiting)["status"] == "completed"
        job = ann.wait(ann.video("distant, woken at once"))
        assert job["status"] == "completed"
        failed = ann.wait(ann.video("distant sim:fail=No"))
        assert failed["error_code"] == "provider_failed"
        assert first.stop() == 0
    assert ready(ann) == 0
    sent = [e for e in submissions(provider.url) if e["prompt"].startswith("distant")]
    assert len(sent) == 3


def test_a_dead_workers_jobs_are_taken_over(
    person: tuple[Process, Person], tmp_path: Path, provider: Process
) -> None:
    api, ann = person
    with worker(api, tmp_path, "first") as first:
        job_id = ann.video("bereaved sim:sleep=3")
        until(
            lambda: ann.get(f"/generate/video/{job_id}/status")["submitted_at"],
            "the submission",
        )
        first.kill()
        with worker(api, tmp_path, "second"):
            assert ann.wait(job_id)["status"] == "completed"
    sent = [e for e in submissions(provider.url) if e["prompt"].startswith("bereaved")]
    assert len(sent) == 1


def test_a_worker_stops_fetching_what_is_cancelled(
    person: tuple[Process, Person], tmp_path: Path
) -> None:
    api, ann = person
    with worker(api, tmp_path, "first"):
        job_id = ann.video("cancelled sim:forever")
        until(
            lambda: ann.get(f"/generate/video/{job_id}/status")["submitted_at"],
            "the submission",
        )
        assert ann.post(f"/generate/video/{job_id}/cancel")["status"] == "cancelled"
        assert ann.wait(ann.video("the next one"))["status"] == "completed"


def test_a_worker_waits_for_an_api_that_is_away(
    person: tuple[Process, Person], tmp_path: Path, provider: Process
) -> None:
    api, ann = person
    with worker(api, tmp_path, "first"):
        until(lambda: ready(ann) == 1, "the worker's lease")
        job_id = ann.video("while the API restarts sim:delay=1.5")

        def is_being_submitted() -> bool:
            return any("API restarts" in e["prompt"] for e in submissions(provider.url))

        until(is_being_submitted, "the submission")
        api.kill()
        until(lambda: list((tmp_path / "first" / "journals").glob("*")), "the journal")
        api.start()
        job = ann.wait(job_id)
        assert (job["status"], job["error_code"]) == ("completed", None)
    assert sum("API restarts" in e["prompt"] for e in submissions(provider.url)) == 1


def test_a_worker_with_a_wrong_token_says_so_and_ends(
    person: tuple[Process, Person], tmp_path: Path
) -> None:
    api, _ = person
    with worker(api, tmp_path, "stranger", AIGEN_WORKER_TOKEN="a wrong token") as stranger:
        assert stranger.child.wait(timeout=20) == 1
    assert "AIGEN_WORKER_TOKEN" in stranger.output()
    assert "Traceback" not in stranger.output()
