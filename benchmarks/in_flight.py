"""Ten thousand videos in flight on one worker: whether each is polled in time, what that takes, and
how soon another worker has them when this one is killed.

`python -m benchmarks in_flight`, or `python -m benchmarks.in_flight 20000`. Worker, provider and
PostgreSQL are processes of their own; when who was polled is read in the provider's journal.
"""

import asyncio
import os
import signal
import sys
import tempfile
import time
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable
from contextlib import ExitStack, asynccontextmanager
from datetime import datetime
from itertools import pairwise
from pathlib import Path
from statistics import mean, quantiles

import httpx
from attrs import frozen
from tests.postgres.server import running_server

from aigen import Aigen, Settings, VideoRequest
from aigen.adapters.system_clock import SystemIds
from aigen.entrypoints.settings import variable_of
from aigen.testing.samples import a_user, stored
from benchmarks.pace import paced
from benchmarks.postgres import version
from benchmarks.processes import AIGEN, Process, free_port, running, working
from benchmarks.report import Report, machine
from benchmarks.tables import Bound, Result, show

JOBS = paced(10_000, 100)
JOBS_OF_A_USER = 10
SUBMITTED_AT_A_TIME = 16
#: The defaults. A pause between two polls of a job is up to a fifth longer or shorter.
POLL_SECONDS = float(paced(15, 1))
LEASE_SECONDS = float(paced(60, 5))
SWEEP_SECONDS = float(paced(15, 1))
JITTER = 0.2
INTERVALS = paced(6, 3)
MB = 1e6


@frozen(kw_only=True)
class Flight:
    """Seconds between two polls of a job, sorted, and what that took: `seconds` of which so many
    were the processes' CPU's, and bytes."""

    pauses: list[float]
    polls: int
    seconds: float
    worker_cpu: float
    provider_cpu: float
    memory: int

    def results(self) -> list[Result]:
        shortest, longest = POLL_SECONDS * (1 - JITTER), POLL_SECONDS * (1 + JITTER)
        planned = [shortest + (longest - shortest) * n / 1000 for n in range(1001)]
        return [
            Result(name="as planned", figures=_pauses(planned)),
            Result(
                name="as polled",
                figures=_pauses(self.pauses)
                | {
                    "polls/s": f"{self.polls / self.seconds:.0f}",
                    "worker": f"{self.worker_cpu / self.seconds:.0%} CPU",
                    "provider": f"{self.provider_cpu / self.seconds:.0%} CPU",
                    "memory": f"{self.memory / MB:.0f} MB",
                },
                bounds=(
                    Bound(f"≤ {longest + POLL_SECONDS / 10:.1f} s", max(self.pauses)),
                    Bound("< 150 MB", self.memory / MB),
                ),
            ),
        ]


@frozen(kw_only=True)
class Takeover:
    """What a worker did that found another one's jobs: seconds after that one's death, and bytes
    at most."""

    seconds: float
    memory: int

    def result(self) -> Result:
        return Result(
            name="all polled by another",
            figures={
                "after its death": f"{self.seconds:.1f} s",
                "memory": f"{self.memory / MB:.0f} MB",
            },
            # Until the lease is over, until somebody sweeps, and one interval.
            bounds=(
                Bound(f"≤ {LEASE_SECONDS + SWEEP_SECONDS + POLL_SECONDS:.0f} s", self.seconds),
            ),
        )


def _pauses(pauses: list[float]) -> dict[str, str]:
    percentiles = quantiles(pauses, n=100, method="inclusive")
    return {
        "at the longest": f"{max(pauses):.2f} s",
        "mean": f"{mean(pauses):.2f} s",
        "p50": f"{percentiles[49]:.2f} s",
        "p99": f"{percentiles[98]:.2f} s",
    }


def run(jobs: int = JOBS) -> Report:
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
        folder.chmod(0o755)  # PostgreSQL runs as somebody else
        server = stack.enter_context(running_server(folder / "postgres", is_durable=True))
        url = stack.enter_context(server.database())
        flight, takeover = asyncio.run(_measured(jobs, folder, url))
        measured_on = machine(PostgreSQL=version(url))
    return Report(
        [
            show(f"Pauses between two polls, {jobs:,} videos in flight", flight.results()),
            show(f"{jobs:,} videos in flight, their worker killed", [takeover.result()]),
        ],
        measured_on,
    )


