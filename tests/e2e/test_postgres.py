"""Several APIs and workers on one PostgreSQL, which lose nothing and buy nothing twice."""

import json
import subprocess
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import frozen

from tests.e2e.processes import (
    ADMIN,
    AIGEN,
    VIDEO_MODEL,
    Person,
    Process,
    api,
    submissions,
    until,
)
from tests.postgres.server import Server

OVER = {"completed", "failed", "cancelled"}


@frozen
class Town:
    """Two APIs and two workers, each with a data dir of its own; they share database and files."""

    apis: tuple[Process, Process]
    workers: tuple[Process, Process]
    people: tuple[Person, Person]

    @property
    def processes(self) -> tuple[Process, ...]:
        return (*self.apis, *self.workers)

    def aigen(self, *arguments: str) -> str:
        """What a command prints that works on the database."""
        done = subprocess.run(
            [AIGEN, *arguments],
            env=self.apis[0].env,
            cwd=self.apis[0].folder,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == 0, done.stderr
        return done.stdout

    def output(self) -> str:
        return "\n".join(process.output() for process in self.processes)


@pytest.fixture
def town(provider: Process, database_url: str, tmp_path: Path) -> Iterator[Town]:
    shared = {
        "AIGEN_DATABASE_URL": database_url,
        "AIGEN_MEDIA_URL": f"file://{tmp_path}/media",
        "AIGEN_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
        "AIGEN_PEPPER": "zyxwvutsrqponmlkjihgfedcba9876543210",
        "AIGEN_JOBS_PER_USER": "1000",
    }
    folders = [tmp_path / name for name in ("api-1", "api-2", "worker-1", "worker-2")]
    with ExitStack() as stack:
        made: list[Process] = []
        for folder in folders:
            folder.mkdir()
            process = api(folder, provider.url, "--no-worker", **shared)
            if folder.name.startswith("worker"):
                process.command = [AIGEN, "worker"]
                process.url = made[0].url  # it serves nothing itself
            made.append(process)
            process.start()
            stack.callback(ended, process)
        people = [Person.log_in(each.url, ADMIN["email"], ADMIN["password"]) for each in made[:2]]
        for person in people:
            stack.callback(person.close)
        until(lambda: people[0].get("/readyz")["workers"] == 2, "both workers")
        yield Town((made[0], made[1]), (made[2], made[3]), (people[0], people[1]))


def ended(process: Process) -> None:
    if process.child.poll() is None:
        process.kill()


def bought(provider: Process, word: str) -> Counter[str]:
    """How often each prompt with this word was handed over and taken."""
    return Counter(
        str(entry["prompt"])
        for entry in submissions(provider.url)
        if word in str(entry["prompt"]) and entry["accepted"]
    )


def test_all_work_on_one_queue_and_know_of_each_other(town: Town, provider: Process) -> None:
    here, there = town.people
    ids = [(here, there)[number % 2].video(f"shared {number}") for number in range(30)]
    assert [there.wait(job_id)["status"] for job_id in ids] == ["completed"] * len(ids)
    assert set(bought(provider, "shared").values()) == {1}
    assert len(bought(provider, "shared")) == len(ids)
    # A change is seen at once at an API that had no part in it.
    watched = here.video("watched from elsewhere")
    states = list(statuses(there, watched))
    assert states[-1] == "completed"
    # A key makes one job, wherever it is shown.
    body = {"model": VIDEO_MODEL, "prompt": "with a key", "duration": 4}
    keyed = [
        p.post("/generate/video", body, 202, headers={"Idempotency-Key": "k"}) for p in town.people
    ]
    assert keyed[0]["id"] == keyed[1]["id"]
    # Users can be administered beside the running processes, and it counts at once.
    added = json.loads(
        town.aigen("users", "add", "ann@example.org", "--generate-password", "--json")
    )
    ann = Person.log_in(town.apis[1].url, added["email"], added["password"])
    assert ann.get("/users/me")["role"] == "user"
    town.aigen("users", "set-role", added["email"], "admin")
    assert ann.get("/users/me")["role"] == "admin"
    town.aigen("users", "remove", added["email"], "--yes")
    ann.get("/users/me", status=401)
    ann.close()
    assert town.aigen("db", "migrate") == "nothing to do\n"
    assert "generated_videos: 32 rows" in town.aigen("db", "check")
    assert [process.stop() for process in reversed(town.processes)] == [0, 0, 0, 0]


def statuses(person: Person, job_id: str) -> Iterator[str]:
    """What an event stream says of a job until its end."""
    with person.client.stream("GET", f"/generate/video/{job_id}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))["status"]


def test_a_killed_workers_jobs_are_taken_over(town: Town, provider: Process) -> None:
    here, there = town.people
    ids = [here.video(f"orphan {number} sim:sleep=2") for number in range(12)]

    def all_are_submitted() -> bool:
        return all(there.get(f"/generate/video/{i}/status")["submitted_at"] for i in ids)

    until(all_are_submitted, "the submissions")
    town.workers[0].kill()
    ends = Counter(there.wait(job_id)["status"] for job_id in ids)
    assert ends == {"completed": len(ids)}
    assert set(bought(provider, "orphan").values()) == {1}
    assert here.get("/readyz")["workers"] == 1


def test_a_database_that_falls_down_under_load_costs_nothing(
    town: Town, provider: Process, postgres: Server, database_url: str
) -> None:
    accepted: dict[str, str] = {}

    def submit(number: int) -> None:
        """Until it is accepted, with a key, as a client does who is not sure."""
        person = town.people[number % 2]
        prompt = f"unshaken {number}"
        body = {"model": VIDEO_MODEL, "prompt": prompt, "duration": 4}

        def try_once() -> Any:
            answer = person.client.post(
                "/generate/video", json=body, headers={"Idempotency-Key": f"key-{number}"}
            )
            assert answer.status_code in {202, 503}, answer.text
            return answer.json() if answer.status_code == 202 else None

        accepted[prompt] = until(try_once, prompt, town.output)["id"]

    for number in range(60):
        if number % 15 == 7:
            postgres.crash(database_url)
        submit(number)
    with postgres.away(database_url):
        for process in town.apis:
            answer = httpx.get(f"{process.url}/readyz", trust_env=False, timeout=30)
            assert answer.status_code == 503
            assert httpx.get(f"{process.url}/healthz", trust_env=False).status_code == 200
            answer = httpx.get(
                f"{process.url}/users/me",
                headers=dict(town.people[0].client.headers),
                trust_env=False,
            )
            assert (answer.status_code, answer.json()["code"]) == (503, "database_unavailable")
    ends = {}
    for prompt, job_id in accepted.items():

        def over(job_id: str = job_id) -> Any:
            answer = town.people[0].client.get(f"/generate/video/{job_id}/status")
            return answer.json() if answer.json().get("status") in OVER else None

        ends[prompt] = until(over, prompt, town.output)
    # What was being handed over when the database fell may be unknown; nothing is bought twice.
    codes = Counter(job["error_code"] for job in ends.values())
    assert set(codes) <= {None, "submission_outcome_unknown"}, codes
    assert codes[None] >= len(accepted) // 2
    assert set(bought(provider, "unshaken").values()) == {1}
    assert all(process.child.poll() is None for process in town.processes), town.output()
