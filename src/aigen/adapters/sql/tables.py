"""How each kind of value becomes a row, and a row becomes the value again."""

import re
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Generic, TypeVar

from attrs import frozen
from cattrs.preconf.json import make_converter

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.idempotency import Attempt, RememberedRequest
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.media import InputImage, MediaRemoval, StoredMedia
from aigen.domain.model.sessions import RefreshToken, Session
from aigen.domain.model.texts import Text, Usage
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import ResetLink, Role, User
from aigen.domain.model.videos import ProviderJob, VideoError, VideoJob, VideoState
from aigen.ports.store import WorkerLease

V = TypeVar("V")
Row = Sequence[Any]


@frozen
class Codec:
    """How a column's value travels. None stays None; no function: the driver takes it as it is."""

    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None


@frozen(kw_only=True)
class Column:
    """A column, and the attribute that it holds. A derived one is written for readers of the
    database and never read back."""

    name: str
    codec: Codec
    attribute: str
    is_derived: bool = False


_ID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _RowReader:
    """Reads some columns of a value; attributes in one call of C, thousands of times a second."""

    def __init__(self, columns: Sequence[Column]) -> None:
        # With a single name, attrgetter would give the bare value; the first is read twice.
        self._attributes = attrgetter(columns[0].attribute, *(c.attribute for c in columns))
        self._encoders = [
            (place, column.codec.encode)
            for place, column in enumerate(columns)
            if column.codec.encode is not None
        ]

    def row(self, value: object) -> list[Any]:
        _, *row = self._attributes(value)
        for place, encode in self._encoders:
            if row[place] is not None:
                row[place] = encode(row[place])
        return row


class Table(Generic[V]):
    """One kind of value and its table.

    `resident_where` says in SQL, `is_resident` in Python, which rows the process that owns a
    database keeps in memory, so that it never needs to ask the database for them.
    """

    def __init__(
        self,
        name: str,
        make: Callable[..., V],
        key: tuple[str, ...],
        columns: tuple[Column, ...],
        *,
        resident_where: str = "false",
        is_resident: Callable[[V], bool] = lambda _: False,
    ) -> None:
        self.name = name
        self.key = key
        self.columns = columns
        self.resident_where = resident_where
        self.is_resident = is_resident
        self._make = make
        self.key_places = tuple(self.names.index(name) for name in key)
        self.all_places = tuple(range(len(columns)))
        self._readers: dict[tuple[int, ...], _RowReader] = {}
        self._attributes = attrgetter(*(column.attribute for column in columns))

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def has_all_resident(self) -> bool:
        return self.resident_where == "true"

    def may_have(self, key: tuple[object, ...]) -> bool:
        """Whether a key has the form that the database can look for. The database would also
        find an id in upper case; the memory would not, so there is one form only."""
        return all(
            self.columns[place].codec is not _ID or _ID_FORM.fullmatch(str(part))
            for place, part in zip(self.key_places, key, strict=True)
        )

    def rows(self, values: Iterable[V], places: tuple[int, ...]) -> list[list[Any]]:
        """The columns at `places` of each value, ready for the database."""
        reader = self._readers.get(places)
        if reader is None:
            reader = self._readers[places] = _RowReader([self.columns[place] for place in places])
        return [reader.row(value) for value in values]

    def value(self, row: Row) -> V:
        """The value that a row of all columns stands for."""
        return self._make(
            **{
                column.attribute: found
                if found is None or column.codec.decode is None
                else column.codec.decode(found)
                for column, found in zip(self.columns, row, strict=True)
                if not column.is_derived
            }
        )

    def changed(self, before: V, after: V) -> list[int]:
        """The places of the columns in which two values differ."""
        old, new = self._attributes(before), self._attributes(after)
        # Most attributes are the same object; `compress` passes over those in C.
        others = compress(self.all_places, map(is_not, old, new))
        return [place for place in others if old[place] != new[place]]


_json = make_converter()


def _of_enum(kind: type[StrEnum]) -> Codec:
    return Codec(lambda member: member.value, kind)


def _of_json(kind: Any) -> Codec:
    return Codec(lambda value: _json.dumps(value, kind), lambda text: _json.loads(text, kind))


_PLAIN = Codec()
_ID = Codec(None, str)
_TIME = Codec(lambda instant: instant.replace(tzinfo=None), lambda naive: naive.replace(tzinfo=UTC))


def _columns(**codecs: Codec) -> tuple[Column, ...]:
    """Columns that bear the names of their attributes."""
    return tuple(Column(name=name, codec=codec, attribute=name) for name, codec in codecs.items())


#: Every row is kept in memory.
_WHOLLY: Any = {"resident_where": "true", "is_resident": lambda _: True}

USERS = Table(
    "users",
    User,
    ("id",),
    _columns(
        id=_ID,
        email=_PLAIN,
        identity=_PLAIN,
        password_hash=_PLAIN,
        role=_of_enum(Role),
        created_at=_TIME,
        last_login_at=_TIME,
    ),
    **_WHOLLY,
)

SESSIONS = Table(
    "sessions",
    Session,
    ("id",),
    _columns(
        id=_ID,
        user_id=_ID,
        current_jti=_ID,
        created_at=_TIME,
        ends_at=_TIME,
        ended_at=_TIME,
    ),
    resident_where="ended_at IS NULL",
    is_resident=lambda session: session.ended_at is None,
)

