"""The simulator as an ASGI application: its rooms, its errors, its journal."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Match, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from aigen.adapters.openrouter.simulator.account import Account
from aigen.adapters.openrouter.simulator.chat import Chat
from aigen.adapters.openrouter.simulator.controls import PREFIX, Controls
from aigen.adapters.openrouter.simulator.discovery import Discovery
from aigen.adapters.openrouter.simulator.errors import ApiError
from aigen.adapters.openrouter.simulator.images import Images
from aigen.adapters.openrouter.simulator.intake import Intake
from aigen.adapters.openrouter.simulator.journal import Journal
from aigen.adapters.openrouter.simulator.legacy_images import PATH, LegacyImages
from aigen.adapters.openrouter.simulator.media import Media
from aigen.adapters.openrouter.simulator.memory import JobMemory
from aigen.adapters.openrouter.simulator.options import SimulatorOptions
from aigen.adapters.openrouter.simulator.state import ENTRY, Clock, Sleep, State
from aigen.adapters.openrouter.simulator.video_jobs import VideoJobs
from aigen.adapters.openrouter.simulator.videos import Videos


class Simulator:
    """One OpenRouter of its own: account, jobs, journal. Time comes in, so tests can move it;
    with a file as `memory`, video jobs outlive it."""

    def __init__(
        self,
        options: SimulatorOptions | None = None,
        *,
        clock: Clock = time.time,
        sleep: Sleep = asyncio.sleep,
        memory: Path | None = None,
    ) -> None:
        self._state = State(options or SimulatorOptions(), clock, sleep, JobMemory(memory))
        self._routes = self._all_routes()
        self.app = Starlette(
            routes=self._routes,
            middleware=[Middleware(_Journalled, simulator=self)],
            exception_handlers={ApiError: self._failed, HTTPException: self._failed},
            lifespan=self._lifespan,
        )

    @property
    def options(self) -> SimulatorOptions:
        return self._state.options

    @property
    def journal(self) -> Journal:
        return self._state.journal

    def change(self, **switches: object) -> None:
        """Turn switches while it runs."""
        self._state.options = self._state.options.changed(switches)

    async def close(self) -> None:
        """End what still runs beside the requests: webhooks and those waiting to be sent."""
        await self._state.close()

    def _all_routes(self) -> list[Route]:
        state = self._state
        intake, media = Intake(state), Media(state)
        rooms = (
            Discovery(),
            Chat(state, intake),
            Images(state, intake),
            LegacyImages(state, intake, media),
            Videos(state, intake, VideoJobs(state, media)),
            Account(state),
            media,
            Controls(state),
        )
        return [route for room in rooms for route in room.routes()]

    async def _failed(self, request: Request, error: Exception) -> Response:
        if isinstance(error, HTTPException):
            error = ApiError(error.status_code, error.detail, headers=error.headers)
        if not isinstance(error, ApiError):
            raise error
        if request.url.path == PATH and self.options.legacy_images:
            return error.legacy_response()
        return error.response(with_type=self.options.error_types)

    @asynccontextmanager
    async def _lifespan(self, _: Starlette) -> AsyncIterator[None]:
        yield
        await self.close()

    def open_entry(self, scope: Scope) -> tuple[int, str]:
        """Note the request; returns its number and the pattern of its route."""
        route = next(
            (route.path for route in self._routes if route.matches(scope)[0] is Match.FULL),
            "(unknown)",
        )
        named = f"{scope['method']} {route}"
        number = self.journal.open(
            at=self._state.clock(),
            method=scope["method"],
            path=scope["path"],
            route=named,
            most=self.options.journal_entries,
        )
        return number, named


class _Journalled:
    """Notes each request before it is handled, and its status as soon as that is sent."""

    def __init__(self, app: ASGIApp, simulator: Simulator) -> None:
        self._app = app
        self._simulator = simulator

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["path"].startswith(PREFIX):
            await self._app(scope, receive, send)
            return
        number, route = self._simulator.open_entry(scope)
        scope[ENTRY] = number

        async def noting_send(message: Message) -> None:
            if message["type"] == "http.response.start":
                self._simulator.journal.answer(number, route, message["status"])
            await send(message)

        await self._app(scope, receive, noting_send)
