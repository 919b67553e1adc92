"""The simulator on a port, inside the running event loop."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from attrs import frozen
from starlette.types import ASGIApp, Receive, Scope, Send
from uvicorn.config import Config
from uvicorn.server import ServerState

from aigen.adapters.openrouter.simulator.app import Simulator
from aigen.adapters.openrouter.simulator.connections import BreakableProtocol
from aigen.adapters.openrouter.simulator.options import SimulatorOptions


@frozen(kw_only=True)
class RunningSimulator:
    """Where it listens: `url` for clients of OpenRouter, `origin` for /simulator/journal."""

    origin: str
    simulator: Simulator

    @property
    def url(self) -> str:
        return f"{self.origin}/api/v1"


@asynccontextmanager
async def serve_simulator(
    options: SimulatorOptions | Simulator | None = None,
    host: str = "127.0.0.1",
    port: int = 0,
) -> AsyncIterator[RunningSimulator]:
    """Serve a simulator (a new one, or the given one) until the block ends; port 0: a free one."""
    simulator = options if isinstance(options, Simulator) else Simulator(options)
    async with listening(simulator.app, host, port) as origin:
        try:
            yield RunningSimulator(origin=origin, simulator=simulator)
        finally:
            await simulator.close()


@asynccontextmanager
async def listening(app: ASGIApp, host: str = "127.0.0.1", port: int = 0) -> AsyncIterator[str]:
    """Serve an ASGI application until the block ends; yields its origin.

    This is uvicorn's protocol on a server of the event loop and not `uvicorn.Server`, which
    installs signal handlers, looks up from its sleep ten times a second and, at the end, waits
    for requests that hang on purpose.
    """
    config = Config(
        _cancellable(app), lifespan="off", ws="none", log_config=None, proxy_headers=False
    )
    config.load()
    connections = ServerState()

    def protocol() -> BreakableProtocol:
        return BreakableProtocol(config=config, server_state=connections, app_state={})

    server = await asyncio.get_running_loop().create_server(protocol, host, port)
    try:
        yield f"http://{host}:{server.sockets[0].getsockname()[1]}"
    finally:
        server.close()
        await _hang_up(connections)
        await server.wait_closed()


def _cancellable(app: ASGIApp) -> ASGIApp:
    """The application; when the server ends, uvicorn need not report its cancelled requests."""

    async def quiet(scope: Scope, receive: Receive, send: Send) -> None:
        with suppress(asyncio.CancelledError):
            await app(scope, receive, send)

    return quiet


async def _hang_up(state: ServerState) -> None:
    """Drop all connections and wait until the requests on them have noticed."""
    for connection in list(state.connections):
        connection.transport.abort()
    for task in (tasks := list(state.tasks)):
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
