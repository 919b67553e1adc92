"""A soak: jobs without end through one worker, on a real store and disk. Nothing grows with them
but the record of what they cost and, for the first hundred thousand, DuckDB's queue of dead
buffers.

`python -m benchmarks soak`, or `python -m benchmarks.soak 200000` until that is full.
"""

import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from itertools import count
from pathlib import Path

from attrs import frozen

from aigen import Aigen, VideoRequest
from aigen.adapters.memory.provider import MP4, ScriptedProvider
from aigen.ports.provider import Accepted, Done, PollOutcome, SubmitOutcome, VideoSubmission
from aigen.testing import bare_settings
from benchmarks.pace import paced
from benchmarks.report import Report
from benchmarks.tables import Result, show

JOBS = paced(8000, 512)
LOOKS = 8
PEOPLE = 64
MIB = 2**20
_PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")


class Instant(ScriptedProvider):
    """Makes every video at once, and remembers none."""

    def __init__(self) -> None:
        super().__init__()
        self._numbers = count()

    async def submit(self, submission: VideoSubmission) -> SubmitOutcome:
        return Accepted(provider_job_id=f"job-{next(self._numbers)}")

    async def poll(self, provider_job_id: str, polling_url: str | None) -> PollOutcome:
        return Done(addresses=("film",), cost_usd=Decimal("0.25"))

    @asynccontextmanager
    async def fetch(
        self, provider_job_id: str, address: str | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        yield _film()


async def _film() -> AsyncIterator[bytes]:
    yield MP4


@frozen
class Look:
    """What the process has after so many jobs."""

    jobs: int
    seconds: float
    memory: float
    database: float
    files: int
    threads: int
    descriptors: int

    @classmethod
    def at(cls, jobs: int, began: float, data: Path) -> "Look":
        return cls(
            jobs,
            time.perf_counter() - began,
            int(Path("/proc/self/statm").read_text().split()[1]) * _PAGE_BYTES / MIB,
            sum(file.stat().st_size for file in data.glob("aigen.duckdb*")) / MIB,
            sum(file.is_file() for file in (data / "media").rglob("*")),
            len(list(Path("/proc/self/task").iterdir())),
            len(list(Path("/proc/self/fd").iterdir())),
        )

    def result(self) -> Result:
        return Result(
            name=f"{self.jobs} jobs",
            figures={
                "jobs/s": f"{self.jobs / self.seconds:.0f}" if self.jobs else "",
                "memory MiB": f"{self.memory:.0f}",
                "database MiB": f"{self.database:.1f}",
                "films": str(self.files),
                "threads": str(self.threads),
                "descriptors": str(self.descriptors),
            },
        )


def run(jobs: int = JOBS) -> Report:
    with tempfile.TemporaryDirectory() as folder:
        looks = asyncio.run(_soak(Path(folder), jobs))
    return Report([show(f"{jobs} jobs through one worker", [look.result() for look in looks])])


async def _soak(data: Path, jobs: int) -> list[Look]:
    provider = Instant()
    settings = bare_settings(
        data_dir=data,
        poll_interval=timedelta(seconds=0.1),
        jobs_per_user=PEOPLE,
        bcrypt_cost=4,
    )
    async with Aigen.open(
        settings,
        text_provider=provider,
        image_provider=provider,
        video_provider=provider,
        catalogue=provider,
        cost_lookup=provider,
    ) as aigen:
        user = await aigen.users.add("ann@example.org", "a long pass phrase")
        began = time.perf_counter()
        looks = [Look.at(0, began, data)]
        async with aigen.worker():
            for part in range(1, LOOKS + 1):
                numbers = iter(range(jobs // LOOKS))
                await asyncio.gather(*(_one_by_one(aigen, user.id, numbers) for _ in range(PEOPLE)))
                looks.append(Look.at(part * (jobs // LOOKS), began, data))
        return looks


async def _one_by_one(aigen: Aigen, user_id: str, numbers: Iterator[int]) -> None:
    """Somebody who asks for a video, waits for it, and removes it."""
    for number in numbers:
        request = VideoRequest(model="google/veo-3.1-lite", prompt=f"A fox runs {number}")
        job = await aigen.videos.submit(user_id, request)
        await aigen.videos.wait(job.id)
        await aigen.videos.remove(user_id, job.id)


if __name__ == "__main__":
    run(int(sys.argv[1]) if sys.argv[1:] else JOBS)
