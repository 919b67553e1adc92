"""Pictures and films over the wire, in OpenAI's words."""

from collections.abc import Sequence
from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigen.domain.model import limits
from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.images import Image
from aigen.domain.model.shapes import film_size
from aigen.domain.model.videos import VideoJob, VideoStatus
from aigen.entrypoints.api.openai.schemas import unix
from aigen.entrypoints.api.schemas.values import Answer, ModelId, Option, Prompt, Storable


class _Body(BaseModel):
    """What a client sends. A form has only texts, so that numbers may be in quotes; fields that
    are not known here are ignored, since OpenAI has many."""

    model_config = ConfigDict(extra="ignore", hide_input_in_errors=True)


# --- pictures ---------------------------------------------------------------------------------


class ImageGenerationBody(_Body):
    """`size` is `1024x1024` or `auto`. `aspect_ratio` and `resolution` are ours, for models that
    know those."""

    model: ModelId
    prompt: Prompt
    n: Annotated[int, Field(ge=1, le=limits.MOST_PICTURES)] | None = None
    size: Option | None = None
    response_format: Literal["b64_json", "url"] | None = None
    aspect_ratio: Option | None = None
    resolution: Option | None = None
    stream: bool | None = None


class ImageEditBody(ImageGenerationBody):
    """`image` is one picture, also if it is a list."""

    image: str | list[str]
    mask: str | None = None

    def picture(self) -> str:
        """Raises InvalidRequest for what cannot be asked of these models."""
        images = [self.image] if isinstance(self.image, str) else self.image
        if len(images) != 1:
            raise InvalidRequest("`image` must be one picture.", field="image")
        if self.mask is not None:
            raise InvalidRequest(
                "`mask` is not known to these models: say in the prompt what to change.",
                field="mask",
            )
        return images[0]


class ImageDataOut(Answer):
    b64_json: Annotated[str | None, Field(exclude_if=lambda found: found is None)] = None
    url: Annotated[str | None, Field(exclude_if=lambda found: found is None)] = None


class ImagesOut(Answer):
    created: int
    data: list[ImageDataOut]

    @classmethod
    def of(cls, image: Image, pictures: list[ImageDataOut]) -> "ImagesOut":
        return cls(created=unix(image.created_at), data=pictures)


# --- films ------------------------------------------------------------------------------------


class VideoCreateBody(_Body):
    """`size` is `1280x720`; `input_reference` is a file, an address or a data URL, or one of the
    latter as its `image_url`."""

    model: ModelId
    prompt: Prompt
    seconds: Annotated[int, Field(ge=1, le=limits.LONGEST_FILM_SECONDS)] | None = None
    size: Option | None = None
    input_reference: dict[str, Storable] | Storable | None = None

    def picture(self) -> str | None:
        """Raises InvalidRequest for a reference that names no picture."""
        reference = self.input_reference
        if not isinstance(reference, dict):
            return reference
        if "image_url" not in reference:
            raise InvalidRequest(
                "`input_reference` must be a file, or have an `image_url`.", field="input_reference"
            )
        return reference["image_url"]


class VideoErrorOut(Answer):
    code: str
    message: str


class VideoObjectOut(Answer):
    """`progress` is 0 until the film is there: nobody knows more. `seconds` and `size` are null
    where they were left to the model."""

    id: str
    object: Literal["video"] = "video"
    status: Literal["queued", "in_progress", "completed", "failed"]
    progress: Literal[0, 100]
    model: str
    prompt: str
    seconds: str | None
    size: str | None
    created_at: int
    completed_at: int | None
    expires_at: int | None = None
    error: VideoErrorOut | None
    remixed_from_video_id: str | None = None

    @classmethod
    def of(cls, job: VideoJob) -> "VideoObjectOut":
        is_completed = job.status is VideoStatus.COMPLETED
        finished_at = job.finished_at if is_completed else None
        return cls(
            id=job.id,
            status=_STATUSES[job.status],
            progress=100 if is_completed else 0,
            model=job.model,
            prompt=job.prompt,
            seconds=None if job.duration is None else str(job.duration),
            size=film_size(job.aspect_ratio, job.resolution),
            created_at=unix(job.created_at),
            completed_at=None if finished_at is None else unix(finished_at),
            error=_error(job),
        )


_STATUSES: dict[VideoStatus, Literal["queued", "in_progress", "completed", "failed"]] = {
    VideoStatus.QUEUED: "queued",
    VideoStatus.PROCESSING: "in_progress",
    VideoStatus.COMPLETED: "completed",
    VideoStatus.FAILED: "failed",
    VideoStatus.CANCELLED: "failed",
}


def _error(job: VideoJob) -> VideoErrorOut | None:
    if job.status is VideoStatus.CANCELLED:
        return VideoErrorOut(code="cancelled", message="The video was cancelled.")
    if job.status is not VideoStatus.FAILED:
        return None
    return VideoErrorOut(code=job.error_code or "internal", message=job.error or "It failed.")


class VideoListOut(Answer):
    object: Literal["list"] = "list"
    data: list[VideoObjectOut]
    first_id: str | None
    last_id: str | None
    has_more: bool

    @classmethod
    def of(cls, jobs: Sequence[VideoJob], *, has_more: bool) -> "VideoListOut":
        return cls(
            data=[VideoObjectOut.of(job) for job in jobs],
            first_id=jobs[0].id if jobs else None,
            last_id=jobs[-1].id if jobs else None,
            has_more=has_more,
        )


class VideoDeletedOut(Answer):
    id: str
    object: Literal["video.deleted"] = "video.deleted"
    deleted: Literal[True] = True
