"""An installation behind its API, and the people who call it."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar

import httpx
from attrs import define, evolve, field, frozen
from fastapi import FastAPI
from starlette.types import ASGIApp, Receive, Scope, Send

from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.domain.model.users import Role
from aigen.entrypoints.api.app import create_app, enclosed
from aigen.entrypoints.api.house import House
from aigen.entrypoints.library import Aigen
from aigen.ports.provider import (
    Failure,
    ImageAnswer,
    SubmitOutcome,
    TextAnswer,
    VideoSubmission,
)
from aigen.ports.store import Records
from aigen.testing import ManualClock, ScriptedProvider, bare_settings

T = TypeVar("T")

#: Everybody's password, and where everybody calls from.
PASSWORD = "a long pass phrase"
ADDRESS = "203.0.113.7"

#: In the middle of a day and of a month, so that an hour more or less changes neither.
NOON = datetime(2026, 3, 15, 12, tzinfo=UTC)

#: What `common` has that the usual installation has not.
CALLBACK_SECRET = "whsec-of-the-tests"
PROXY, SECOND_PROXY = "10.0.0.1", "10.0.0.2"
COMMON: dict[str, Any] = {
    "callback_secret": CALLBACK_SECRET,
    "public_url": "https://api.example.org",
    "trusted_proxies": f"{PROXY}, {SECOND_PROXY}/31",
    "login_failures_per_address": 10**9,
}

UNKNOWN_ID = "0192f0c0-1111-7222-8333-444455556666"


@frozen(kw_only=True, eq=False)
class Client:
    """Whoever calls the API, with the token that goes along with every request."""

    http: httpx.AsyncClient
    token: str | None = None

    async def ask(self, method: str, path: str, body: Any = None, **parts: Any) -> httpx.Response:
        headers = dict(parts.pop("headers", {}))
        if self.token is not None:
            headers.setdefault("Authorization", f"Bearer {self.token}")
        if body is not None:
            parts["json"] = body
        return await self.http.request(method, path, headers=headers, **parts)

    async def get(self, path: str, **parts: Any) -> httpx.Response:
        return await self.ask("GET", path, **parts)

    async def post(self, path: str, body: Any = None, **parts: Any) -> httpx.Response:
        return await self.ask("POST", path, body, **parts)

    async def put(self, path: str, body: Any = None, **parts: Any) -> httpx.Response:
        return await self.ask("PUT", path, body, **parts)

    async def delete(self, path: str, **parts: Any) -> httpx.Response:
        return await self.ask("DELETE", path, **parts)


@frozen(kw_only=True, eq=False)
class Person(Client):
    """Somebody who has an account and is logged in."""

    token: str
    id: str
    email: str
    refresh_token: str

    def over(self, http: httpx.AsyncClient) -> "Person":
        """The same person by another connection."""
        return evolve(self, http=http)


class WatchedProvider(ScriptedProvider):
    """`asked` is set as soon as anything that costs is asked for, before the gate."""

    def __init__(self) -> None:
        self.forget()

    def forget(self) -> None:
        """Be as new."""
        super().__init__()
        self.asked = asyncio.Event()

    async def complete(self, request: TextRequest) -> TextAnswer | Failure:
        self.asked.set()
        return await super().complete(request)

    async def generate(
        self, request: ImageRequest, source: str | None = None
    ) -> ImageAnswer | Failure:
        self.asked.set()
        return await super().generate(request, source)

    async def submit(self, submission: VideoSubmission) -> SubmitOutcome:
        self.asked.set()
        return await super().submit(submission)


@define(kw_only=True, eq=False)
class World:
    """An open installation with its API served in process."""

    aigen: Aigen
    house: House
    provider: WatchedProvider
    clock: ManualClock
    http: httpx.AsyncClient
    _names: Counter[str] = field(factory=Counter)
    _ids: list[str] = field(factory=list)

    @property
    def anonymous(self) -> Client:
        return self.bearing(None)

    @property
    def operator(self) -> Client:
        return self.bearing(self.aigen.secrets.operator_token)

    @property
    def worker(self) -> Client:
        return self.bearing(self.aigen.secrets.worker_token)

    def bearing(self, token: str | None) -> Client:
        """Whoever has this token."""
        return Client(http=self.http, token=token)

    async def person(self, email: str, role: Role = Role.USER) -> Person:
        """Add an account and log in."""
        user = await self.aigen.users.add(email, PASSWORD, role)
        self._ids.append(user.id)
        return await self.login(email)

    async def ann(self) -> Person:
        return await self.person(self._email("ann"))

    async def bob(self) -> Person:
        return await self.person(self._email("bob"))

    async def root(self) -> Person:
        return await self.person(self._email("root"), Role.ADMIN)

    def _email(self, name: str) -> str:
        """An address that nobody has yet."""
        self._names[name] += 1
        number = self._names[name]
        return f"{name}@example.org" if number == 1 else f"{name}-{number}@example.org"

    async def login(self, email: str, password: str = PASSWORD) -> Person:
        """One more session of somebody who has an account."""
        tokens = await self.aigen.sessions.login(email, password)
        caller = await self.aigen.sessions.authenticate(tokens.access_token)
        return Person(
            http=self.http,
            token=tokens.access_token,
            id=caller.user.id,
            email=email,
            refresh_token=tokens.refresh_token,
        )

    async def clear(self) -> None:
        """Make it as new for whoever comes next, but for accounts, history and the time."""
        self.house.is_draining = False
        self.provider.gate.set()
        await self.aigen.background.drain()
        self.provider.forget()

        def change(records: Records) -> None:
            for user_id in self._ids:
                records.videos.remove_of(user_id)
                records.provider_jobs.remove_of(user_id)
            for lease in records.workers.all():
                records.workers.remove(lease.worker_id)

        await self.change(change)
        self._ids.clear()

    async def look(self, look: Callable[[Records], T]) -> T:
        """What is stored, past the API."""
        return await self.aigen.store.read(look)

    async def change(self, change: Callable[[Records], T]) -> T:
        return await self.aigen.store.write(change)


@asynccontextmanager
async def opened(
    data_dir: Path, adapters: dict[str, Any] | None = None, **settings: Any
) -> AsyncIterator[World]:
    """An installation with these settings and adapters; time stands still at noon."""
    provider, clock = WatchedProvider(), ManualClock(NOON)
    usual: dict[str, Any] = {
        "clock": clock,
        "text_provider": provider,
        "chat_provider": provider,
        "image_provider": provider,
        "video_provider": provider,
        "catalogue": provider,
        "cost_lookup": provider,
    }
    said = bare_settings(**{"data_dir": data_dir, "bcrypt_cost": 4} | settings)
    async with Aigen.open(said, **usual | (adapters or {})) as aigen:
        house = House.of(aigen)
        async with in_process(house) as http:
            try:
                yield World(aigen=aigen, house=house, provider=provider, clock=clock, http=http)
            finally:
                provider.gate.set()  # nobody may wait for a test that is over


def in_process(house: House, address: str = ADDRESS) -> httpx.AsyncClient:
    """A client of the API that needs no socket; an answer is there when all of it is."""
    transport = httpx.ASGITransport(app_of(house), client=(address, 1234))
    return httpx.AsyncClient(transport=transport, base_url="http://testserver", trust_env=False)


_apps: dict[Any, FastAPI] = {}


def app_of(house: House) -> ASGIApp:
    """As `create_server_app` makes it, but with routes that were built for an earlier test:
    building them takes longer than most tests."""
    settings = house.aigen.settings
    like = (settings.docs, settings.max_body)
    if like not in _apps:
        _apps[like] = create_app(house)
    app = _apps[like]
    served = enclosed(app, house)

    async def serve(scope: Scope, receive: Receive, send: Send) -> None:
        app.state.house = house
        await served(scope, receive, send)

    return serve
