"""What one of each thing costs on PostgreSQL: CPU of our processes and of the database's, changes,
bytes of its log, bytes of a row; and how many pass where all have to pass.

From these figures docs/capacity.md is computed.
"""

import asyncio
import os
import signal
import tempfile
import time
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import bcrypt
import httpx
import psycopg
from attrs import asdict, define, frozen
from tests.postgres.server import Server, running_server

from aigen.adapters.local_events import LocalEvents
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.events import PostgresEvents
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.videos import VideoState
from aigen.ports.events import VideoEvent
from benchmarks.figures import Cost, Figures
from benchmarks.load import hammer
from benchmarks.meter import Meter
from benchmarks.postgres import claims_a_second, reservations_a_second, version
from benchmarks.processes import AIGEN, Process, free_port, running, working
from benchmarks.report import Report, machine
from benchmarks.rows import bytes_of_rows
from benchmarks.tables import Result, Table, show
from benchmarks.text import PASSWORD
from benchmarks.web import logged_in

PEOPLE = 16
TEXTS = 2400
PICTURES = 160
VIDEOS = 480
FLYING = 800
FLIGHT_SECONDS = 20.0
LOOKS = 4800
REFRESHES = 480
PAGES = 480
HEARD = 20_000
#: The default cost of a password hash. Those of the benchmark itself are cheap.
ROUNDS = 12
PROMPT = "A fox runs through the snow at dawn, seen from above, soft light, in slow motion. " * 2
ADMIN = "admin@example.org"

_SECRETS = {
    "AIGEN_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
    "AIGEN_PEPPER": "zyxwvutsrqponmlkjihgfedcba9876543210",
    "AIGEN_WEB_TOKEN": "the frontend's own token",
}


def run() -> Report:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        server = stack.enter_context(running_server(folder / "postgres", is_durable=True))
        if server.control is None:
            raise RuntimeError("its CPU cannot be read: unset AIGEN_TEST_DATABASE_URL")
        figures = asyncio.run(_measured(server, folder))
    return Report(_show(figures), figures.measured_on, asdict(figures))


async def _measured(server: Server, folder: Path) -> Figures:
    with server.database() as url:
        async with _house(url, folder) as house:
            await house.is_set_up()
            costs = {
                "text": await house.texts(),
                "picture": await house.pictures(),
                "submission": await house.submissions(),
                "film": await house.films(),
                "look": await house.looks(),
                "page": await house.pages(),
                "refresh": await house.refreshes(),
                "login": Cost(api_ms=_password_ms()),
            }
            hearing_ms = await house.hearing_ms()
            costs["poll"] = await house.polls()
            memory_mb = house.memory_mb()
        measured_on = machine(PostgreSQL=version(url))
        row_bytes = bytes_of_rows(url)
    with server.database() as url:
        claims, _ = await claims_a_second(url)
    with server.database() as url:
        uncapped, capped = await reservations_a_second(url)
    return Figures(
        measured_on=measured_on,
        costs=costs,
        hearing_ms=hearing_ms,
        memory_mb=memory_mb,
        row_bytes=row_bytes,
        claims=claims,
        uncapped=uncapped,
        capped=capped,
    )


def _password_ms() -> float:
    password, salt = b"a long pass phrase", bcrypt.gensalt(ROUNDS)
    began = time.process_time()
    for _ in range(3):
        bcrypt.hashpw(password, salt)
    return (time.process_time() - began) / 3 * 1000


def _show(figures: Figures) -> list[Table]:
    costs = show(
        "One of each, on PostgreSQL",
        [
            Result(
                name=name,
                figures={
                    "API ms": f"{cost.api_ms:.2f}",
                    "frontend ms": f"{cost.web_ms:.2f}",
                    "worker ms": f"{cost.worker_ms:.2f}",
                    "database ms": f"{cost.database_ms:.2f}",
                    "changes": f"{cost.changes:.2f}",
                    "log bytes": f"{cost.log_bytes:.0f}",
                },
            )
            for name, cost in figures.costs.items()
        ],
    )
    sizes = [Result(name=name, figures={"bytes": str(n)}) for name, n in figures.row_bytes.items()]
    rows = show("A row, with its share of the indexes", sizes)
    others = {
        "an event heard": f"{figures.hearing_ms:.3f} ms",
        "claims": f"{figures.claims:.0f}/s",
        "reservations": f"{figures.uncapped:.0f}/s",
        "reservations under a cap of the house": f"{figures.capped:.0f}/s",
    }
    others |= {f"memory of {name}": f"{size} MB" for name, size in figures.memory_mb.items()}
    found = [Result(name=name, figures={"": text}) for name, text in others.items()]
    return [costs, rows, show("Where all have to pass, and memory", found)]


