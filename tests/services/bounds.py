"""No test waits for ever: one that is stuck fails, and an installation closes after any failure."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from functools import wraps
from typing import Any

import pytest

from aigen.entrypoints.settings import Settings
from aigen.ports.store import Store
from aigen.testing import Harness
from tests.services.workers import passed
from tests.services.worlds import TroubledStore

#: Real seconds; what takes longer than this on the slowest machine is stuck.
PATIENCE = 30.0

Test = Callable[..., Awaitable[None]]


def bounded(test: Test) -> Test:
    """The test, failing when it is stuck. It is cut off and not waited for: what it has opened may
    wait for the same thing while it closes."""

    @wraps(test)
    async def within_patience(**fixtures: Any) -> None:
        running = asyncio.ensure_future(test(**fixtures))
        await asyncio.wait({running}, timeout=PATIENCE)
        if not running.done():
            running.cancel()
            await asyncio.wait({running}, timeout=1)
            pytest.fail(f"it still waits after {PATIENCE} seconds")
        running.result()

    return within_patience


@asynccontextmanager
async def opened(
    settings: Settings | None = None, store: Store | None = None
) -> AsyncIterator[Harness]:
    """An installation that closes whatever a test has left undone: closing waits for what is being
    bought, so the provider answers, the store is there, and time passes."""
    installation = Harness.open(settings, store=store)
    harness = await installation.__aenter__()
    try:
        yield harness
    finally:
        harness.provider.gate.set()
        if isinstance(store, TroubledStore):
            store.recover()
        closing = asyncio.ensure_future(installation.__aexit__(None, None, None))
        async with asyncio.timeout(PATIENCE):
            await passed(harness, closing.done)
        await closing
