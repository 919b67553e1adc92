"""Video jobs, as their owners see them and, without content, as administrators do."""

from typing import Annotated, Literal, Self

from pydantic import Field

from aigen.domain.model import limits
from aigen.domain.model.video_requests import VideoRequest
from aigen.domain.model.videos import VideoJob
from aigen.entrypoints.api.schemas.images import input_url
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

StatusName = Literal["queued", "processing", "completed", "failed", "cancelled"]


class VideoBody(Body):
    model: ModelId
    prompt: Prompt
    aspect_ratio: Option | None = None
    resolution: Option | None = None
    duration: Annotated[int, Field(ge=1, le=limits.LONGEST_FILM_SECONDS)] | None = None
    generate_audio: bool | None = None
    seed: Annotated[int, Field(ge=0, le=limits.LARGEST_SEED)] | None = None

    def request(self) -> VideoRequest:
        return VideoRequest(**self.model_dump())


class VideoFromImageBody(VideoBody):
    image_url: Storable
    last_image_url: Storable | None = None


class VideoFacts(Answer):
    """What may be known of a job without knowing what it shows."""

    id: str
    generation_type: Literal["text_to_video", "image_to_video"]
    status: StatusName
    model: str
    aspect_ratio: str | None
    resolution: str | None
    duration: int | None
    error: str | None
    error_code: str | None
    may_be_charged: bool
    cost_usd: Usd | None
    retry_of: str | None
    created_at: Instant
    updated_at: Instant
    submitted_at: Instant | None
    finished_at: Instant | None

    @classmethod
    def of_job(cls, job: VideoJob) -> "VideoFacts":
        return cls(
            id=job.id,
            generation_type=job.generation_type.value,
            status=job.status.value,
            model=job.model,
            aspect_ratio=job.aspect_ratio,
            resolution=job.resolution,
            duration=job.duration,
            error=job.error,
            error_code=job.shown_error_code,
            may_be_charged=job.may_be_charged,
            cost_usd=job.cost_usd,
            retry_of=job.retry_of,
            created_at=job.created_at,
            updated_at=job.updated_at,
            submitted_at=job.submitted_at,
            finished_at=job.finished_at,
        )


class VideoOut(VideoFacts):
    prompt: str
    image_url: str | None
    video_url: str | None

    @classmethod
    def of(cls, job: VideoJob, links: MediaLinks) -> Self:
        return cls(
            **dict(VideoFacts.of_job(job)),
            prompt=job.prompt,
            image_url=input_url(job.first_frame, links),
            video_url=links.link(job.media.key) if job.media else None,
        )
