"""Every channel of events keeps the contract."""

import pytest

from aigen.adapters.local_events import LocalEvents
from aigen.ports.events import Events
from aigen.testing.contracts.events import *  # noqa: F403


@pytest.fixture
def events() -> Events:
    return LocalEvents()