async def _measured(jobs: int, folder: Path, url: str) -> tuple[Flight, Takeover]:
    async with _installation(folder, url) as (house, provider, variables):
        with working([AIGEN, "worker"], variables) as worker:
            await _take_off(house, jobs)
            await _until_accepted(provider, jobs)
            flight = await _observed(worker, provider)
            os.kill(worker.pid, signal.SIGKILL)
        died_at = time.time()
        with working([AIGEN, "worker"], variables) as heir:
            return flight, await _taken_over(heir, provider, jobs, died_at)


@asynccontextmanager
async def _installation(
    folder: Path, url: str
) -> AsyncIterator[tuple[Aigen, Process, dict[str, str]]]:
    """A house, its provider, and the variables for its workers."""
    port = free_port()
    with running([AIGEN, "simulator", "--port", str(port)], port, "/simulator/summary") as provider:
        settings = {
            "database_url": url,
            "media_url": f"file://{folder}/media",
            "openrouter_api_key": "sk-or-v1-benchmark",
            "openrouter_url": f"{provider.url}/api/v1",
            "poll_interval": str(POLL_SECONDS),
            "worker_interval": str(SWEEP_SECONDS),
            "lease": str(LEASE_SECONDS),
            "secret_key": "0123456789abcdefghijklmnopqrstuvwxyz",
            "pepper": "zyxwvutsrqponmlkjihgfedcba9876543210",
        }
        variables = {variable_of(name): value for name, value in settings.items()}
        async with Aigen.open(Settings(data_dir=folder / "here", **settings)) as house:
            yield house, provider, variables | {"AIGEN_DATA_DIR": str(folder / "worker")}


async def _take_off(house: Aigen, jobs: int) -> None:
    """Jobs of many users that never end."""
    users = [a_user(id=SystemIds().new()) for _ in range(-(-jobs // JOBS_OF_A_USER))]
    await stored(house.store, *users)
    numbers = iter(range(jobs))

    async def submit() -> None:
        for number in numbers:
            prompt = f"A fox runs through the snow, for the {number}th time. sim:forever"
            request = VideoRequest(model="google/veo-3.1-lite", prompt=prompt, duration=4)
            await house.videos.submit(users[number % len(users)].id, request)

    await asyncio.gather(*(submit() for _ in range(SUBMITTED_AT_A_TIME)))


# --- what the provider knows ----------------------------------------------------------------


def _asking(provider: Process) -> httpx.AsyncClient:
    return httpx.AsyncClient(base_url=provider.url, trust_env=False, timeout=120)


async def _until_accepted(provider: Process, jobs: int) -> None:
    async with _asking(provider) as client:
        await client.put("/simulator/options", json={"journal_entries": 10_000_000})
        while True:
            summary = (await client.get("/simulator/summary")).json()
            if summary["jobs"]["unfinished"] >= jobs:
                return
            await asyncio.sleep(0.5)  # another process has no other way to be waited for


async def _polls(client: httpx.AsyncClient) -> dict[str, list[float]]:
    """When each job was polled since the journal was cleared."""
    polls: dict[str, list[float]] = defaultdict(list)
    for entry in (await client.get("/simulator/journal")).json()["entries"]:
        polls[entry["path"]].append(datetime.fromisoformat(entry["at"]).timestamp())
    return polls


async def _observed(worker: Process, provider: Process) -> Flight:
    async with _asking(provider) as client:
        await asyncio.sleep(POLL_SECONDS * (1 + JITTER))  # until each has been polled once
        await client.delete("/simulator/journal")
        before, began = (worker.cpu_seconds(), provider.cpu_seconds()), time.perf_counter()
        await asyncio.sleep(INTERVALS * POLL_SECONDS)
        after, seconds = (worker.cpu_seconds(), provider.cpu_seconds()), time.perf_counter() - began
        memory = worker.peak_bytes()
        polls = await _polls(client)
    return Flight(
        pauses=sorted(_gaps(polls.values())),
        polls=sum(map(len, polls.values())),
        seconds=seconds,
        worker_cpu=after[0] - before[0],
        provider_cpu=after[1] - before[1],
        memory=memory,
    )


def _gaps(polls: Iterable[list[float]]) -> list[float]:
    return [later - earlier for times in polls for earlier, later in pairwise(times)]


async def _taken_over(heir: Process, provider: Process, jobs: int, died_at: float) -> Takeover:
    async with _asking(provider) as client:
        await client.delete("/simulator/journal")
        while True:
            polls = await _polls(client)
            if len(polls) >= jobs:
                last = max(times[0] for times in polls.values())
                return Takeover(seconds=last - died_at, memory=heir.peak_bytes())
            await asyncio.sleep(paced(5, 1))


if __name__ == "__main__":
    run(int(sys.argv[1]) if sys.argv[1:] else JOBS)
