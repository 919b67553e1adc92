"""Pictures, made and edited."""

import asyncio
import base64

from fastapi import APIRouter, Request, Response

from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.images import Image, ImageRequest
from aigen.domain.model.media import StoredMedia
from aigen.domain.model.shapes import PICTURE_RATIOS, PICTURE_RESOLUTIONS, Pixels
from aigen.entrypoints.api.auth import Payer, TheHouse, WhoPays
from aigen.entrypoints.api.house import House
from aigen.entrypoints.api.idempotency import KeyHeader, key_of, unwrapped
from aigen.entrypoints.api.openai.errors import ERRORS
from aigen.entrypoints.api.openai.forms import body_of, form_of
from aigen.entrypoints.api.openai.media_schemas import (
    ImageDataOut,
    ImageEditBody,
    ImageGenerationBody,
    ImagesOut,
)
from aigen.entrypoints.api.schemas.images import PictureOut

router = APIRouter(prefix="/v1/images", tags=["openai"], responses=ERRORS)


@router.post("/generations")
async def openai_generate_images(
    body: ImageGenerationBody,
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> ImagesOut:
    """Pictures as base64, or with `response_format: "url"` as links. `size` in pixels becomes the
    nearest aspect ratio and resolution where the model wants those; fields that the model does not
    know are ignored."""
    return await _made(body, None, caller, house, request, response, key)


@router.post("/edits", openapi_extra=form_of(ImageEditBody))
async def openai_edit_image(
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    response: Response,
    key: KeyHeader = None,
) -> ImagesOut:
    """The same, beginning with a picture: a file or, in JSON, an address or a data URL."""
    body = await body_of(request, ImageEditBody)
    return await _made(body, body.picture(), caller, house, request, response, key)


async def _made(
    body: ImageGenerationBody,
    source: str | None,
    caller: Payer,
    house: House,
    request: Request,
    response: Response,
    key: str | None,
) -> ImagesOut:
    if body.stream:
        raise InvalidRequest("Pictures cannot be streamed: leave `stream` out.", field="stream")
    asked = await _request(body, source, house)
    once = await house.aigen.images.generate_once(
        caller.user.id,
        asked,
        key_of(key, request, repr((asked, body.response_format)).encode()),
        key_id=caller.key_id,
    )
    image = unwrapped(once, response)
    return await (_links if body.response_format == "url" else _contents)(image, house)


async def _request(body: ImageGenerationBody, source: str | None, house: House) -> ImageRequest:
    """Size, ratio and resolution go together: each route to a provider takes what it knows."""
    size = None if body.size in {None, "auto"} else body.size
    ratio, resolution = body.aspect_ratio, body.resolution
    if size is not None:
        model = await house.aigen.models.find(body.model)
        pixels = Pixels.of("size", size)
        ratios = model.aspect_ratios if model else None
        resolutions = model.resolutions if model else None
        ratio = ratio or pixels.ratio_among(ratios or PICTURE_RATIOS)
        nearest = pixels.picture_resolution_among(resolutions or PICTURE_RESOLUTIONS)
        # To say the usual to a model that has no choice is to ask for a refusal.
        resolution = resolution or (nearest if resolutions or nearest != "1K" else None)
    return ImageRequest(
        model=body.model,
        prompt=body.prompt,
        n=body.n or 1,
        size=size,
        aspect_ratio=ratio,
        image_size=resolution,
        image_url=source,
    )


async def _links(image: Image, house: House) -> ImagesOut:
    links = house.aigen.links
    stored = [PictureOut.of(picture, links).url for picture in image.pictures]
    unstored = [PictureOut.of_unstored(picture).url for picture in image.unstored]
    return ImagesOut.of(image, [ImageDataOut(url=url) for url in (*stored, *unstored)])


async def _contents(image: Image, house: House) -> ImagesOut:
    async def read(picture: StoredMedia) -> bytes:
        return await house.aigen.media.read(picture)

    stored = await asyncio.gather(*map(read, image.pictures))
    contents = [*stored, *(picture.content for picture in image.unstored)]
    encoded = [base64.b64encode(content).decode() for content in contents]
    return ImagesOut.of(image, [ImageDataOut(b64_json=text) for text in encoded])
