"""`pytest_plugins = ["aigen.testing.fixtures"]` gives tests a `harness`; needs pytest-asyncio."""

from collections.abc import AsyncIterator

import pytest_asyncio

from aigen.testing.harness import Harness


@pytest_asyncio.fixture
async def harness() -> AsyncIterator[Harness]:
    """An empty installation over in-memory adapters."""
    async with Harness.open() as harness:
        yield harness
