"""How long what was generated is kept, and what goes then."""

from datetime import datetime, timedelta

from attrs import frozen

from aigen.domain.model.generations import Generation
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.limits import check_range
from aigen.domain.model.media import bytes_of
from aigen.domain.model.texts import Text
from aigen.domain.model.videos import VideoJob

#: Nothing goes sooner: a repeat with its Idempotency-Key still asks for it, and whoever paid for
#: it has had a day to fetch it.
KEPT_AT_LEAST = timedelta(days=1)

_MOST_DAYS = 36_500
_MOST_BYTES = 2**62


@frozen(kw_only=True)
class Expiry:
    """A retention policy at an instant: what had ended before `ended_before` goes; and of whoever
    has more files than `bytes_per_user`, the oldest until the rest fits, but nothing that has
    ended since `spared_since`."""

    ended_before: datetime | None
    bytes_per_user: int | None
    spared_since: datetime

    def ends(self, generation: Generation, bytes_so_far: int) -> bool:
        """Whether it goes, of a user who has so many bytes of files in it and all that is newer."""
        ended = ended_at(generation)
        if ended is None:
            return False
        is_surplus = (
            self.bytes_per_user is not None
            and bytes_so_far > self.bytes_per_user
            and bool(generation.files)
            and ended < self.spared_since
        )
        return is_surplus or (self.ended_before is not None and ended < self.ended_before)


@frozen(kw_only=True)
class RetentionPolicy:
    """How many days what was generated is kept, and how many bytes of files of each user. None is
    no limit. Raises InvalidRequest."""

    days: int | None = None
    bytes_per_user: int | None = None

    def __attrs_post_init__(self) -> None:
        check_range("days", self.days, 1, _MOST_DAYS)
        check_range("bytes_per_user", self.bytes_per_user, 1, _MOST_BYTES)

    @property
    def is_on(self) -> bool:
        return self.days is not None or self.bytes_per_user is not None

    def at(self, now: datetime) -> Expiry:
        """What it says of things at this instant."""
        return Expiry(
            ended_before=None if self.days is None else now - timedelta(days=self.days),
            bytes_per_user=self.bytes_per_user,
            spared_since=now - KEPT_AT_LEAST,
        )


@frozen(kw_only=True)
class Pruned:
    """What goes, or has gone, because it was kept long enough; `bytes` are those of the files."""

    texts: int = 0
    images: int = 0
    videos: int = 0
    files: int = 0
    bytes: int = 0

    @classmethod
    def of(cls, generation: Generation) -> "Pruned":
        return cls(
            texts=int(isinstance(generation, Text)),
            images=int(isinstance(generation, Image)),
            videos=int(isinstance(generation, VideoJob)),
            files=len(generation.files),
            bytes=bytes_of(generation.files),
        )

    @property
    def generations(self) -> int:
        return self.texts + self.images + self.videos

    def __bool__(self) -> bool:
        return self.generations > 0

    def __add__(self, other: "Pruned") -> "Pruned":
        return Pruned(
            texts=self.texts + other.texts,
            images=self.images + other.images,
            videos=self.videos + other.videos,
            files=self.files + other.files,
            bytes=self.bytes + other.bytes,
        )


@frozen(kw_only=True)
class Expired:
    """What of a user's goes."""

    user_id: str
    email: str | None
    pruned: Pruned


def ended_at(generation: Generation) -> datetime | None:
    """When its time began to run, None while it must stay: it is being made, or waits for an
    administrator to find out what became of it."""
    match generation:
        case Image(status=ImageStatus.PROCESSING):
            return None
        case VideoJob(is_terminal=True, is_unknown=False):
            return generation.finished_at or generation.created_at
        case VideoJob():
            return None
    return generation.created_at
