"""Each kind of value and its table."""

from collections.abc import Mapping
from typing import Any

from aigen.adapters.sql.rows import (
    ID,
    PLAIN,
    TIME,
    WHOLLY,
    Codec,
    Column,
    Table,
    columns,
    of_enum,
    of_json,
)
from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.idempotency import Attempt, RememberedRequest
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.keys import ApiKey
from aigen.domain.model.ledger import Charge, ChargeState, Kind, Limits, Tally
from aigen.domain.model.media import InputImage, MediaRemoval, StoredMedia, bytes_of
from aigen.domain.model.sessions import RefreshToken, Session
from aigen.domain.model.texts import Text, Usage
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import ResetLink, Role, User
from aigen.domain.model.videos import ProviderJob, VideoError, VideoJob, VideoState
from aigen.ports.store import WorkerLease

USERS = Table(
    "users",
    User,
    ("id",),
    columns(
        id=ID,
        email=PLAIN,
        identity=PLAIN,
        password_hash=PLAIN,
        role=of_enum(Role),
        created_at=TIME,
        last_login_at=TIME,
    ),
    **WHOLLY,
)

SESSIONS = Table(
    "sessions",
    Session,
    ("id",),
    columns(
        id=ID,
        user_id=ID,
        current_jti=ID,
        created_at=TIME,
        ends_at=TIME,
        ended_at=TIME,
    ),
    resident_where="ended_at IS NULL",
    is_resident=lambda session: session.ended_at is None,
)

REFRESH_TOKENS = Table(
    "refresh_tokens",
    RefreshToken,
    ("jti",),
    columns(
        jti=ID,
        session_id=ID,
        user_id=ID,
        issued_at=TIME,
        expires_at=TIME,
        revoked_at=TIME,
        replaced_by=ID,
        rotation_key=PLAIN,
    ),
    resident_where="revoked_at IS NULL",
    is_resident=lambda token: token.revoked_at is None,
)

RESET_LINKS = Table(
    "reset_links",
    ResetLink,
    ("digest",),
    columns(digest=PLAIN, user_id=ID, expires_at=TIME),
    **WHOLLY,
)

FAILED_LOGINS = Table(
    "failed_logins",
    FailedLogins,
    ("subject",),
    columns(subject=PLAIN, count=PLAIN, since=TIME, blocked_until=TIME),
    **WHOLLY,
)

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    RememberedRequest,
    ("user_id", "key"),
    columns(
        user_id=ID,
        key=PLAIN,
        fingerprint=PLAIN,
        object_id=ID,
        created_at=TIME,
        attempt=of_enum(Attempt),
        gives_up_at=TIME,
        is_deferred=PLAIN,
    ),
    resident_where="attempt = 'running'",
    is_resident=lambda request: request.attempt is Attempt.RUNNING,
)

TEXTS = Table(
    "generated_texts",
    Text,
    ("id",),
    columns(
        id=ID,
        user_id=ID,
        model=PLAIN,
        prompt=PLAIN,
        text=PLAIN,
        finish_reason=PLAIN,
        usage=of_json(Usage),
        cost_usd=PLAIN,
        created_at=TIME,
    ),
)


def _files(*names: str) -> tuple[Column, ...]:
    """How many files are named in these columns, and how many bytes they have."""
    return tuple(
        Column(name=name, codec=Codec(count), attribute="files", derived_from=frozenset(names))
        for name, count in (("file_count", len), ("file_bytes", bytes_of))
    )


IMAGES = Table(
    "generated_images",
    Image,
    ("id",),
    (
        *columns(
            id=ID,
            user_id=ID,
            model=PLAIN,
            prompt=PLAIN,
            status=of_enum(ImageStatus),
            created_at=TIME,
            input_image=of_json(InputImage),
            pictures=of_json(tuple[StoredMedia, ...]),
            text=PLAIN,
            cost_usd=PLAIN,
            error=PLAIN,
            error_code=PLAIN,
        ),
        *_files("pictures", "input_image"),
    ),
    resident_where="status = 'processing'",
    is_resident=lambda image: image.status is ImageStatus.PROCESSING,
)

