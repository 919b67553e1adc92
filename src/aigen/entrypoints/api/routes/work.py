"""The job board for workers on other machines: a protocol between aigen's own parts."""

import asyncio
from collections.abc import AsyncIterator
from typing import Annotated, Any

from attrs import field, frozen, validators
from fastapi import APIRouter, Depends, Path, Query, Request, Response
from fastapi.responses import StreamingResponse

from aigen.adapters.http.wire import TIME_HEADER, dumps, loads
from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.media import FILMS
from aigen.entrypoints.api.auth import WORKER_ONLY, TheHouse
from aigen.ports.events import Subscription
from aigen.ports.jobs import Film, NoFilm
from aigen.ports.media import Accept
from aigen.ports.provider import SubmitOutcome

router = APIRouter(prefix="/work", include_in_schema=False, dependencies=[WORKER_ONLY])

_KEEPALIVE_SECONDS = 10.0
_MOST_AT_ONCE = 10_000

_ID = r"[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}"
WorkerId = Annotated[str, Path(pattern=f"^{_ID}$")]

#: As folders and names of films are made; nothing else leads into the media, or out of them.
Folder = Annotated[str, Path(pattern=r"^(?:[A-Za-z0-9-]{1,64}/){1,4}$")]
Name = Annotated[str, Query(pattern=r"^[A-Za-z0-9-]{1,64}$")]


@frozen(kw_only=True)
class Renewal:
    trouble: str | None


@frozen(kw_only=True)
class ClaimRequest:
    submissions: int = field(
        validator=validators.and_(validators.ge(0), validators.le(_MOST_AT_ONCE))
    )


@frozen(kw_only=True)
class RecallRequest:
    holding: frozenset[str] = field(validator=validators.deep_iterable(validators.matches_re(_ID)))


def _json(value: Any, kind: Any = None) -> Response:
    return Response(dumps(value, kind), media_type="application/json")


async def _read(request: Request, kind: Any) -> Any:
    try:
        return loads(await request.body(), kind)
    except ValueError as error:
        raise InvalidRequest(
            "This is not what a worker of this version sends: run the same aigen on both sides."
        ) from error


async def _tell_the_time(house: TheHouse, response: Response) -> None:
    """A worker goes by the clock that its deadlines were made by."""
    response.headers[TIME_HEADER] = house.aigen.clock.now().isoformat()


@router.post("/{worker_id}/enlist", status_code=204, dependencies=[Depends(_tell_the_time)])
async def enlist(worker_id: WorkerId, house: TheHouse) -> None:
    await house.aigen.work.enlist(worker_id, is_inside=False)


@router.post("/{worker_id}/renew", status_code=204, dependencies=[Depends(_tell_the_time)])
async def renew(worker_id: WorkerId, request: Request, house: TheHouse) -> None:
    renewal = await _read(request, Renewal)
    await house.aigen.work.renew(worker_id, trouble=renewal.trouble)


@router.post("/{worker_id}/claim")
async def claim(worker_id: WorkerId, request: Request, house: TheHouse) -> Response:
    wanted = await _read(request, ClaimRequest)
    return _json(await house.aigen.work.claim(worker_id, submissions=wanted.submissions))


@router.post("/{worker_id}/recall")
async def recall(worker_id: WorkerId, request: Request, house: TheHouse) -> Response:
    known = await _read(request, RecallRequest)
    return _json(await house.aigen.work.recall(worker_id, holding=known.holding))


@router.post("/{worker_id}/release", status_code=204)
async def release(worker_id: WorkerId, house: TheHouse) -> None:
    await house.aigen.work.release(worker_id)


@router.post("/jobs/{video_id}/{nonce}/record")
async def record(video_id: str, nonce: str, request: Request, house: TheHouse) -> Response:
    outcome = await _read(request, SubmitOutcome)
    return _json(await house.aigen.work.record(video_id, nonce, outcome))


@router.post("/jobs/{video_id}/{epoch}/finish")
async def finish(video_id: str, epoch: int, request: Request, house: TheHouse) -> Response:
    result = await _read(request, Film | NoFilm)
    return _json(await house.aigen.work.finish(video_id, epoch, result))


@router.get("/events")
async def events(house: TheHouse) -> Response:
    """A line of JSON for each event, and an empty one while there is none."""

    async def lines() -> AsyncIterator[bytes]:
        async with house.aigen.events.subscribe() as news:
            yield b"\n"  # says that from now on nothing is missed
            while not house.is_draining:
                yield await _next_lines(news)

    return StreamingResponse(lines(), media_type="application/x-ndjson")


async def _next_lines(news: Subscription) -> bytes:
    try:
        async with asyncio.timeout(_KEEPALIVE_SECONDS):
            found = await news.next()
    except TimeoutError:
        return b"\n"
    return "".join(dumps(event) + "\n" for event in found).encode()


@router.put("/media/{folder:path}", max_body_size=2**62)
async def put_film(folder: Folder, name: Name, request: Request, house: TheHouse) -> Response:
    """Store a film that a worker has fetched; the house's own limits count."""
    accept = Accept(types=FILMS, size=house.aigen.settings.max_media)
    stored = await house.aigen.media.put(folder, name, request.stream(), accept)
    return _json(stored)


@router.get("/media/{key:path}")
async def read_picture(key: str, house: TheHouse) -> Response:
    return StreamingResponse(await house.aigen.media.stream(key))
