"""The API process: server, worker inside, first administrator, and an end without loss."""

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AbstractAsyncContextManager, asynccontextmanager, nullcontext, suppress
from typing import Any

import structlog
import uvicorn

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.services.worker import Worker
from aigen.entrypoints.api.app import create_server_app
from aigen.entrypoints.api.house import House
from aigen.entrypoints.library import Aigen
from aigen.entrypoints.processes import Stop, listen, within
from aigen.entrypoints.residence import settle_in
from aigen.entrypoints.server_file import announced
from aigen.entrypoints.settings import Settings, SettingsInvalid
from aigen.entrypoints.worker import keep_working

logger = structlog.get_logger()

#: Something that lives as long as the API is served, and is told under which settings.
Beside = Callable[[Settings], AbstractAsyncContextManager[None]]


class _Server(uvicorn.Server):
    """uvicorn without its own signal handlers: the process decides when to stop."""

    def capture_signals(self) -> Any:
        return nullcontext()


async def serve_api(
    settings: Settings,
    stop: Stop,
    *,
    with_worker: bool,
    greet: Callable[[Aigen], Awaitable[str]] | None = None,
    beside: Beside | None = None,
) -> None:
    """Serve the API until told to stop. `greet` may still prepare something; what it returns is
    printed as soon as requests are answered. `beside` is entered once the API is served and left
    when it has been drained.

    Raises CannotStart and SettingsInvalid before anything is served.
    """
    # Before anything else is opened, so that a port that is taken is said first.
    listening = listen(settings.api_host, settings.api_port, "API")
    settings = settings.model_copy(update={"api_port": listening.getsockname()[1]})
    async with Aigen.open(settings) as aigen:
        await _add_first_admin(aigen)
        greeting = await greet(aigen) if greet is not None else ""
        house = House.of(aigen)
        if with_worker:
            house.worker = aigen.new_worker()
        server = _Server(
            uvicorn.Config(
                create_server_app(house),
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                ws="none",
                timeout_graceful_shutdown=1,
            )
        )
        company = beside(settings) if beside is not None else nullcontext()
        async with _working(house.worker) as working, _serving(server, listening), company:
            with announced(settings):
                print(greeting, end="", flush=True)
                settle_in()
                await stop.wait()
                grace = settings.shutdown_grace.total_seconds()
                await within(grace, _drain(house, working))
    logger.info("stopped")


async def _drain(house: House, working: asyncio.Task[None] | None) -> None:
    """Take no new work, finish what is being submitted or recorded; readiness says so."""
    logger.info("draining")
    house.is_draining = True
    if house.worker is not None and working is not None:
        house.worker.stop()
        await asyncio.shield(working)
    await house.aigen.background.drain()


@asynccontextmanager
async def _serving(server: _Server, listening: socket.socket) -> AsyncIterator[None]:
    running = asyncio.create_task(server.serve([listening]))
    try:
        yield
    finally:
        server.should_exit = True
        await running


@asynccontextmanager
async def _working(worker: Worker | None) -> AsyncIterator[asyncio.Task[None] | None]:
    """Run the worker beside the block."""
    if worker is None:
        yield None
        return
    working = asyncio.create_task(keep_working(worker))
    try:
        yield working
    finally:
        working.cancel()
        with suppress(asyncio.CancelledError):
            await working


async def _add_first_admin(aigen: Aigen) -> None:
    email, password = aigen.settings.admin_email, aigen.settings.admin_password
    if email is None or password is None:
        return
    try:
        user = await aigen.users.add_first_admin(email, password.get_secret_value())
    except InvalidRequest as error:
        variable = "AIGEN_ADMIN_EMAIL" if error.field == "email" else "AIGEN_ADMIN_PASSWORD"
        raise SettingsInvalid(f"{variable}: {error.detail}") from error
    if user is not None:
        logger.info("first_admin_added", user_id=user.id)
