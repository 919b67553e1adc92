"""Clients that are closed, and the simulator."""

import asyncio
import socket
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from datetime import timedelta
from typing import Any, Protocol

import pytest

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.simulator import RunningSimulator, serve_simulator
from tests.openrouter.servers import Handler, RawServer, client_tls, serving

KEY = "sk-or-v1-secret-key-of-the-tests"


class Connect(Protocol):
    def __call__(self, base_url: str, *, seconds: float = 10, **more: Any) -> OpenRouterClients: ...


class Serve(Protocol):
    async def __call__(self, handler: Handler, *, tls: bool = False) -> RawServer: ...


@pytest.fixture
async def connect() -> AsyncIterator[Connect]:
    """Clients for an address; a short `seconds` is for calls that are meant to take too long."""
    async with AsyncExitStack() as stack:

        def make(base_url: str, *, seconds: float = 10, **more: Any) -> OpenRouterClients:
            timeout = timedelta(seconds=seconds)
            given: dict[str, Any] = {"api_key": KEY, "tls": client_tls()} | more
            clients = OpenRouterClients(
                base_url=base_url,
                submit_timeout=timeout,
                text_timeout=timeout,
                image_timeout=timeout,
                **given,
            )
            stack.push_async_callback(clients.aclose)
            return clients

        yield make


@pytest.fixture
async def serve() -> AsyncIterator[Serve]:
    async with AsyncExitStack() as stack:

        async def start(handler: Handler, *, tls: bool = False) -> RawServer:
            return await stack.enter_async_context(serving(handler, tls=tls))

        yield start


@pytest.fixture
async def simulator() -> AsyncIterator[RunningSimulator]:
    async with serve_simulator() as running:
        yield running


@pytest.fixture
def clients(connect: Connect, simulator: RunningSimulator) -> OpenRouterClients:
    """Those of the simulator."""
    return connect(simulator.url)


@pytest.fixture
def resolve(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Let all names stand for the given addresses."""

    def set_up(*addresses: str) -> None:
        async def getaddrinfo(host: str, port: int, **_: Any) -> list[Any]:
            if not addresses:
                raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
            return [
                (socket.AF_INET, socket.SOCK_STREAM, 6, "", (address, port))
                for address in addresses
            ]

        monkeypatch.setattr(asyncio.get_running_loop(), "getaddrinfo", getaddrinfo)

    return set_up
