"""The job board, the files and the events of a house on another machine, over its API."""

import asyncio
import logging
from collections.abc import AsyncIterable, AsyncIterator, Collection
from contextlib import asynccontextmanager
from datetime import datetime
from typing import Any

import aiohttp
import httpx
from httpx_aiohttp import AiohttpTransport

from aigen.adapters.http.clock import HouseClock
from aigen.adapters.http.wire import TIME_HEADER, dumps, loads
from aigen.domain.model.errors import (
    AigenError,
    DatabaseUnavailable,
    Forbidden,
    NotFound,
    StorageFull,
)
from aigen.domain.model.media import MediaRejected, StoredMedia
from aigen.ports.events import Events, Subscription, VideoEvent
from aigen.ports.jobs import Claim, Film, JobBoard, LeaseLost, NoFilm
from aigen.ports.media import Accept, MediaFiles
from aigen.ports.provider import SubmitOutcome

logger = logging.getLogger(__name__)

_TIMEOUT = httpx.Timeout(10.0, read=60.0)
_PAUSE_SECONDS = 2.0

#: The transport lets some errors of aiohttp through as they are.
_OUTAGES = (httpx.HTTPError, aiohttp.ClientError, OSError)

#: What an error of the API means to a worker; anything else is an outage.
_MEANINGS = {
    "lease_lost": LeaseLost,
    "media_rejected": MediaRejected,
    "storage_full": StorageFull,
    "not_found": NotFound,
    "forbidden": Forbidden,
    "token_invalid": Forbidden,
    "unauthenticated": Forbidden,
}


class HouseClient:
    """The connection that board, files and events share, and the time of the house at its other
    end."""

    def __init__(self, base_url: str, token: str) -> None:
        self.clock = HouseClock()
        self._base_url = base_url
        self._headers = {"Authorization": f"Bearer {token}"}
        self._client: httpx.AsyncClient | None = None

    @property
    def http(self) -> httpx.AsyncClient:
        if self._client is None:
            self._client = httpx.AsyncClient(
                base_url=f"{self._base_url}/work",
                headers=self._headers,
                timeout=_TIMEOUT,
                transport=AiohttpTransport(),
                trust_env=False,
            )
        return self._client

    async def aclose(self) -> None:
        if self._client is not None:
            await self._client.aclose()

    async def ask(self, method: str, path: str, **parts: Any) -> bytes:
        """The answer's body. Raises what the API's error means, DatabaseUnavailable if none."""
        try:
            response = await self.http.request(method, path, **parts)
        except _OUTAGES as error:
            raise DatabaseUnavailable(f"The API cannot be reached: {error!r}") from error
        must_be_well(response)
        if told := response.headers.get(TIME_HEADER):
            self.clock.set(datetime.fromisoformat(told))
        return response.content


def must_be_well(response: httpx.Response) -> None:
    if not response.is_error:
        return
    try:
        problem = response.json()
        code, detail = problem["code"], str(problem["detail"])
    except (ValueError, KeyError, TypeError):
        code, detail = "", f"The API answered with status {response.status_code}."
    raise _MEANINGS.get(code, DatabaseUnavailable)(detail)


class HttpJobBoard(JobBoard):
    def __init__(self, house: HouseClient) -> None:
        self._house = house

    async def enlist(self, worker_id: str, *, is_inside: bool) -> None:
        await self._house.ask("POST", f"/{worker_id}/enlist")

    async def renew(self, worker_id: str, *, trouble: str | None) -> None:
        await self._house.ask("POST", f"/{worker_id}/renew", content=dumps({"trouble": trouble}))

    async def claim(self, worker_id: str, *, submissions: int) -> tuple[Claim, ...]:
        wanted = dumps({"submissions": submissions})
        answer = await self._house.ask("POST", f"/{worker_id}/claim", content=wanted)
        claims: tuple[Claim, ...] = loads(answer, tuple[Claim, ...])
        return claims

    async def recall(self, worker_id: str, *, holding: Collection[str]) -> tuple[Claim, ...]:
        known = dumps({"holding": sorted(holding)})
        answer = await self._house.ask("POST", f"/{worker_id}/recall", content=known)
        claims: tuple[Claim, ...] = loads(answer, tuple[Claim, ...])
        return claims

    async def record(self, video_id: str, nonce: str, outcome: SubmitOutcome) -> Claim | None:
        answer = await self._house.ask(
            "POST", f"/jobs/{video_id}/{nonce}/record", content=dumps(outcome, SubmitOutcome)
        )
        claim: Claim | None = loads(answer, Claim | None)
        return claim

    async def finish(self, video_id: str, epoch: int, result: Film | NoFilm) -> bool:
        answer = await self._house.ask(
            "POST", f"/jobs/{video_id}/{epoch}/finish", content=dumps(result, Film | NoFilm)
        )
        return bool(loads(answer, bool))

    async def release(self, worker_id: str) -> None:
        await self._house.ask("POST", f"/{worker_id}/release")


class HttpMediaFiles(MediaFiles):
    """Films go up as they come down, never whole in memory. Limits and room are the house's."""

    def __init__(self, house: HouseClient) -> None:
        self._house = house

    async def put(
        self, folder: str, name: str, chunks: AsyncIterable[bytes], accept: Accept
    ) -> StoredMedia:
        broken: list[Exception] = []

        async def passing() -> AsyncIterator[bytes]:
            try:
                async for chunk in chunks:
                    yield chunk
            except Exception as error:
                broken.append(error)
                raise

        try:
            answer = await self._house.ask(
                "PUT", f"/media/{folder}", params={"name": name}, content=passing()
            )
        except Exception:
            if broken:  # what broke the source matters, not what the upload made of it
                raise broken[0] from None
            raise
        stored: StoredMedia = loads(answer, StoredMedia)
        return stored

    async def read(self, media: StoredMedia) -> bytes:
        return await self._house.ask("GET", f"/media/{media.key}")

    async def has_room(self) -> bool:
        return True


class HttpEvents(Events):
    """One stream of events from the house, handed on to all who listen `here`. While it is cut,
    events are lost; workers make up for that by sweeping."""

    def __init__(self, house: HouseClient, here: Events) -> None:
        self._house = house
        self._here = here

    async def publish(self, *events: VideoEvent) -> None:
        """The house publishes its own events; a worker has none to add."""

    @asynccontextmanager
    async def subscribe(self, video_id: str | None = None) -> AsyncIterator[Subscription]:
        async with self._here.subscribe(video_id) as subscription:
            listening = asyncio.create_task(self._listen())
            try:
                yield subscription
            finally:
                listening.cancel()
                await asyncio.gather(listening, return_exceptions=True)

    async def _listen(self) -> None:
        while True:
            try:
                async with self._house.http.stream("GET", "/events") as response:
                    if response.is_error:
                        await response.aread()
                    must_be_well(response)
                    async for line in response.aiter_lines():
                        if line.strip():
                            await self._here.publish(loads(line, VideoEvent))
            except (*_OUTAGES, AigenError, ValueError) as error:
                logger.info("the stream of events was cut: %r", error)
            await asyncio.sleep(_PAUSE_SECONDS)