# --- what is measured -----------------------------------------------------------------------


@define
class Person:
    user_id: str
    access: str
    refresh: str


@frozen(kw_only=True)
class House:
    """An API, a frontend and a worker on one database, and people who use them at once."""

    url: str
    api: Process
    web: Process
    worker: Process
    provider: Process
    meter: Meter
    people: list[Person]
    cookie: str

    async def is_set_up(self) -> None:
        async with httpx.AsyncClient(base_url=self.provider.url, trust_env=False) as provider:
            options = {"video_polls": 1, "journal_entries": 1_000_000}
            (await provider.put("/simulator/options", json=options)).raise_for_status()
        while True:
            if self.meter.rows("workers"):
                return
            await asyncio.sleep(0.05)  # another process has no other way to be waited for

    async def texts(self) -> Cost:
        body = {"model": "openai/gpt-4o-mini", "prompt": PROMPT}
        await self._send(["/generate/text"], TEXTS // 10, body)
        return await self._metered(["/generate/text"], TEXTS, body)

    async def pictures(self) -> Cost:
        body = {"model": "black-forest-labs/flux.2-pro", "prompt": PROMPT}
        await self._send(["/generate/image"], PEOPLE, body)
        return await self._metered(["/generate/image"], PICTURES, body)

    async def submissions(self) -> Cost:
        """While the worker stands still, so that its part is not among them."""
        os.kill(self.worker.pid, signal.SIGSTOP)
        return await self._metered(["/generate/video"], VIDEOS, _film(PROMPT), status=202)

    async def films(self) -> Cost:
        """From the queue to the stored file, with one poll on the way."""
        async with self.meter.of(VIDEOS) as metered:
            os.kill(self.worker.pid, signal.SIGCONT)
            await self._until(VIDEOS, "completed")
        return metered.cost

    async def polls(self) -> Cost:
        """Of jobs that never end."""
        await self._send(["/generate/video"], FLYING, _film(f"{PROMPT} sim:forever"), status=202)
        async with httpx.AsyncClient(base_url=self.provider.url, trust_env=False) as provider:
            await self._until(FLYING, "processing")
            await provider.delete("/simulator/journal")
            async with self.meter.of(1) as metered:
                await asyncio.sleep(FLIGHT_SECONDS)
            polls = (await provider.get("/simulator/summary")).json()["requests"]
        return metered.cost.divided(polls)

    async def looks(self) -> Cost:
        """At a job, as pages and programs do that wait for it."""
        with psycopg.connect(self.url) as connection:
            jobs = "SELECT user_id::text, max(id::text) FROM generated_videos GROUP BY user_id"
            latest: dict[str, str] = dict(connection.execute(jobs).fetchall())
        paths = [f"/generate/video/{latest[person.user_id]}/status" for person in self.people]
        return await self._metered(paths, LOOKS)

    async def pages(self) -> Cost:
        await hammer(self.web.url + "/", requests=100, connections=4, cookie=self.cookie)
        async with self.meter.of(PAGES) as metered:
            await hammer(self.web.url + "/", requests=PAGES, connections=4, cookie=self.cookie)
        return metered.cost

    async def refreshes(self) -> Cost:
        async def go_on(client: httpx.AsyncClient, person: Person) -> None:
            for _ in range(REFRESHES // PEOPLE):
                body = {"refresh_token": person.refresh}
                answer = (await client.post("/auth/refresh", json=body)).raise_for_status()
                person.refresh = answer.json()["refresh_token"]

        async with (
            httpx.AsyncClient(base_url=self.api.url, trust_env=False) as client,
            self.meter.of(REFRESHES) as metered,
        ):
            await asyncio.gather(*(go_on(client, person) for person in self.people))
        return metered.cost

    async def hearing_ms(self) -> float:
        """Told as they come, which is some at a time."""
        database = Database(self.url)
        await database.open()
        events = PostgresEvents(database, LocalEvents(), SystemIds())
        await events.open()
        began = self.api.cpu_seconds()
        for number in range(HEARD):
            event = VideoEvent(video_id=SystemIds().new(), state=VideoState.PROCESSING)
            await events.publish(event)
            if number % 10 == 0:
                await asyncio.sleep(0.002)  # as much as a notification takes
        await asyncio.sleep(2)  # until the last one is heard
        heard = self.api.cpu_seconds() - began
        await events.close()
        await database.close()
        return heard / HEARD * 1000

    def memory_mb(self) -> dict[str, int]:
        processes = {"API": self.api, "frontend": self.web, "worker": self.worker}
        return {name: round(process.rss_bytes() / 1e6) for name, process in processes.items()}

    async def _until(self, count: int, status: str) -> None:
        """Wait until so many jobs have this status."""
        while True:
            if self.meter.rows(f"generated_videos WHERE status = '{status}'") >= count:
                return
            await asyncio.sleep(0.05)  # another process has no other way to be waited for

    async def _metered(
        self, paths: list[str], count: int, body: Any = None, *, status: int = 200
    ) -> Cost:
        async with self.meter.of(count) as metered:
            await self._send(paths, count, body, status=status)
        return metered.cost

    async def _send(
        self, paths: list[str], count: int, body: Any = None, *, status: int = 200
    ) -> None:
        """So many requests, of everybody at once: each to a path of their own, or all to one."""
        loads = await asyncio.gather(
            *(
                hammer(
                    self.api.url + paths[number % len(paths)],
                    requests=count // PEOPLE,
                    connections=1,
                    body=body,
                    token=person.access,
                )
                for number, person in enumerate(self.people)
            )
        )
        if any(set(load.statuses) != {status} for load in loads):
            raise RuntimeError(f"answers were {[load.statuses for load in loads]}")


def _film(prompt: str) -> dict[str, object]:
    return {"model": "google/veo-3.1-lite", "prompt": prompt, "duration": 4}


# --- what it is measured on -----------------------------------------------------------------


@asynccontextmanager
async def _house(url: str, folder: Path) -> AsyncIterator[House]:
    async with AsyncExitStack() as stack:
        ports = {name: free_port() for name in ("simulator", "api", "web")}
        simulator = [AIGEN, "simulator", "--port", str(ports["simulator"])]
        provider = stack.enter_context(running(simulator, ports["simulator"], "/simulator/summary"))

        def variables(kind: str) -> dict[str, str]:
            return _SECRETS | {
                "AIGEN_DATA_DIR": str(folder / kind),
                "AIGEN_DATABASE_URL": url,
                "AIGEN_MEDIA_URL": f"file://{folder}/media",
                "AIGEN_API_PORT": str(ports["api"]),
                "AIGEN_WEB_PORT": str(ports["web"]),
                "AIGEN_ADMIN_EMAIL": ADMIN,
                "AIGEN_ADMIN_PASSWORD": PASSWORD,
                "AIGEN_BCRYPT_COST": "4",
                "AIGEN_JOBS_PER_USER": "10000",
                "AIGEN_LEASE": "600",  # longer than the worker is made to stand still
                "AIGEN_POLL_INTERVAL": "2",
                "OPENROUTER_API_KEY": "sk-or-v1-benchmark",
                "AIGEN_OPENROUTER_URL": f"{provider.url}/api/v1",
            }

        def serving(kind: str, *command: str, path: str) -> Process:
            process = running([AIGEN, *command], ports[kind], path, variables(kind))
            return stack.enter_context(process)

        api = serving("api", "api", "--no-worker", path="/healthz")
        web = serving("web", "web", path="/login")
        worker = stack.enter_context(working([AIGEN, "worker"], variables("worker")))
        processes = {"api": api, "web": web, "worker": worker}
        yield House(
            url=url,
            api=api,
            web=web,
            worker=worker,
            provider=provider,
            meter=Meter(url, folder / "postgres", processes),
            people=await _people(api.url),
            cookie=logged_in(web),
        )


async def _people(api_url: str) -> list[Person]:
    async with httpx.AsyncClient(base_url=api_url, trust_env=False) as client:

        async def logged_in(email: str) -> dict[str, str]:
            credentials = {"email": email, "password": PASSWORD}
            answer = await client.post("/auth/login", json=credentials)
            tokens: dict[str, str] = answer.raise_for_status().json()
            return tokens

        admin = await logged_in(ADMIN)
        headers = {"Authorization": f"Bearer {admin['access_token']}"}
        people = []
        for number in range(PEOPLE):
            body = {"email": f"person-{number}@example.org", "password": PASSWORD}
            added = await client.post("/users", json=body, headers=headers)
            user_id = added.raise_for_status().json()["id"]
            tokens = await logged_in(body["email"])
            people.append(Person(user_id, tokens["access_token"], tokens["refresh_token"]))
        return people
