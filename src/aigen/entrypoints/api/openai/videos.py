"""Video jobs: made, listed, fetched, removed."""

from typing import Annotated, Any, Literal

from fastapi import APIRouter, Query, Request, Response
from starlette.responses import StreamingResponse

from aigen.domain.model.errors import InvalidRequest, NotFound
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.shapes import FILM_RATIOS, FILM_RESOLUTIONS, Pixels
from aigen.domain.model.video_requests import VideoRequest
from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.house import House
from aigen.entrypoints.api.idempotency import KeyHeader, key_of, unwrapped
from aigen.entrypoints.api.openai.errors import ERRORS
from aigen.entrypoints.api.openai.forms import body_of, form_of
from aigen.entrypoints.api.openai.media_schemas import (
    VideoCreateBody,
    VideoDeletedOut,
    VideoListOut,
    VideoObjectOut,
)
from aigen.entrypoints.api.paging import Cursor
from aigen.entrypoints.api.routes.media import served
from aigen.ports.store import HistoryQuery

router = APIRouter(prefix="/v1/videos", tags=["openai"], responses=ERRORS)

_FILM: dict[int | str, dict[str, Any]] = {
    200: {"description": "The film.", "content": {"video/mp4": {}, "video/webm": {}}},
    206: {"description": "The `Range` of it that was asked for."},
}


@router.post("", openapi_extra=form_of(VideoCreateBody))
async def openai_create_video(
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> VideoObjectOut:
    """Queue a film. `size` in pixels becomes the nearest aspect ratio and resolution that the model
    offers; `input_reference` is the picture to begin with."""
    body = await body_of(request, VideoCreateBody)
    asked = await _request(body, house)
    once = await house.aigen.videos.submit_once(
        caller.user.id, asked, key_of(key, request, repr(asked).encode()), key_id=caller.key_id
    )
    return VideoObjectOut.of(unwrapped(once, response))


@router.get("")
async def openai_videos(
    caller: WhoPays,
    house: TheHouse,
    limit: Annotated[int, Query(ge=1, le=100)] = 20,
    after: Cursor = None,
    _order: Annotated[
        Literal["desc"], Query(alias="order", description="newest first is the only order")
    ] = "desc",
) -> VideoListOut:
    """One's own jobs; `after` is the `last_id` of the page before."""
    page = PageRequest(limit=limit, before=after)
    query = HistoryQuery(user_id=caller.user.id, page=page)
    found = await house.aigen.videos.list(query)
    return VideoListOut.of(found.items, has_more=found.next_before is not None)


@router.get("/{video_id}")
async def openai_video(video_id: str, caller: WhoPays, house: TheHouse) -> VideoObjectOut:
    return VideoObjectOut.of(await house.aigen.videos.get(caller.user.id, video_id))


@router.delete("/{video_id}")
async def openai_delete_video(video_id: str, caller: WhoPays, house: TheHouse) -> VideoDeletedOut:
    """Remove a finished job with its files."""
    await house.aigen.videos.remove(caller.user.id, video_id)
    return VideoDeletedOut(id=video_id)


@router.get("/{video_id}/content", response_class=Response, responses=_FILM)
async def openai_video_content(
    video_id: str,
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    _variant: Annotated[Literal["video"], Query(alias="variant")] = "video",
) -> Response:
    """The film, from our own storage."""
    media = (await house.aigen.videos.get(caller.user.id, video_id)).media
    if media is None:
        raise NotFound("There is no film, or not yet: ask for the video's `status`.")
    path = await house.aigen.media.path(media.key)
    if path is not None:
        return await served(path, request)
    pieces = await house.aigen.media.stream(media.key)
    length = {"Content-Length": str(media.size)}
    return StreamingResponse(pieces, headers=length, media_type=media.media_type.value)


async def _request(body: VideoCreateBody, house: House) -> VideoRequest:
    """The request in our words. Raises InvalidRequest, in OpenAI's."""
    model = await house.aigen.models.find(body.model)
    if body.seconds is not None and model is not None and model.durations is not None:
        _check_seconds(body.seconds, model.durations)
    ratio = resolution = None
    if body.size is not None:
        pixels = Pixels.of("size", body.size)
        ratio = pixels.ratio_among((model and model.aspect_ratios) or FILM_RATIOS)
        resolution = pixels.film_resolution_among((model and model.resolutions) or FILM_RESOLUTIONS)
    return VideoRequest(
        model=body.model,
        prompt=body.prompt,
        aspect_ratio=ratio,
        resolution=resolution,
        duration=body.seconds,
        image_url=body.picture(),
    )


def _check_seconds(seconds: int, offered: tuple[int, ...]) -> None:
    if seconds not in offered:
        allowed = ", ".join(map(str, offered))
        raise InvalidRequest(
            f"This model does not offer `seconds` {seconds}: use {allowed}.", field="seconds"
        )
