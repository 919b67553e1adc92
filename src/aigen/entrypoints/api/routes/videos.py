"""Video jobs: submitted, watched, cancelled, retried, listed, removed."""

from collections.abc import AsyncIterator
from typing import Annotated

from attrs import evolve
from fastapi import APIRouter, Query, Request, Response, status

from aigen.domain.model.video_requests import VideoRequest
from aigen.domain.model.videos import VideoJob, VideoStatus
from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.house import House
from aigen.entrypoints.api.idempotency import KeyHeader, key_of, unwrapped
from aigen.entrypoints.api.paging import History, listed
from aigen.entrypoints.api.schemas.values import Listed
from aigen.entrypoints.api.schemas.videos import VideoBody, VideoFromImageBody, VideoOut
from aigen.entrypoints.api.sse import Event, EventStream, event_stream

router = APIRouter(prefix="/generate/video", tags=["videos"])


@router.post("", status_code=status.HTTP_202_ACCEPTED)
async def submit(
    body: VideoBody,
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> VideoOut:
    """Queue a video from text."""
    once = await house.aigen.videos.submit_once(
        caller.user.id, body.request(), key_of(key, request, body), key_id=caller.key_id
    )
    return VideoOut.of(unwrapped(once, response), house.aigen.links)


@router.post("/from-image", status_code=status.HTTP_202_ACCEPTED)
async def submit_from_image(
    body: VideoFromImageBody,
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> VideoOut:
    """Queue a video that begins with a picture: a public https address or a data URL."""
    asked: VideoRequest = body.request()
    once = await house.aigen.videos.submit_once(
        caller.user.id, asked, key_of(key, request, body), key_id=caller.key_id
    )
    return VideoOut.of(unwrapped(once, response), house.aigen.links)


@router.get("")
async def videos(
    query: History,
    house: TheHouse,
    wanted: Annotated[VideoStatus | None, Query(alias="status")] = None,
) -> Listed[VideoOut]:
    """One's own video jobs; `q` is looked for in the prompt."""
    page = await house.aigen.videos.list(evolve(query, status=wanted))
    return listed(page, lambda job: VideoOut.of(job, house.aigen.links))


@router.get("/{video_id}")
async def video(video_id: str, caller: WhoPays, house: TheHouse) -> VideoOut:
    return VideoOut.of(await _own(house, caller, video_id), house.aigen.links)


@router.delete("/{video_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_video(video_id: str, caller: WhoPays, house: TheHouse) -> None:
    """Remove a finished job with its files."""
    await house.aigen.videos.remove(caller.user.id, video_id)


@router.get("/{video_id}/status")
async def video_status(video_id: str, caller: WhoPays, house: TheHouse) -> VideoOut:
    return VideoOut.of(await _own(house, caller, video_id), house.aigen.links)


@router.get(
    "/{video_id}/events",
    response_class=EventStream,
    response_description="Event `status` with the job, now and at every change, until it is over.",
)
async def events(video_id: str, caller: WhoPays, house: TheHouse, request: Request) -> Response:
    """The job as it changes; `error` with a problem, if it can be watched no longer."""
    await _own(house, caller, video_id)  # an unknown job is an ordinary 404
    jobs = house.aigen.videos.watch(caller.user.id, video_id)
    return event_stream(_statuses(jobs, house), request)


@router.post("/{video_id}/cancel")
async def cancel(video_id: str, caller: WhoPays, house: TheHouse) -> VideoOut:
    """Stop here, at once; the provider is left alone and may still charge."""
    job = await house.aigen.videos.cancel(caller.user.id, video_id)
    return VideoOut.of(job, house.aigen.links)


@router.post("/{video_id}/retry", status_code=status.HTTP_202_ACCEPTED)
async def retry(
    video_id: str,
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> VideoOut:
    """A new job that asks for the same; the old one may have been charged."""
    once = await house.aigen.videos.retry(
        caller.user.id, video_id, key_of(key, request), key_id=caller.key_id
    )
    return VideoOut.of(unwrapped(once, response), house.aigen.links)


async def _own(house: House, caller: WhoPays, video_id: str) -> VideoJob:
    return await house.aigen.videos.get(caller.user.id, video_id)


async def _statuses(jobs: AsyncIterator[VideoJob], house: House) -> AsyncIterator[Event]:
    async for job in jobs:
        yield "status", VideoOut.of(job, house.aigen.links)
