"""What aigen remembers: a change is one function of the records, run as if alone."""

from collections.abc import Callable, Collection, Iterable
from datetime import date, datetime
from typing import Protocol, TypeVar

from attrs import field, frozen

from aigen.domain.model.audit import AuditEntry
from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.idempotency import RememberedRequest
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.keys import ApiKey
from aigen.domain.model.ledger import (
    Charge,
    Grouping,
    Limits,
    SpentBy,
    SpentOn,
    Tally,
    Window,
)
from aigen.domain.model.media import MediaRemoval
from aigen.domain.model.pages import Page, PageRequest
from aigen.domain.model.retention import Expired, Expiry
from aigen.domain.model.sessions import RefreshToken, Session
from aigen.domain.model.statistics import (
    Spend,
    SpendSince,
    TokenCounts,
    UserCounts,
    UserOverview,
)
from aigen.domain.model.texts import Text
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import ResetLink, User
from aigen.domain.model.videos import ProviderJob, Unsettled, VideoJob, VideoStatus

K_contra = TypeVar("K_contra", contravariant=True)
V = TypeVar("V")
T = TypeVar("T")


@frozen(kw_only=True)
class WorkerLease:
    """A worker's promise to be alive. `is_inside` ones die with the process that owns the data."""

    worker_id: str
    expires_at: datetime
    is_inside: bool = False
    trouble: str | None = None


@frozen(kw_only=True)
class HistoryQuery:
    """Which of a user's generations: `text` is looked for in the prompt, whatever its case; made
    at `since` or later, and before `until`. Raises InvalidRequest if that leaves no time."""

    user_id: str
    page: PageRequest = field(factory=PageRequest)
    text: str | None = None
    model: str | None = None
    status: VideoStatus | ImageStatus | None = None
    since: datetime | None = None
    until: datetime | None = None

    def __attrs_post_init__(self) -> None:
        if self.since is not None and self.until is not None and self.until <= self.since:
            raise InvalidRequest("`until` must be after `since`.", field="until")


class Repository(Protocol[K_contra, V]):
    """Values by key. What `put` and `remove` note is seen by everything after it."""

    def get(self, key: K_contra, /) -> V | None: ...

    def get_many(self, keys: Iterable[K_contra], /) -> tuple[V, ...]:
        """Those that there are, in the order of their keys, read at once; `get` has them at hand
        then."""
        ...

    def put(self, value: V, /) -> None:
        """Replace the value that was read under this key in this change; else it is new."""
        ...

    def remove(self, key: K_contra, /) -> None: ...


class Users(Repository[str, User], Protocol):
    def by_identity(self, identity: str, /) -> User | None: ...

    def count_admins(self) -> int: ...

    def count(self) -> UserCounts: ...

    def page(self, text: str | None, page: PageRequest, /) -> Page[UserOverview]:
        """Users whose e-mail contains `text`, whatever its case."""
        ...


class Sessions(Repository[str, Session], Protocol):
    def live_of(self, user_id: str, /) -> tuple[Session, ...]:
        """The user's sessions that have not been ended; their time may be over."""
        ...

    def remove_of(self, user_id: str, /) -> None: ...

    def remove_older(self, ends_before: datetime, /) -> None: ...


class RefreshTokens(Repository[str, RefreshToken], Protocol):
    def count(self, now: datetime, /) -> TokenCounts: ...

    def remove_of(self, user_id: str, /) -> None: ...

    def remove_older(self, expires_before: datetime, /) -> None: ...


class ResetLinks(Repository[str, ResetLink], Protocol):
    def remove_of(self, user_id: str, /) -> None: ...

    def remove_older(self, expires_before: datetime, /) -> None: ...


class Failures(Repository[str, FailedLogins], Protocol):
    def remove_older(self, now: datetime, /) -> None:
        """Drop what the throttle has forgotten by now."""
        ...


class RememberedRequests(Repository[tuple[str, str], RememberedRequest], Protocol):
    """Keyed by user and idempotency key."""

    def remove_of(self, user_id: str, /) -> None: ...

    def remove_older(self, created_before: datetime, /) -> None: ...


class Texts(Repository[str, Text], Protocol):
    def page(self, query: HistoryQuery, /) -> Page[Text]: ...

    def count(self) -> int: ...

    def remove_of(self, user_id: str, /) -> None: ...


class Images(Repository[str, Image], Protocol):
    def page(self, query: HistoryQuery, /) -> Page[Image]: ...

    def count(self) -> int: ...

    def unfinished(self) -> tuple[Image, ...]: ...

    def remove_of(self, user_id: str, /) -> None: ...


