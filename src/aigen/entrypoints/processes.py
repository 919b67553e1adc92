"""Running a process: its event loop, its port, its signals, its exit code."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Awaitable, Callable, Coroutine
from typing import Any

import structlog
import uvloop

from aigen.domain.model.errors import AigenError, CannotStart
from aigen.entrypoints.residence import move_out
from aigen.entrypoints.settings import SettingsInvalid

logger = structlog.get_logger()

_EXIT_AT_ONCE = 130


class Stop:
    """Set by the first SIGTERM or SIGINT; the second one ends the process at once."""

    def __init__(self) -> None:
        self._event = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            loop.add_signal_handler(number, self.set)

    def set(self) -> None:
        if self._event.is_set():
            os._exit(_EXIT_AT_ONCE)
        self._event.set()

    async def wait(self) -> None:
        await self._event.wait()


def run(main: Callable[[Stop], Coroutine[Any, Any, None]]) -> int:
    """Run `main` until it ends; the exit code. An error that has a sentence gets one line."""
    # What this process writes is for its owner alone.
    os.umask(0o077)

    async def wrapped() -> None:
        await main(Stop())

    try:
        with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
            runner.run(wrapped())
    except AigenError as error:
        return say(error)
    finally:
        move_out()
    return 0


def say(error: AigenError) -> int:
    """Say in one line what went wrong; the exit code that goes with it."""
    print(f"aigen: {error.detail}", file=sys.stderr)
    return 2 if isinstance(error, SettingsInvalid) else 1


def listen(host: str, port: int, name: str) -> socket.socket:
    """A socket bound to where `AIGEN_<name>_HOST` and `_PORT` say. Raises CannotStart."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        return socket.create_server((host, port), family=family, backlog=2048)
    except OSError as error:
        raise CannotStart(
            f"aigen cannot listen on {host} port {port} ({error.strerror}): set "
            f"AIGEN_{name}_HOST and AIGEN_{name}_PORT."
        ) from error


async def within(grace: float, work: Awaitable[None]) -> None:
    """Wait for the work, but no longer than the grace; what is left is cut off."""
    try:
        async with asyncio.timeout(grace):
            await work
    except TimeoutError:
        logger.warning("shutdown_grace_is_over", seconds=grace)
