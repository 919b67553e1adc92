"""Installations with their API, and the usual people in the usual one."""

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager, nullcontext
from pathlib import Path
from typing import Any, Protocol

import httpx
import pytest
import pytest_asyncio
import uvicorn

from aigen.adapters.system_clock import SystemClock
from aigen.entrypoints.api.app import create_server_app
from aigen.entrypoints.api.house import House
from tests.api.world import Client, Person, World, opened


class OpenWorld(Protocol):
    async def __call__(self, adapters: dict[str, Any] | None = None, **settings: Any) -> World: ...


class Serve(Protocol):
    async def __call__(self, world: World) -> httpx.AsyncClient: ...


@pytest.fixture
async def open_world(tmp_path: Path) -> AsyncIterator[OpenWorld]:
    """Opens an installation that is unlike the usual one."""
    async with AsyncExitStack() as stack:

        async def make(adapters: dict[str, Any] | None = None, **settings: Any) -> World:
            return await stack.enter_async_context(opened(tmp_path / "data", adapters, **settings))

        yield make


@pytest.fixture
async def world(open_world: OpenWorld) -> World:
    """The usual installation."""
    return await open_world()


@pytest.fixture
async def busy(open_world: OpenWorld) -> World:
    """An installation in which time passes, for those that have a worker."""
    adapters = {"clock": SystemClock()}
    return await open_world(adapters, poll_interval=0.01, worker_interval=0.05)


@pytest.fixture
def anonymous(world: World) -> Client:
    return world.anonymous


@pytest.fixture
async def ann(world: World) -> Person:
    return await world.ann()


@pytest.fixture
async def bob(world: World) -> Person:
    return await world.bob()


@pytest.fixture
async def root(world: World) -> Person:
    return await world.root()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def still(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[World]:
    """An installation that a module's tests share, since none of them gets anything done."""
    folder = tmp_path_factory.mktemp("still")
    async with opened(folder, registration="open", max_body=2**20) as world:
        yield world


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def asker(still: World) -> Person:
    """The admin of that installation."""
    return await still.root()


class _Server(uvicorn.Server):
    def capture_signals(self) -> Any:
        return nullcontext()


@pytest.fixture
async def serve(open_world: OpenWorld) -> AsyncIterator[Serve]:
    """Serves an installation on a loopback socket: for streams, and for clients who leave."""
    async with AsyncExitStack() as stack:

        async def start(world: World) -> httpx.AsyncClient:
            listening = socket.create_server(("127.0.0.1", 0), backlog=64)
            await stack.enter_async_context(_serving(world.house, listening))
            base_url = f"http://127.0.0.1:{listening.getsockname()[1]}"
            client = httpx.AsyncClient(base_url=base_url, trust_env=False, timeout=10)
            return await stack.enter_async_context(client)

        yield start


@asynccontextmanager
async def _serving(house: House, listening: socket.socket) -> AsyncIterator[None]:
    """Serve the API on a socket as `aigen api` does."""
    config = uvicorn.Config(
        create_server_app(house),
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
    try:
        yield
    finally:
        server.should_exit = True
        await running
