"""Installations on PostgreSQL, of as many processes as wanted, which are killed and revived."""

import json
import subprocess
from collections.abc import Iterable, Iterator, Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, contextmanager
from itertools import cycle
from pathlib import Path
from types import MappingProxyType
from urllib.parse import urlsplit

import httpx
from attrs import define, field

from tests.e2e.balancer import balancing
from tests.e2e.crowds import Visitor
from tests.e2e.processes import (
    ADMIN,
    AIGEN,
    Person,
    Process,
    api,
    free_port,
    until,
)

PASSWORD = "another long pass phrase"

#: What all processes have to know of each other, on whatever machines they are.
_SHARED = {
    "AIGEN_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
    "AIGEN_PEPPER": "zyxwvutsrqponmlkjihgfedcba9876543210",
    "AIGEN_WORKER_TOKEN": "what a worker shows",
    "AIGEN_WEB_TOKEN": "what the frontend shows",
    "AIGEN_JOBS_PER_USER": "1000",
}

#: What a machine needs not know whose worker goes through the API.
_NOT_FOR_DISTANT_WORKERS = ("AIGEN_DATABASE", "AIGEN_MEDIA", "AIGEN_SECRET", "AIGEN_PEPPER", "AWS_")


@define
class Worker(Process):
    """It serves nothing, so it is ready when it says so."""

    _logged: int = field(default=0, init=False)

    def start(self, path: str = "") -> None:
        self._logged = len(self.output()) if self.log.exists() else 0
        super().start(path)

    def _answers(self, path: str) -> bool:
        self.must_run()
        return "worker_started" in self.output()[self._logged :]


class Alternating(httpx.BaseTransport):
    """Each request goes to another server than the one before."""

    def __init__(self, urls: Iterable[str]) -> None:
        self._servers = cycle([httpx.URL(url) for url in urls])
        self._transport = httpx.HTTPTransport()

    def handle_request(self, request: httpx.Request) -> httpx.Response:
        server = next(self._servers)
        request.url = request.url.copy_with(host=server.host, port=server.port)
        return self._transport.handle_request(request)

    def close(self) -> None:
        self._transport.close()


@define
class Town:
    """APIs, and behind `door`, which leads to any of them, frontends and workers without a key of
    the database; other workers have one. Each process has a data dir of its own."""

    folder: Path
    database_url: str
    door: str
    apis: list[Process]
    workers: list[Worker] = field(factory=list)
    webs: list[Process] = field(factory=list)
    people: list[Person] = field(factory=list)
    visitors: list[Visitor] = field(factory=list)

    @property
    def processes(self) -> list[Process]:
        return [*self.apis, *self.workers, *self.webs]

    # --- people -----------------------------------------------------------------------------

    def root(self, number: int | None = None) -> Person:
        return self.log_in(ADMIN["email"], ADMIN["password"], number)

    def log_in(self, email: str, password: str = PASSWORD, number: int | None = None) -> Person:
        """Somebody at the API of this number, or at another one with each request."""
        urls = [process.url for process in self.apis]
        here = urls if number is None else [urls[number]]
        client = httpx.Client(base_url=here[0], timeout=30, transport=Alternating(here))
        self.people.append(Person.over(client, email, password))
        return self.people[-1]

    def also_at(self, person: Person, number: int) -> Person:
        """Somebody who has logged in elsewhere, at the API of this number."""
        client = httpx.Client(base_url=self.apis[number].url, trust_env=False, timeout=30)
        client.headers["Authorization"] = person.client.headers["Authorization"]
        self.people.append(Person(client, person.tokens))
        return self.people[-1]

    def visitor(self, email: str, number: int = 0) -> Visitor:
        """Somebody who has logged in on the pages of a frontend."""
        visitor = Visitor(self.webs[number].url)
        self.visitors.append(visitor)
        visitor.log_in(email, PASSWORD)
        return visitor

    # --- processes --------------------------------------------------------------------------

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

    def start(self) -> None:
        """The first API alone, which makes the schema and the administrator; then all others."""
        first, *others = self.processes
        first.start()
        with ThreadPoolExecutor(len(others)) as threads:
            list(threads.map(_start, others))
        until(lambda: self.workers_at_work() == len(self.workers), "all workers", self.output)

    def kill_and_revive(self, process: Process) -> None:
        process.kill()
        _start(process)

    def workers_at_work(self) -> int:
        count: int = httpx.get(f"{self.door}/readyz", trust_env=False, timeout=30).json()["workers"]
        return count

    def stop(self) -> None:
        """As an operator stops it, one after the other; all end well."""
        for process in reversed(self.processes):
            code = process.stop()
            assert code == 0, f"{process.command} ended with {code}:\n{process.output()}"

    def output(self) -> str:
        return "\n".join(process.output()[-4000:] for process in self.processes)


def statuses(person: Person, job_id: str) -> Iterator[str]:
    """What an event stream says of a job until its end."""
    with person.client.stream("GET", f"/generate/video/{job_id}/events") as answer:
        for line in answer.iter_lines():
            if line.startswith("data:"):
                yield json.loads(line.removeprefix("data:"))["status"]


def _start(process: Process) -> None:
    process.start("/login" if process.command[1] == "web" else "/healthz")


@contextmanager
def town(
    folder: Path,
    provider_url: str,
    database_url: str,
    *,
    apis: int = 2,
    workers: int = 2,
    distant: int = 0,
    webs: int = 0,
    settings: Mapping[str, str] = MappingProxyType({}),
) -> Iterator[Town]:
    """A town that has started; whatever is left of it at the end is killed. Of the workers, the
    `distant` ones go through the APIs."""
    settings = {
        "AIGEN_DATABASE_URL": database_url,
        "AIGEN_MEDIA_URL": f"file://{folder}/media",
        **_SHARED,
        **settings,
    }

    def a_process(name: str, **own: str) -> Process:
        (folder / name).mkdir()
        return api(folder / name, provider_url, "--no-worker", **settings | own)

    with ExitStack() as stack:
        served = [a_process(f"api-{number}") for number in range(1, apis + 1)]
        door = stack.enter_context(balancing([urlsplit(each.url).port or 0 for each in served]))
        built = Town(folder, database_url, door, served)
        stack.callback(_clean_up, built)
        for number in range(1, workers + distant + 1):
            process = a_process(f"worker-{number}", AIGEN_API_URL=door)
            built.workers.append(_worker(process, is_distant=number > workers))
        for number in range(1, webs + 1):
            port = str(free_port())
            process = a_process(f"web-{number}", AIGEN_API_URL=door, AIGEN_WEB_PORT=port)
            process.command = [AIGEN, "web"]
            process.url = f"http://127.0.0.1:{port}"
            built.webs.append(process)
        built.start()
        yield built


def _worker(process: Process, *, is_distant: bool) -> Worker:
    hidden = _NOT_FOR_DISTANT_WORKERS if is_distant else ()
    kept = {name: value for name, value in process.env.items() if not name.startswith(hidden)}
    return Worker([AIGEN, "worker"], kept, process.url, process.log, process.folder)


def _clean_up(built: Town) -> None:
    for person in built.people:
        person.close()
    for visitor in built.visitors:
        visitor.close()
    for process in built.processes:
        if process._child is not None and process.child.poll() is None:
            process.kill()
