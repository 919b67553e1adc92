"""All that one simulator knows; the rooms of the API share it."""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Coroutine

from starlette.requests import Request
from starlette.types import Scope

from aigen.adapters.openrouter.simulator.errors import ApiError
from aigen.adapters.openrouter.simulator.jobs import Jobs
from aigen.adapters.openrouter.simulator.journal import Journal
from aigen.adapters.openrouter.simulator.ledger import Ledger
from aigen.adapters.openrouter.simulator.memory import JobMemory
from aigen.adapters.openrouter.simulator.options import SimulatorOptions

Clock = Callable[[], float]
Sleep = Callable[[float], Awaitable[None]]

ENTRY = "aigen.simulator.entry"


class State:
    def __init__(
        self, options: SimulatorOptions, clock: Clock, sleep: Sleep, memory: JobMemory
    ) -> None:
        self.options = options
        self.clock = clock
        self.journal = Journal()
        self.ledger = Ledger(clock)
        self.memory = memory
        self.jobs = Jobs()
        self.secret = secrets.token_bytes(16)
        """Signs the links to media, so that none can be made up."""
        self._sleep = sleep
        self._tasks: set[asyncio.Task[None]] = set()

    async def sleep(self, seconds: float) -> None:
        if seconds > 0:
            await self._sleep(seconds)

    def authorise(self, request: Request) -> str:
        """The bearer key of the request; 401 without one, or if a certain one is needed."""
        scheme, _, key = request.headers.get("authorization", "").partition(" ")
        key = key.strip()
        if scheme.lower() != "bearer" or not key:
            raise ApiError(401, "Missing Authentication header")
        if self.options.api_key is not None and key != self.options.api_key:
            raise ApiError(401, "Invalid API key")
        return key

    def spawn(self, work: Coroutine[None, None, None]) -> None:
        """Run something beside the requests; `close` ends it."""
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def close(self) -> None:
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


def entry_number(scope: Scope) -> int:
    """The number of the request in the journal."""
    number: int = scope[ENTRY]
    return number


def origin_of(request: Request) -> str:
    """Scheme, host and port as the client sees them."""
    return f"{request.url.scheme}://{request.url.netloc}"