VIDEOS = Table(
    "generated_videos",
    VideoJob,
    ("id",),
    (
        *columns(id=ID, user_id=ID),
        Column(
            name="generation_type",
            codec=Codec(lambda member: member.value),
            attribute="generation_type",
            derived_from=frozenset({"first_frame"}),
        ),
        Column(name="status", codec=of_enum(VideoState), attribute="state"),
        *columns(
            model=PLAIN,
            prompt=PLAIN,
            aspect_ratio=PLAIN,
            resolution=PLAIN,
            duration=PLAIN,
            generate_audio=PLAIN,
            seed=PLAIN,
            first_frame=of_json(InputImage),
            last_frame=of_json(InputImage),
            retry_of=ID,
            is_held=PLAIN,
            worker_id=ID,
            epoch=PLAIN,
            attempts=PLAIN,
            nonce=PLAIN,
            provider_job_id=PLAIN,
            polling_url=PLAIN,
            media=of_json(StoredMedia),
            may_be_charged=PLAIN,
            cost_usd=PLAIN,
            error=PLAIN,
            error_code=of_enum(VideoError),
            created_at=TIME,
            updated_at=TIME,
            submitted_at=TIME,
            finished_at=TIME,
            not_before=TIME,
            deadline_at=TIME,
        ),
        *_files("media", "first_frame", "last_frame"),
    ),
    resident_where="status IN ('queued', 'submitting', 'processing')",
    is_resident=lambda job: not job.is_terminal,
)

PROVIDER_JOBS = Table(
    "provider_jobs",
    ProviderJob,
    ("provider_job_id",),
    columns(provider_job_id=PLAIN, video_id=ID, user_id=ID),
)

WORKERS = Table(
    "workers",
    WorkerLease,
    ("worker_id",),
    columns(worker_id=ID, expires_at=TIME, is_inside=PLAIN, trouble=PLAIN),
    **WHOLLY,
)

MEDIA_REMOVALS = Table(
    "media_removals",
    MediaRemoval,
    ("prefix",),
    columns(prefix=PLAIN),
    **WHOLLY,
)

AUDIT_LOG = Table(
    "audit_log",
    AuditEntry,
    ("id",),
    (
        *columns(id=ID),
        Column(name="happened_at", codec=TIME, attribute="at"),
        *columns(
            action=of_enum(Action),
            actor_id=ID,
            target_id=ID,
            address=PLAIN,
            details=of_json(Mapping[str, str]),
        ),
    ),
)

CHARGES = Table(
    "charges",
    Charge,
    ("id",),
    columns(
        id=ID,
        user_id=ID,
        key_id=ID,
        kind=of_enum(Kind),
        model=PLAIN,
        state=of_enum(ChargeState),
        estimate_usd=PLAIN,
        reserved_usd=PLAIN,
        cost_usd=PLAIN,
        is_estimated=PLAIN,
        known_usd=PLAIN,
        generation_ids=of_json(tuple[str, ...]),
        is_free_unless_found=PLAIN,
        closes_at=TIME,
        created_at=TIME,
        ended_at=TIME,
    ),
    resident_where="state = 'reserved'",
    is_resident=lambda charge: charge.is_open,
)

TALLIES = Table(
    "tallies",
    Tally,
    ("owner",),
    columns(
        owner=PLAIN,
        day=PLAIN,
        spent_day=PLAIN,
        reserved_day=PLAIN,
        spent_month=PLAIN,
        reserved_month=PLAIN,
    ),
    **WHOLLY,
)

LIMITS = Table(
    "spend_limits",
    Limits,
    ("owner",),
    columns(owner=PLAIN, usd_day=PLAIN, usd_month=PLAIN),
    **WHOLLY,
)

API_KEYS = Table(
    "api_keys",
    ApiKey,
    ("id",),
    columns(
        id=ID,
        user_id=ID,
        name=PLAIN,
        prefix=PLAIN,
        digest=PLAIN,
        created_at=TIME,
        expires_at=TIME,
        usd_month=PLAIN,
        last_used_at=TIME,
    ),
    **WHOLLY,
)

TABLES: Mapping[str, Table[Any]] = {
    table.name: table
    for table in (
        USERS,
        SESSIONS,
        REFRESH_TOKENS,
        RESET_LINKS,
        FAILED_LOGINS,
        IDEMPOTENCY_KEYS,
        TEXTS,
        IMAGES,
        VIDEOS,
        PROVIDER_JOBS,
        WORKERS,
        MEDIA_REMOVALS,
        AUDIT_LOG,
        CHARGES,
        TALLIES,
        LIMITS,
        API_KEYS,
    )
}
