"""Every channel of events keeps the contract."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aigen.adapters.local_events import LocalEvents
from aigen.adapters.system_clock import SystemIds
from aigen.ports.events import Events
from aigen.testing.contracts.events import *  # noqa: F403
from tests.postgres.installations import events_on


@pytest_asyncio.fixture(params=["local", "postgres"])
async def events(request: pytest.FixtureRequest) -> AsyncIterator[Events]:
    if request.param == "local":
        yield LocalEvents()
        return
    async with events_on(request.getfixturevalue("database_url"), SystemIds()) as opened:
        yield opened
