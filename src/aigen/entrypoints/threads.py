"""Async work for code that is not async: it is done on a loop in another thread, and waited for."""

import asyncio
import concurrent.futures.thread  # noqa: F401 - see `_leave_all`
import os
import threading
from collections.abc import AsyncGenerator, AsyncIterator, Callable, Coroutine, Iterator
from concurrent.futures import FIRST_COMPLETED, Future, wait
from contextlib import AbstractAsyncContextManager, contextmanager, suppress
from threading import Thread
from typing import Any, TypeVar

from attrs import frozen

T = TypeVar("T")


@frozen(eq=False)
class LoopElsewhere:
    """A running event loop, as seen from all threads but its own."""

    _loop: asyncio.AbstractEventLoop

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        """What `await work` gives or raises. An interruption, such as Ctrl-C, cancels the work.

        Raises RuntimeError in the loop's own thread, and when the loop is closed.
        """
        doing = self._begun(work)
        try:
            return doing.result()
        finally:
            # Does nothing once it is done; if it is not, nobody waits for it any more.
            doing.cancel()

    def each(self, items: AsyncIterator[T]) -> Iterator[T]:
        """What `async for` over the items gives or raises; a generator that is left is closed."""
        while (found := self.run(_next(items))) is not None:
            try:
                yield found[0]
            except GeneratorExit:
                if isinstance(items, AsyncGenerator) and not self._loop.is_closed():
                    self.run(_closed(items))
                raise

    @contextmanager
    def within(self, manager: AbstractAsyncContextManager[T]) -> Iterator[T]:
        """What `async with` does; the manager is not told of an error in the block.

        It is entered and left in one task, which timeouts and task groups insist on.
        """
        entered: Future[T] = Future()
        leaving = asyncio.Event()

        async def stay() -> None:
            async with manager as value:
                entered.set_result(value)
                await leaving.wait()

        staying = self._begun(stay())
        both: tuple[Future[Any], ...] = (entered, staying)
        try:
            wait(both, return_when=FIRST_COMPLETED)
        except BaseException:
            staying.cancel()
            raise
        if not entered.done():
            staying.result()

        def leave() -> None:
            self._loop.call_soon_threadsafe(leaving.set)
            staying.result()

        with _left_at_last(leave):
            yield entered.result()

    def _begun(self, work: Coroutine[Any, Any, T]) -> "Future[T]":
        if (trouble := self._trouble()) is not None:
            work.close()
            raise RuntimeError(trouble)
        return asyncio.run_coroutine_threadsafe(work, self._loop)

    def _trouble(self) -> str | None:
        if self._loop.is_closed():
            return "aigen is closed"
        with suppress(RuntimeError):  # no loop runs in this thread
            if asyncio.get_running_loop() is self._loop:
                return "this is the loop's own thread, which would wait for itself: use await"
        return None


@contextmanager
def loop_in_thread() -> Iterator[LoopElsewhere]:
    """A new event loop in a thread of its own, until the end of the block or of the program."""
    started: Future[tuple[asyncio.AbstractEventLoop, asyncio.Event]] = Future()

    async def live() -> None:
        ending = asyncio.Event()
        started.set_result((asyncio.get_running_loop(), ending))
        await ending.wait()

    thread = Thread(target=lambda: asyncio.run(live()), name="aigen", daemon=True)
    thread.start()
    loop, ending = started.result()

    def end() -> None:
        loop.call_soon_threadsafe(ending.set)
        thread.join()

    with _left_at_last(end):
        yield LoopElsewhere(loop)


# --- what is never left, as in a notebook -------------------------------------------------------

_open: list[Callable[[], None]] = []


@contextmanager
def _left_at_last(leave: Callable[[], None]) -> Iterator[None]:
    """Call it at the end of the block, or of the program if that comes first."""
    _open.append(leave)
    try:
        yield
    finally:
        if leave in _open:
            _open.remove(leave)
            leave()


def _leave_all() -> None:
    while _open:
        _open.pop()()


# `atexit` comes too late: no executor takes work by then, and closing needs them. This is what
# `concurrent.futures.thread` ends them by, last come first served, so it has to be loaded before.
threading._register_atexit(_leave_all)  # type: ignore[attr-defined]  # noqa: SLF001
# The loops' threads are not in a child that was forked: it would wait for them for ever.
os.register_at_fork(after_in_child=_open.clear)


async def _next(items: AsyncIterator[T]) -> tuple[T] | None:
    async for item in items:
        return (item,)
    return None


async def _closed(items: AsyncGenerator[Any]) -> None:
    await items.aclose()
