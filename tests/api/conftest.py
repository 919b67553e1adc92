"""Installations with their API, and the usual people in the usual one."""

import asyncio
import socket
import ssl
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
import pytest_asyncio
import structlog
import uvicorn

from aigen.adapters.system_clock import SystemClock
from aigen.entrypoints.api.house import House
from tests.api.world import COMMON, Client, Person, World, app_of, opened

HERE = Path(__file__).parent


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """All tests here run in one event loop, so that they can share what takes long to open."""
    one_loop = pytest.mark.asyncio(loop_scope="package")
    for item in items:
        if HERE in item.path.parents and pytest_asyncio.is_async_test(item):
            item.add_marker(one_loop, append=False)


class OpenWorld(Protocol):
    async def __call__(self, adapters: dict[str, Any] | None = None, **settings: Any) -> World: ...


class Serve(Protocol):
    async def __call__(self, world: World) -> httpx.AsyncClient: ...


@pytest.fixture(autouse=True, scope="package")
def plain_logs() -> Iterator[None]:
    """Tracebacks without the values of variables, which take seconds to print."""
    renderer = structlog.dev.ConsoleRenderer(
        colors=False, exception_formatter=structlog.dev.plain_traceback
    )
    structlog.configure(processors=[structlog.processors.add_log_level, renderer])
    yield
    structlog.reset_defaults()


@pytest_asyncio.fixture(loop_scope="package")
async def open_world(tmp_path: Path) -> AsyncIterator[OpenWorld]:
    """Opens an installation that is unlike the usual one."""
    async with AsyncExitStack() as stack:

        async def make(adapters: dict[str, Any] | None = None, **settings: Any) -> World:
            return await stack.enter_async_context(opened(tmp_path / "data", adapters, **settings))

        yield make


@pytest_asyncio.fixture(loop_scope="package")
async def world(open_world: OpenWorld) -> World:
    """The usual installation, new for each test. Modules whose tests do not mind what others
    have left behind put `common` in its place, which is much quicker."""
    return await open_world()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def _common(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    async with opened(tmp_path_factory.mktemp("common"), **COMMON) as world:
        yield world


@pytest_asyncio.fixture(loop_scope="package")
async def common(_common: World) -> AsyncIterator[World]:
    """An installation in which other tests have been. No job is left of them, and the provider
    is as new."""
    yield _common
    await _common.clear()


@pytest_asyncio.fixture(loop_scope="package")
async def busy(open_world: OpenWorld) -> World:
    """An installation in which time passes, for those that have a worker."""
    adapters = {"clock": SystemClock()}
    return await open_world(adapters, poll_interval=0.01, worker_interval=0.05)


@pytest.fixture
def anonymous(world: World) -> Client:
    return world.anonymous


@pytest_asyncio.fixture(loop_scope="package")
async def ann(world: World) -> Person:
    return await world.ann()


@pytest_asyncio.fixture(loop_scope="package")
async def bob(world: World) -> Person:
    return await world.bob()


@pytest_asyncio.fixture(loop_scope="package")
async def root(world: World) -> Person:
    return await world.root()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def still(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """An installation that tests share of which none gets anything done."""
    folder = tmp_path_factory.mktemp("still")
    async with opened(folder, registration="open", max_body=2**20) as world:
        yield world


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def asker(still: World) -> Person:
    """The admin of that installation."""
    return await still.root()


class _Server(uvicorn.Server):
    """Stops at once when told to, rather than at the next tenth of a second."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self.stop = asyncio.Event()

    def capture_signals(self) -> Any:
        return nullcontext()

    async def main_loop(self) -> None:
        await self.on_tick(0)
        await self.stop.wait()


@pytest_asyncio.fixture(scope="package", loop_scope="package")
async def _common_http(_common: World) -> AsyncIterator[httpx.AsyncClient]:
    async with _serving(_common.house) as http:
        yield http


@pytest_asyncio.fixture(loop_scope="package")
async def serve(
    open_world: OpenWorld, _common: World, _common_http: httpx.AsyncClient
) -> AsyncIterator[Serve]:
    """Serves an installation on a loopback socket: for streams, and for clients who leave."""
    async with AsyncExitStack() as stack:

        async def start(world: World) -> httpx.AsyncClient:
            if world is _common:
                return _common_http
            return await stack.enter_async_context(_serving(world.house))

        yield start


@asynccontextmanager
async def _serving(house: House) -> AsyncIterator[httpx.AsyncClient]:
    """Serve the API on a socket as `aigen api` does; a client of it."""
    listening = socket.create_server(("127.0.0.1", 0), backlog=64)
    config = uvicorn.Config(
        app_of(house),
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        proxy_headers=False,
        ws="none",
        timeout_graceful_shutdown=1,
    )
    server = _Server(config)
    running = asyncio.create_task(server.serve([listening]))
    base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
    # An empty TLS context, since loading all certificates takes longer than most tests.
    no_tls = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    try:
        async with httpx.AsyncClient(
            base_url=base_url, verify=no_tls, trust_env=False, timeout=10
        ) as http:
            yield http
    finally:
        server.stop.set()
        await running
