"""Generations of all kinds together: in one list, or several at once: which are meant, what became
of them, what is in a bundle."""

from typing import Annotated, Literal

from pydantic import Field

from aigen.domain.model.bundles import Bundle, BundledFile
from aigen.domain.model.generations import Generation
from aigen.domain.model.images import Image
from aigen.domain.model.texts import Text
from aigen.domain.services.history import MOST_AT_ONCE, Removed
from aigen.entrypoints.api.schemas.images import ImageOut
from aigen.entrypoints.api.schemas.texts import TextOut
from aigen.entrypoints.api.schemas.values import Answer, Body, Instant, Storable
from aigen.entrypoints.api.schemas.videos import VideoOut
from aigen.ports.media import MediaLinks

KindName = Literal["text", "image", "video"]


class TextItemOut(TextOut):
    kind: Literal["text"] = "text"


class ImageItemOut(ImageOut):
    kind: Literal["image"] = "image"


class VideoItemOut(VideoOut):
    kind: Literal["video"] = "video"


#: What is in a list of all kinds.
ItemOut = Annotated[TextItemOut | ImageItemOut | VideoItemOut, Field(discriminator="kind")]


def item(generation: Generation, links: MediaLinks) -> ItemOut:
    if isinstance(generation, Text):
        return TextItemOut.of(generation)
    if isinstance(generation, Image):
        return ImageItemOut.of(generation, links)
    return VideoItemOut.of(generation, links)


class IdsBody(Body):
    """Texts, images and videos by their ids, of any kind together."""

    ids: Annotated[
        list[Annotated[Storable, Field(max_length=100)]],
        Field(min_length=1, max_length=MOST_AT_ONCE),
    ]


class KeptOut(Answer):
    """What was not deleted: `code` is `job_unfinished` or `not_found`."""

    id: str
    code: str
    detail: str


class RemovedOut(Answer):
    deleted: list[str]
    kept: list[KeptOut]

    @classmethod
    def of(cls, removed: Removed) -> "RemovedOut":
        return cls(
            deleted=list(removed.deleted),
            kept=[
                KeptOut(id=kept_id, code=error.code, detail=error.detail)
                for kept_id, error in removed.kept.items()
            ],
        )


class PackedFileOut(Answer):
    """A file of a bundle and what it was made with; `is_missing` if it was not to be had."""

    name: str
    is_missing: bool
    kind: KindName
    id: str
    model: str
    prompt: str
    created_at: Instant

    @classmethod
    def of(cls, file: BundledFile, *, is_missing: bool) -> "PackedFileOut":
        generation = file.generation
        return cls(
            name=file.name,
            is_missing=is_missing,
            kind=_kind_of(generation),
            id=generation.id,
            model=generation.model,
            prompt=generation.prompt,
            created_at=generation.created_at,
        )


class ManifestOut(Answer):
    """`manifest.json` of a bundle; `not_found` are ids under which there is nothing."""

    files: list[PackedFileOut]
    not_found: list[str]

    @classmethod
    def of(cls, bundle: Bundle, missing: set[str]) -> "ManifestOut":
        return cls(
            files=[
                PackedFileOut.of(file, is_missing=file.name in missing) for file in bundle.files
            ],
            not_found=list(bundle.unknown),
        )


def _kind_of(generation: Generation) -> KindName:
    if isinstance(generation, Text):
        return "text"
    return "image" if isinstance(generation, Image) else "video"