class Videos(Repository[str, VideoJob], Protocol):
    def page(self, query: HistoryQuery, /) -> Page[VideoJob]: ...

    def page_unsettled(self, kind: Unsettled, page: PageRequest, /) -> Page[VideoJob]:
        """Everybody's jobs that wait for an administrator."""
        ...

    def count_by_status(self) -> dict[VideoStatus, int]:
        """How many jobs have each public status; all five are there."""
        ...

    def count_unknown(self) -> int: ...

    def unfinished_of(self, user_id: str, /) -> tuple[VideoJob, ...]: ...

    def ready(self, now: datetime, limit: int, /) -> tuple[VideoJob, ...]:
        """Queued jobs that may be submitted now, going round the users, oldest first for each."""
        ...

    def overdue(self, now: datetime, /) -> tuple[VideoJob, ...]:
        """Queued jobs whose deadline has passed."""
        ...

    def held_by(self, worker_id: str | None, limit: int, /) -> tuple[VideoJob, ...]:
        """Unfinished submitted jobs of a worker, or of nobody."""
        ...

    def held_unheard_of(self, worker_id: str, known: Collection[str], /) -> tuple[VideoJob, ...]:
        """Those of a worker that are not among the ids `known` to it, which may be thousands."""
        ...

    def remove_of(self, user_id: str, /) -> None: ...


class ProviderJobs(Repository[str, ProviderJob], Protocol):
    """Which provider ids are taken; kept as long as the job."""

    def remove_of(self, user_id: str, /) -> None: ...


class Workers(Repository[str, WorkerLease], Protocol):
    def all(self) -> tuple[WorkerLease, ...]: ...


class Removals(Repository[str, MediaRemoval], Protocol):
    def all(self) -> tuple[MediaRemoval, ...]: ...


class Charges(Repository[str, Charge], Protocol):
    """They are never removed: costs stay when their users go."""

    def open_of(self, user_id: str, /) -> tuple[Charge, ...]:
        """A user's charges that have not ended."""
        ...

    def due(self, now: datetime, /) -> tuple[Charge, ...]:
        """Open charges whose time to be closed has come."""
        ...

    def sought(self) -> tuple[Charge, ...]:
        """Open charges whose cost the provider has to be asked for."""
        ...

    def by_model(self, user_id: str, since: datetime, /) -> tuple[SpentOn, ...]:
        """What a user has spent on which model, the dearest first."""
        ...

    def report(
        self, grouping: Grouping, start: date | None, end: date | None, /
    ) -> tuple[SpentBy, ...]:
        """What was spent on days from `start` on and before `end`: by days the latest first,
        else the dearest first."""
        ...

    def total(self, since: datetime, /) -> Window:
        """What everybody together has spent and reserved."""
        ...


class Keys(Repository[str, ApiKey], Protocol):
    def by_digest(self, digest: str, /) -> ApiKey | None: ...

    def of_user(self, user_id: str, /) -> tuple[ApiKey, ...]: ...

    def remove_of(self, user_id: str, /) -> None: ...


class AuditLog(Protocol):
    """Append-only."""

    def append(self, entry: AuditEntry, /) -> None: ...

    def page(self, page: PageRequest, /) -> Page[AuditEntry]: ...


class Records(Protocol):
    """All that is remembered, as seen by one change or one look."""

    @property
    def users(self) -> Users: ...
    @property
    def sessions(self) -> Sessions: ...
    @property
    def refresh_tokens(self) -> RefreshTokens: ...
    @property
    def reset_links(self) -> ResetLinks: ...
    @property
    def failures(self) -> Failures: ...
    @property
    def remembered(self) -> RememberedRequests: ...
    @property
    def texts(self) -> Texts: ...
    @property
    def images(self) -> Images: ...
    @property
    def videos(self) -> Videos: ...
    @property
    def provider_jobs(self) -> ProviderJobs: ...
    @property
    def workers(self) -> Workers: ...
    @property
    def removals(self) -> Removals: ...
    @property
    def audit(self) -> AuditLog: ...
    @property
    def charges(self) -> Charges: ...
    @property
    def tallies(self) -> Repository[str, Tally]:
        """What every user, every key and, if it has a cap, the house has spent lately."""
        ...

    @property
    def limits(self) -> Repository[str, Limits]:
        """Caps by their owner."""
        ...

    @property
    def keys(self) -> Keys: ...

    def expired(self, expiry: Expiry, limit: int, /) -> tuple[str, ...]:
        """The ids of generations that have been kept long enough, of whatever kind, the oldest
        first."""
        ...

    def expired_by_user(self, expiry: Expiry, /) -> tuple[Expired, ...]:
        """All that has been kept long enough, whoever has most bytes of it first."""
        ...

    def spent(self, since: SpendSince, /) -> Spend:
        """What all generations have cost."""
        ...


class Store(Protocol):
    async def read(self, look: Callable[[Records], T]) -> T:
        """Run `look` on what is committed. It may run more than once and must change nothing.

        Single records are as of one instant; lists, searches and counts may be of a moment later.
        Raises DatabaseUnavailable.
        """
        ...

    async def write(self, change: Callable[[Records], T]) -> T:
        """Run `change` atomically and durably. Serialisable: as if alone.

        It may run more than once, must not wait, and what it raises undoes all it did.
        When this returns, the change survives the death of the process and the loss of power.
        Raises DatabaseUnavailable (then it may or may not have been made) and Busy (it was not).
        """
        ...
