"""The tests that every adapter of a port must pass.

Import a module's tests into one of your own and give them the fixture that they ask for:

    from aigen.testing.contracts.store import *

    @pytest_asyncio.fixture
    async def store(): ...
"""

import pytest

pytest.register_assert_rewrite(
    "aigen.testing.contracts.emails",
    "aigen.testing.contracts.events",
    "aigen.testing.contracts.images",
    "aigen.testing.contracts.journal",
    "aigen.testing.contracts.media",
    "aigen.testing.contracts.passwords",
    "aigen.testing.contracts.store",
    "aigen.testing.contracts.store_history",
    "aigen.testing.contracts.store_money",
    "aigen.testing.contracts.store_queue",
    "aigen.testing.contracts.store_retention",
    "aigen.testing.contracts.subjects",
    "aigen.testing.contracts.texts",
    "aigen.testing.contracts.tokens",
    "aigen.testing.contracts.videos",
)
