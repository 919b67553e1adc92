"""Work that goes on when whoever asked for it has gone."""

import asyncio
import logging
from collections.abc import AsyncIterator, Coroutine
from typing import Any, Generic, TypeVar

from attrs import frozen

from aigen.domain.model.errors import AigenError, ProviderOutcomeUnknown

T = TypeVar("T")
logger = logging.getLogger(__name__)


@frozen
class _Item(Generic[T]):
    value: T


_Heard = asyncio.Queue[_Item[T] | AigenError | None]


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

    async def hear(self, source: AsyncIterator[T]) -> AsyncIterator[T]:
        """What the source gives, as it comes; it is heard out even if the listener leaves.

        What it raises before its first item is raised here, what comes later by the iterator.
        """
        heard: _Heard[T] = asyncio.Queue()
        self.start(_listen(source, heard))
        first = await heard.get()
        if isinstance(first, AigenError):
            raise first
        return _rest(first, heard)

    async def drain(self) -> None:
        """Wait until nothing is under way."""
        while self._tasks:
            await asyncio.wait(set(self._tasks))

    def _ended(self, task: asyncio.Task[Any]) -> None:
        self._tasks.discard(task)
        error = None if task.cancelled() else task.exception()
        if error is not None and not isinstance(error, AigenError):
            logger.error("background work failed", exc_info=error)


async def _listen(source: AsyncIterator[T], heard: _Heard[T]) -> None:
    end: AigenError | None = ProviderOutcomeUnknown()  # unless another is reached
    try:
        async for item in source:
            heard.put_nowait(_Item(item))
        end = None
    except AigenError as error:
        end = error
    finally:
        heard.put_nowait(end)  # whatever happened, nobody may wait for ever


async def _rest(item: _Item[T] | None, heard: _Heard[T]) -> AsyncIterator[T]:
    following: _Item[T] | AigenError | None = item
    while isinstance(following, _Item):
        yield following.value
        following = await heard.get()
    if following is not None:
        raise following