REFRESH_TOKENS = Table(
    "refresh_tokens",
    RefreshToken,
    ("jti",),
    _columns(
        jti=_ID,
        session_id=_ID,
        user_id=_ID,
        issued_at=_TIME,
        expires_at=_TIME,
        revoked_at=_TIME,
        replaced_by=_ID,
        rotation_key=_PLAIN,
    ),
    resident_where="revoked_at IS NULL",
    is_resident=lambda token: token.revoked_at is None,
)

RESET_LINKS = Table(
    "reset_links",
    ResetLink,
    ("digest",),
    _columns(digest=_PLAIN, user_id=_ID, expires_at=_TIME),
    **_WHOLLY,
)

FAILED_LOGINS = Table(
    "failed_logins",
    FailedLogins,
    ("subject",),
    _columns(subject=_PLAIN, count=_PLAIN, since=_TIME, blocked_until=_TIME),
    **_WHOLLY,
)

IDEMPOTENCY_KEYS = Table(
    "idempotency_keys",
    RememberedRequest,
    ("user_id", "key"),
    _columns(
        user_id=_ID,
        key=_PLAIN,
        fingerprint=_PLAIN,
        object_id=_ID,
        created_at=_TIME,
        attempt=_of_enum(Attempt),
        gives_up_at=_TIME,
        is_deferred=_PLAIN,
    ),
    resident_where="attempt = 'running'",
    is_resident=lambda request: request.attempt is Attempt.RUNNING,
)

TEXTS = Table(
    "generated_texts",
    Text,
    ("id",),
    _columns(
        id=_ID,
        user_id=_ID,
        model=_PLAIN,
        prompt=_PLAIN,
        text=_PLAIN,
        finish_reason=_PLAIN,
        usage=_of_json(Usage),
        cost_usd=_PLAIN,
        created_at=_TIME,
    ),
)

IMAGES = Table(
    "generated_images",
    Image,
    ("id",),
    _columns(
        id=_ID,
        user_id=_ID,
        model=_PLAIN,
        prompt=_PLAIN,
        status=_of_enum(ImageStatus),
        created_at=_TIME,
        input_image=_of_json(InputImage),
        pictures=_of_json(tuple[StoredMedia, ...]),
        text=_PLAIN,
        cost_usd=_PLAIN,
        error=_PLAIN,
        error_code=_PLAIN,
    ),
    resident_where="status = 'processing'",
    is_resident=lambda image: image.status is ImageStatus.PROCESSING,
)

VIDEOS = Table(
    "generated_videos",
    VideoJob,
    ("id",),
    (
        *_columns(id=_ID, user_id=_ID),
        Column(
            name="generation_type",
            codec=Codec(lambda member: member.value),
            attribute="generation_type",
            is_derived=True,
        ),
        Column(name="status", codec=_of_enum(VideoState), attribute="state"),
        *_columns(
            model=_PLAIN,
            prompt=_PLAIN,
            aspect_ratio=_PLAIN,
            resolution=_PLAIN,
            duration=_PLAIN,
            generate_audio=_PLAIN,
            seed=_PLAIN,
            first_frame=_of_json(InputImage),
            last_frame=_of_json(InputImage),
            retry_of=_ID,
            is_held=_PLAIN,
            worker_id=_ID,
            epoch=_PLAIN,
            attempts=_PLAIN,
            nonce=_PLAIN,
            provider_job_id=_PLAIN,
            polling_url=_PLAIN,
            media=_of_json(StoredMedia),
            may_be_charged=_PLAIN,
            cost_usd=_PLAIN,
            error=_PLAIN,
            error_code=_of_enum(VideoError),
            created_at=_TIME,
            updated_at=_TIME,
            submitted_at=_TIME,
            finished_at=_TIME,
            not_before=_TIME,
            deadline_at=_TIME,
        ),
    ),
    resident_where="status IN ('queued', 'submitting', 'processing')",
    is_resident=lambda job: not job.is_terminal,
)

PROVIDER_JOBS = Table(
    "provider_jobs",
    ProviderJob,
    ("provider_job_id",),
    _columns(provider_job_id=_PLAIN, video_id=_ID, user_id=_ID),
)

WORKERS = Table(
    "workers",
    WorkerLease,
    ("worker_id",),
    _columns(worker_id=_ID, expires_at=_TIME, is_inside=_PLAIN, trouble=_PLAIN),
    **_WHOLLY,
)

MEDIA_REMOVALS = Table(
    "media_removals",
    MediaRemoval,
    ("prefix",),
    _columns(prefix=_PLAIN),
    **_WHOLLY,
)

AUDIT_LOG = Table(
    "audit_log",
    AuditEntry,
    ("id",),
    (
        *_columns(id=_ID),
        Column(name="happened_at", codec=_TIME, attribute="at"),
        *_columns(
            action=_of_enum(Action),
            actor_id=_ID,
            target_id=_ID,
            address=_PLAIN,
            details=_of_json(Mapping[str, str]),
        ),
    ),
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
    )
}


def naive(instant: datetime) -> datetime:
    """An instant as the databases store it: UTC without saying so."""
    return instant.replace(tzinfo=None)
