"""The pytest plugin that comes with aigen: fixtures, which load nothing before they are used.

The entry point makes every pytest run of an environment import this module, whatever it tests:
hence the prefix, and imports within the fixtures.
"""

from collections.abc import AsyncIterator, Iterator
from typing import TYPE_CHECKING

import pytest

try:
    from pytest_asyncio import fixture as async_fixture
except ImportError:  # then something else runs what is async, such as anyio's plugin
    async_fixture = pytest.fixture  # type: ignore[assignment]

if TYPE_CHECKING:
    from aigen.testing.harness import Harness


@async_fixture
async def aigen_harness() -> AsyncIterator["Harness"]:
    """A `Harness` for an async test: an empty installation over adapters in memory."""
    from aigen.testing.harness import Harness  # noqa: PLC0415

    async with Harness.open() as harness:
        yield harness


@pytest.fixture
def aigen_harness_in_thread() -> Iterator["Harness"]:
    """A `Harness` for a test that is not async, which asks by `harness.aigen.run`."""
    from aigen.testing.harness import Harness  # noqa: PLC0415

    with Harness.in_thread() as harness:
        yield harness
