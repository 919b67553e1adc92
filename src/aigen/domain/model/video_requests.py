"""What may be asked of the video queue."""

from datetime import timedelta

from attrs import frozen

from aigen.domain.model import limits
from aigen.domain.model.errors import InvalidRequest


@frozen(kw_only=True)
class VideoPolicy:
    """What a user may ask of the queue."""

    deadline: timedelta = timedelta(hours=2)
    jobs_per_user: int = 20


@frozen(kw_only=True)
class VideoRequest:
    """A prompt with the options that video models know. `duration` is in seconds;
    `image_url` and `last_image_url` are an https address or a data URL."""

    model: str
    prompt: str
    aspect_ratio: str | None = None
    resolution: str | None = None
    duration: int | None = None
    generate_audio: bool | None = None
    seed: int | None = None
    image_url: str | None = None
    last_image_url: str | None = None

    def __attrs_post_init__(self) -> None:
        limits.check_text("model", self.model, longest=limits.LONGEST_MODEL)
        limits.check_text("prompt", self.prompt, longest=limits.LONGEST_PROMPT)
        limits.check_option("aspect_ratio", self.aspect_ratio)
        limits.check_option("resolution", self.resolution)
        limits.check_range("duration", self.duration, 1, limits.LONGEST_FILM_SECONDS)
        limits.check_range("seed", self.seed, 0, limits.LARGEST_SEED)
        if self.last_image_url is not None and self.image_url is None:
            raise InvalidRequest(
                "`last_image_url` needs `image_url`, the picture to begin with.",
                field="last_image_url",
            )
