"""Image generation: what is asked, and what came of it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from attrs import evolve, frozen

from aigen.domain.model import limits
from aigen.domain.model.media import InputImage, Picture, StoredMedia, files_of


class ImageStatus(StrEnum):
    PROCESSING = "processing"
    COMPLETED = "completed"
    FAILED = "failed"


@frozen(kw_only=True)
class ImageRequest:
    """A prompt with the options that image models know; a route ignores what it does not.

    `size` is pixels (`1024x1024`), `image_size` a resolution (`1K`, `2K`, `4K`), `image_url` a
    picture to edit: an https address or a data URL.
    """

    model: str
    prompt: str
    size: str | None = None
    n: int = 1
    aspect_ratio: str | None = None
    image_size: str | None = None
    image_url: str | None = None

    def __attrs_post_init__(self) -> None:
        limits.check_text("model", self.model, longest=limits.LONGEST_MODEL)
        limits.check_text("prompt", self.prompt, longest=limits.LONGEST_PROMPT)
        limits.check_option("size", self.size)
        limits.check_option("aspect_ratio", self.aspect_ratio)
        limits.check_option("image_size", self.image_size)
        limits.check_range("n", self.n, 1, limits.MOST_PICTURES)


@frozen(kw_only=True)
class Image:
    """One request for pictures and its pictures. `unstored` holds what was paid for but could
    not be stored; it leaves with the answer and is kept nowhere."""

    id: str
    user_id: str
    model: str
    prompt: str
    status: ImageStatus
    created_at: datetime
    input_image: InputImage | None = None
    pictures: tuple[StoredMedia, ...] = ()
    unstored: tuple[Picture, ...] = ()
    text: str | None = None
    cost_usd: Decimal | None = None
    error: str | None = None
    error_code: str | None = None

    @property
    def files(self) -> tuple[StoredMedia, ...]:
        """All that is stored for it: its pictures, and the one that it was made from."""
        return files_of(*self.pictures, self.input_image)

    def completed(
        self,
        *,
        pictures: tuple[StoredMedia, ...],
        unstored: tuple[Picture, ...],
        text: str | None,
        cost_usd: Decimal | None,
    ) -> "Image":
        return evolve(
            self,
            status=ImageStatus.COMPLETED,
            pictures=pictures,
            unstored=unstored,
            text=text,
            cost_usd=cost_usd,
        )

    def failed(self, *, code: str, error: str, cost_usd: Decimal | None = None) -> "Image":
        return evolve(
            self, status=ImageStatus.FAILED, error_code=code, error=error, cost_usd=cost_usd
        )
