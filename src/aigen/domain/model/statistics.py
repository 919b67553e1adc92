"""Numbers for the administrator."""

from collections.abc import Mapping
from datetime import datetime
from decimal import Decimal

from attrs import frozen

from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoJob, VideoStatus


@frozen(kw_only=True)
class UserCounts:
    total: int
    admins: int


@frozen(kw_only=True)
class TokenCounts:
    """Refresh tokens: active are usable, revoked would not have expired yet."""

    active: int
    revoked: int
    expired: int


@frozen(kw_only=True)
class Spend:
    """Reported costs in US dollars of this UTC day, this UTC month, and ever."""

    day: Decimal
    month: Decimal
    total: Decimal


@frozen(kw_only=True)
class Statistics:
    """The whole installation at a glance. `videos` counts jobs by public status; those of the
    failed ones that wait to be settled are counted once more in `outcome_unknown`."""

    users: UserCounts
    tokens: TokenCounts
    texts: int
    images: int
    videos: Mapping[VideoStatus, int]
    outcome_unknown: int
    spend: Spend


@frozen(kw_only=True)
class SpendSince:
    """The instants from which a day's and a month's spending count."""

    day: datetime
    month: datetime

    @classmethod
    def of(cls, now: datetime) -> "SpendSince":
        day = now.replace(hour=0, minute=0, second=0, microsecond=0)
        return cls(day=day, month=day.replace(day=1))


@frozen(kw_only=True)
class UnsettledVideo:
    """A job that waits for an administrator, and what it will have cost, if the prices told."""

    job: VideoJob
    estimate_usd: Decimal | None


@frozen(kw_only=True)
class UserOverview:
    """A user as the administrator's list shows it."""

    user: User
    video_jobs: int
