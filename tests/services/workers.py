"""Workers that run, are stopped, and die; and time that passes until something has happened."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.videos import VideoJob
from aigen.domain.services.worker import Worker, WorkerPolicy
from aigen.ports.clock import Clock
from aigen.ports.jobs import JobBoard, Journal
from aigen.ports.provider import VideoProvider
from aigen.testing import Harness
from tests.services.boards import now_of
from tests.services.worlds import SECOND


def a_worker(
    harness: Harness,
    *,
    board: JobBoard | None = None,
    provider: VideoProvider | None = None,
    journal: Journal | None = None,
    clock: Clock | None = None,
    **policy: Any,
) -> Worker:
    """A worker of the harness's installation, as if in a process of its own."""
    return Worker(
        board or harness.aigen.work,
        provider or harness.provider,
        harness.media,
        harness.aigen.events,
        journal or harness.journal,
        clock or harness.clock,
        SystemIds(),
        WorkerPolicy(**policy),
        is_inside=False,
    )


@asynccontextmanager
async def running(harness: Harness, worker: Worker | None = None) -> AsyncIterator[Worker]:
    """A worker that runs during the block and is drained at its end."""
    worker = worker or a_worker(harness)
    task = asyncio.create_task(worker.run())
    await harness.clock.settle()
    try:
        yield worker
    finally:
        worker.stop()
        await passed(harness, task.done)
        await task


async def begun(harness: Harness, worker: Worker | None = None) -> "asyncio.Task[None]":
    """A worker at work, to be killed or stopped by the test."""
    task = asyncio.create_task((worker or a_worker(harness)).run())
    await harness.clock.settle()
    return task


async def killed(task: "asyncio.Task[None]") -> None:
    """The worker's process is gone: it says nothing to anybody."""
    task.cancel()
    await asyncio.gather(task, return_exceptions=True)


async def passed(
    harness: Harness,
    has_happened: Callable[[], bool],
    *,
    within: timedelta = timedelta(hours=3),
    step: timedelta = 5 * SECOND,
) -> timedelta:
    """Let time pass in small steps until something has happened; how long it took."""
    start = harness.clock.now()
    await harness.clock.settle()
    while not has_happened():
        assert harness.clock.now() - start < within, "it did not happen in time"
        await harness.clock.advance(step)
    return harness.clock.now() - start


async def ended(harness: Harness, job: VideoJob, **how: Any) -> VideoJob:
    """The job when it is terminal."""
    await until(harness, lambda: _is_terminal(harness, job), **how)
    return await now_of(harness, job)


async def until(
    harness: Harness,
    has_happened: Callable[[], Awaitable[bool]],
    *,
    within: timedelta = timedelta(hours=3),
    step: timedelta = 5 * SECOND,
) -> timedelta:
    """As `passed`, for what has to be asked for."""
    start = harness.clock.now()
    await harness.clock.settle()
    while not await has_happened():
        assert harness.clock.now() - start < within, "it did not happen in time"
        await harness.clock.advance(step)
    return harness.clock.now() - start


async def _is_terminal(harness: Harness, job: VideoJob) -> bool:
    return (await now_of(harness, job)).is_terminal
