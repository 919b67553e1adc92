"""One installation that all attack, and the option that lets them take their time."""

from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest
import pytest_asyncio
import structlog

from tests.api.world import World, opened
from tests.e2e.processes import Process, simulator

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here run in one event loop, so that they can share what takes long to open."""
    one_loop = pytest.mark.asyncio(loop_scope="package")
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(one_loop, append=False)


@pytest.fixture(autouse=True, scope="package")
def quiet_logs() -> Iterator[None]:
    """Nothing is written for requests, of which there are thousands."""
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(50))
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def world(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """Everything is switched on, and nobody is slowed down."""
    async with opened(
        tmp_path_factory.mktemp("world"),
        registration="open",
        metrics="on",
        jobs_per_user=10**6,
        login_failures=10**6,
        login_failures_per_address=10**9,
    ) as world:
        yield world


@pytest.fixture(scope="package")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running
