"""An empty installation over in-memory adapters, and people in it."""

import inspect
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from aigen.adapters.memory.store import MemoryStore
from aigen.domain.model.users import Role, User
from aigen.testing import Harness
from tests.services.bounds import bounded, opened
from tests.services.worlds import PASSWORD, TroubledStore

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """No test of this folder may hang."""
    ours = [item for item in items if item.path.is_relative_to(HERE)]
    for item in ours:
        if isinstance(item, pytest.Function) and inspect.iscoroutinefunction(item.obj):
            item.obj = bounded(item.obj)


@pytest.fixture
def store() -> TroubledStore:
    """The store of the `harness`."""
    return TroubledStore(MemoryStore())


@pytest.fixture
async def harness(store: TroubledStore) -> AsyncIterator[Harness]:
    async with opened(store=store) as harness:
        yield harness


@pytest.fixture
async def ann(harness: Harness) -> User:
    return await harness.user("ann@example.org")


@pytest.fixture
async def bob(harness: Harness) -> User:
    return await harness.user("bob@example.org")


@pytest.fixture
async def admin(harness: Harness) -> User:
    return await harness.aigen.users.add("root@example.org", PASSWORD, Role.ADMIN)
