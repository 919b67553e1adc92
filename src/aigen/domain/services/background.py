"""Work that goes on when whoever asked for it has gone."""

import asyncio
import logging
from collections.abc import Coroutine
from typing import Any, TypeVar

from aigen.domain.model.errors import AigenError

T = TypeVar("T")
logger = logging.getLogger(__name__)


class Background:
    """Runs what must be finished once begun: a provider that was paid has to be heard out."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[Any]] = set()

    def start(self, work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
        """Begin the work; nobody need wait for it."""
        task = asyncio.create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._ended)
        return task

    async def finish(self, work: Coroutine[Any, Any, T]) -> T:
        """Do the work and give its result; if the caller is cancelled, the work goes on."""
        return await asyncio.shield(self.start(work))

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, AigenError):
            logger.error("background work failed", exc_info=error)
