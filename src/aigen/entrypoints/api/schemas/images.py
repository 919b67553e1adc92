"""Images."""

from typing import Annotated, Literal, Self

from pydantic import Field

from aigen.domain.model import limits
from aigen.domain.model.images import Image, ImageRequest
from aigen.domain.model.inputs import data_url
from aigen.domain.model.media import InputImage, Picture, StoredMedia, type_of
from aigen.entrypoints.api.schemas.values import (
    Answer,
    Body,
    Instant,
    ModelId,
    Option,
    Prompt,
    Storable,
    Usd,
)
from aigen.ports.media import MediaLinks


class ImageBody(Body):
    model: ModelId
    prompt: Prompt
    size: Option | None = None
    n: Annotated[int, Field(ge=1, le=limits.MOST_PICTURES)] = 1
    aspect_ratio: Option | None = None
    image_size: Option | None = None
    image_url: Storable | None = None

    def request(self) -> ImageRequest:
        return ImageRequest(
            model=self.model,
            prompt=self.prompt,
            size=self.size,
            n=self.n,
            aspect_ratio=self.aspect_ratio,
            image_size=self.image_size,
            image_url=self.image_url,
        )


class PictureOut(Answer):
    """`url` is a link to the stored file, or a data URL if the file could not be stored."""

    url: str
    media_type: str
    width: int | None
    height: int | None

    @classmethod
    def of(cls, media: StoredMedia, links: MediaLinks) -> "PictureOut":
        return cls(
            url=links.link(media.key),
            media_type=media.media_type.value,
            width=media.width,
            height=media.height,
        )

    @classmethod
    def of_unstored(cls, picture: Picture) -> "PictureOut":
        media_type = type_of(picture.content)
        name = media_type.value if media_type else "application/octet-stream"
        return cls(url=data_url(picture.content, name), media_type=name, width=None, height=None)


class ImageAcceptedOut(Answer):
    """An image that is being made: ask for it by its id."""

    id: str
    status: Literal["processing"] = "processing"


class ImageOut(Answer):
    id: str
    status: Literal["processing", "completed", "failed"]
    model: str
    prompt: str
    image_url: str | None
    images: list[PictureOut]
    text: str | None
    cost_usd: Usd | None
    error: str | None
    error_code: str | None
    created_at: Instant

    @classmethod
    def of(cls, image: Image, links: MediaLinks) -> Self:
        return cls(
            id=image.id,
            status=image.status.value,
            model=image.model,
            prompt=image.prompt,
            image_url=input_url(image.input_image, links),
            images=[
                *(PictureOut.of(picture, links) for picture in image.pictures),
                *(PictureOut.of_unstored(picture) for picture in image.unstored),
            ],
            text=image.text,
            cost_usd=image.cost_usd,
            error=image.error,
            error_code=image.error_code,
            created_at=image.created_at,
        )


def input_url(image: InputImage | None, links: MediaLinks) -> str | None:
    """Where the picture that a request builds on can be seen."""
    if image is None or image.stored is None:
        return None if image is None else image.url
    return links.link(image.stored.key)
