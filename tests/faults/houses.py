"""Installations of several processes, which are killed, stopped and started as a test wants."""

from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
from attrs import define, field

from tests.e2e.processes import ADMIN, AIGEN, Person, Process, api, environment, until

PASSWORD = "another long pass phrase"
FINISHED = {"completed", "failed", "cancelled"}


@define
class House:
    """An API on a data dir of its own, the workers outside, and whoever has logged in."""

    folder: Path
    api: Process
    workers: list[Process] = field(factory=list)
    people: list[Person] = field(factory=list)
    _logged: dict[str, int] = field(factory=dict)

    @property
    def data(self) -> Path:
        return Path(self.api.env["AIGEN_DATA_DIR"])

    @property
    def media(self) -> Path:
        return self.data / "media"

    @property
    def processes(self) -> list[Process]:
        return [self.api, *self.workers]

    def add_worker(self) -> Process:
        """One more worker over HTTP."""
        name = f"worker-{len(self.workers) + 1}"
        token = (self.data / "worker-token").read_text().strip()
        own = {
            "AIGEN_API_URL": self.api.url,
            "AIGEN_DATA_DIR": str(self.folder / name),
            "AIGEN_WORKER_TOKEN": token,
        }
        env = environment(**_settings_of(self.api) | own)
        log = self.folder / f"{name}.log"
        worker = Process([AIGEN, "worker"], env, self.api.url, log, self.folder)
        worker.start()
        self.workers.append(worker)
        self.settle()
        return worker

    def revive(self, process: Process) -> None:
        """Start a process that was killed."""
        self._logged[process.log.name] = len(process.output())
        process.start()

    def settle(self) -> None:
        """Until every worker outside is at work; before, a signal would end it just so."""
        for worker in self.workers:
            logged = self._logged.get(worker.log.name, 0)
            until(lambda w=worker, n=logged: "worker_started" in w.output()[n:], "the worker")

    def ready(self) -> Any:
        return httpx.get(f"{self.api.url}/readyz", trust_env=False, timeout=30).json()

    def root(self) -> Person:
        """The administrator, who is also a user."""
        return self.log_in(ADMIN["email"], ADMIN["password"])

    def new_user(self, root: Person, email: str) -> Person:
        root.post("/users", {"email": email, "password": PASSWORD}, 201)
        return self.log_in(email, PASSWORD)

    def log_in(self, email: str, password: str) -> Person:
        self.people.append(Person.log_in(self.api.url, email, password))
        return self.people[-1]

    def stop(self) -> None:
        """As an operator stops it; all end well."""
        self.settle()
        for process in reversed(self.processes):
            code = process.stop()
            assert code == 0, f"{process.command} ended with {code}:\n{process.output()}"

    def clean_up(self) -> None:
        for person in self.people:
            person.close()
        for process in self.processes:
            if process._child is not None and process.child.poll() is None:
                process.kill()

    def output(self) -> str:
        return "\n".join(process.output()[-4000:] for process in self.processes)


@contextmanager
def house(folder: Path, provider_url: str, *options: str, **settings: str) -> Iterator[House]:
    """An installation whose API runs; whatever is left of it at the end is killed."""
    defaults = {"AIGEN_JOBS_PER_USER": "10000"}
    folder.mkdir(parents=True, exist_ok=True)
    built = House(folder, api(folder, provider_url, *options, **defaults | settings))
    try:
        built.api.start()
        yield built
    finally:
        built.clean_up()


def jobs_of(person: Person) -> dict[str, Any]:
    """All videos of somebody, by id."""
    found: dict[str, Any] = {}
    cursor = ""
    while True:
        page = person.get(f"/generate/video?limit=100{cursor}")
        found |= {job["id"]: job for job in page["items"]}
        if page["next_cursor"] is None:
            return found
        cursor = f"&cursor={page['next_cursor']}"


def job(person: Person, job_id: str) -> Any:
    return person.get(f"/generate/video/{job_id}/status")


def until_job(person: Person, job_id: str, has_come: Callable[[Any], Any], what: str) -> Any:
    """The job as soon as it is so."""

    def look() -> Any:
        found = job(person, job_id)
        return found if has_come(found) else None

    return until(look, f"{what} of job {job_id}", lambda: job(person, job_id))


def over(found: Any) -> bool:
    return found["status"] in FINISHED


def ends(person: Person, job_ids: Iterable[str]) -> list[Any]:
    """The jobs, in this order, when all are over."""
    return [until_job(person, job_id, over, "the end") for job_id in job_ids]


def _settings_of(process: Process) -> dict[str, str]:
    return {
        name: value
        for name, value in process.env.items()
        if name.startswith(("AIGEN_", "OPENROUTER_")) and "ADMIN" not in name
    }
