"""An empty installation over in-memory adapters, and people in it."""

from collections.abc import AsyncIterator

import pytest

from aigen.domain.model.users import Role, User
from aigen.testing import Harness
from tests.services.worlds import PASSWORD


@pytest.fixture
async def harness() -> AsyncIterator[Harness]:
    async with Harness.open() as harness:
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
