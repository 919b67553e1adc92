"""An empty installation over in-memory adapters, and people in it."""

from collections.abc import AsyncIterator

import pytest

from aigen.adapters.memory.store import MemoryStore
from aigen.domain.model.users import Role, User
from aigen.testing import Harness
from tests.services.worlds import PASSWORD, TroubledStore


@pytest.fixture
def store() -> TroubledStore:
    """The store of the `harness`."""
    return TroubledStore(MemoryStore())


@pytest.fixture
async def harness(store: TroubledStore) -> AsyncIterator[Harness]:
    async with Harness.open(store=store) as harness:
        yield harness
        # Closing waits for what is being bought, also after a test that has failed.
        harness.provider.gate.set()
        store.recover()


@pytest.fixture
async def ann(harness: Harness) -> User:
    return await harness.user("ann@example.org")


@pytest.fixture
async def bob(harness: Harness) -> User:
    return await harness.user("bob@example.org")


@pytest.fixture
async def admin(harness: Harness) -> User:
    return await harness.aigen.users.add("root@example.org", PASSWORD, Role.ADMIN)
