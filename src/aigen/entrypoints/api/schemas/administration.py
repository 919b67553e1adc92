"""Numbers, audit, and what waits for an administrator."""

from collections.abc import Sequence
from typing import Literal, Self

from attrs import asdict
from pydantic import model_validator

from aigen.domain.model.audit import AuditEntry
from aigen.domain.model.retention import Expired, Pruned, RetentionPolicy
from aigen.domain.model.statistics import Statistics, UnsettledVideo
from aigen.entrypoints.api.schemas.values import Answer, Body, Instant, Usd


class UserCountsOut(Answer):
    total: int
    admins: int


class TokenCountsOut(Answer):
    """active: usable; revoked: revoked, and not yet expired."""

    active: int
    revoked: int
    expired: int


class TotalOut(Answer):
    total: int


class VideoCountsOut(Answer):
    """`outcome_unknown` is that part of `failed` that waits to be settled."""

    queued: int
    processing: int
    completed: int
    failed: int
    cancelled: int
    outcome_unknown: int


class SpendOut(Answer):
    """Reported costs since midnight UTC, since the month began, ever."""

    day: Usd
    month: Usd
    total: Usd


class StatisticsOut(Answer):
    users: UserCountsOut
    tokens: TokenCountsOut
    texts: TotalOut
    images: TotalOut
    videos: VideoCountsOut
    spend_usd: SpendOut

    @classmethod
    def of(cls, found: Statistics) -> "StatisticsOut":
        return cls(
            users=UserCountsOut(total=found.users.total, admins=found.users.admins),
            tokens=TokenCountsOut(
                active=found.tokens.active,
                revoked=found.tokens.revoked,
                expired=found.tokens.expired,
            ),
            texts=TotalOut(total=found.texts),
            images=TotalOut(total=found.images),
            videos=VideoCountsOut(
                **{status.value: count for status, count in found.videos.items()},
                outcome_unknown=found.outcome_unknown,
            ),
            spend_usd=SpendOut(
                day=found.spend.day, month=found.spend.month, total=found.spend.total
            ),
        )


class AuditEntryOut(Answer):
    id: str
    at: Instant
    actor_id: str | None
    action: str
    target_id: str | None
    address: str | None
    details: dict[str, str]

    @classmethod
    def of(cls, entry: AuditEntry) -> "AuditEntryOut":
        return cls(
            id=entry.id,
            at=entry.at,
            actor_id=entry.actor_id,
            action=entry.action.value,
            target_id=entry.target_id,
            address=entry.address,
            details=dict(entry.details),
        )


class UnsettledVideoOut(Answer):
    id: str
    user_id: str
    model: str
    status: str
    error_code: str | None
    estimate_usd: Usd | None
    created_at: Instant

    @classmethod
    def of(cls, found: UnsettledVideo) -> "UnsettledVideoOut":
        job = found.job
        return cls(
            id=job.id,
            user_id=job.user_id,
            model=job.model,
            status=job.status.value,
            error_code=job.shown_error_code,
            estimate_usd=found.estimate_usd,
            created_at=job.created_at,
        )


class PrunedOut(Answer):
    """`bytes` are those of the files."""

    texts: int
    images: int
    videos: int
    files: int
    bytes: int

    @classmethod
    def of(cls, pruned: Pruned) -> "PrunedOut":
        return cls(**asdict(pruned))


class ExpiredOut(PrunedOut):
    """What of a user's goes."""

    user_id: str
    email: str | None

    @classmethod
    def of_user(cls, expired: Expired) -> "ExpiredOut":
        return cls(user_id=expired.user_id, email=expired.email, **asdict(expired.pruned))


class RetentionOut(Answer):
    """A policy (null is no limit) and what it would remove now: of all, and of each user, whoever
    has most bytes of it first."""

    days: int | None
    bytes_per_user: int | None
    total: PrunedOut
    items: list[ExpiredOut]

    @classmethod
    def of(cls, policy: RetentionPolicy, expired: Sequence[Expired]) -> "RetentionOut":
        return cls(
            days=policy.days,
            bytes_per_user=policy.bytes_per_user,
            total=PrunedOut.of(sum((line.pruned for line in expired), Pruned())),
            items=[ExpiredOut.of_user(line) for line in expired],
        )


class ResolveBody(Body):
    """Exactly one: the provider's id for the job, whether it was charged, or its release."""

    provider_job_id: str | None = None
    charged: bool | None = None
    release: Literal[True] | None = None

    @model_validator(mode="after")
    def _must_be_one(self) -> Self:
        if len(self.model_fields_set) != 1 or None in self.model_dump(exclude_unset=True).values():
            raise ValueError("send exactly one of provider_job_id, charged and release")
        return self
