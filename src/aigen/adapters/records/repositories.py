"""The repositories: what lies on the shelves, and questions about history for the archive."""

from collections.abc import Collection, Hashable
from datetime import date, datetime
from itertools import count, pairwise
from typing import Any, Generic, Protocol, TypeVar
from uuid import UUID

from aigen.adapters.records.archive import Archive
from aigen.adapters.records.indexes import GroupIndex, ReadyQueue
from aigen.adapters.records.shelf import Lock, Shelf, Sweep
from aigen.domain.model.audit import AuditEntry
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
from aigen.domain.model.throttle import WINDOW, FailedLogins
from aigen.domain.model.users import ResetLink, Role, User
from aigen.domain.model.videos import ProviderJob, Unsettled, VideoJob, VideoState, VideoStatus
from aigen.ports.store import HistoryQuery, WorkerLease

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Shelves:
    """One shelf for each kind, in the order in which they may be written."""

    def __init__(self, make: "ShelfMaker") -> None:
        self.users: Shelf[str, User] = make("users", lambda user: user.id)
        self.sessions: Shelf[str, Session] = make("sessions", lambda session: session.id)
        self.refresh_tokens: Shelf[str, RefreshToken] = make(
            "refresh_tokens", lambda token: token.jti
        )
        self.reset_links: Shelf[str, ResetLink] = make("reset_links", lambda link: link.digest)
        self.failures: Shelf[str, FailedLogins] = make(
            "failed_logins", lambda failed: failed.subject
        )
        self.remembered: Shelf[tuple[str, str], RememberedRequest] = make(
            "idempotency_keys", lambda request: (request.user_id, request.key)
        )
        self.texts: Shelf[str, Text] = make("generated_texts", lambda text: text.id)
        self.images: Shelf[str, Image] = make("generated_images", lambda image: image.id)
        self.videos: Shelf[str, VideoJob] = make("generated_videos", lambda job: job.id)
        self.provider_jobs: Shelf[str, ProviderJob] = make(
            "provider_jobs", lambda job: job.provider_job_id
        )
        self.workers: Shelf[str, WorkerLease] = make("workers", lambda lease: lease.worker_id)
        self.removals: Shelf[str, MediaRemoval] = make(
            "media_removals", lambda removal: removal.prefix
        )
        self.audit: Shelf[str, AuditEntry] = make("audit_log", lambda entry: entry.id)
        self.charges: Shelf[str, Charge] = make("charges", lambda charge: charge.id)
        self.tallies: Shelf[str, Tally] = make("tallies", lambda tally: tally.owner)
        self.limits: Shelf[str, Limits] = make("spend_limits", lambda limits: limits.owner)
        self.keys: Shelf[str, ApiKey] = make("api_keys", lambda key: key.id)

    def all(self) -> dict[str, Shelf[Any, Any]]:
        return {shelf.name: shelf for shelf in vars(self).values()}


class ShelfMaker(Protocol):
    """Makes an empty shelf of a kind; says by it whether and where more can be found."""

    def __call__(self, name: str, key_of: Any, /) -> Shelf[Any, Any]: ...


def _of_user(user_id: str) -> Sweep[Any]:
    return Sweep(
        where="user_id = $1",
        parameters=(user_id,),
        matches=lambda value: bool(value.user_id == user_id),
    )


def _before(column: str, instant: datetime) -> Sweep[Any]:
    return Sweep(
        where=f"{column} < $1",
        parameters=(instant,),
        matches=lambda value: bool(getattr(value, column) < instant),
    )


class _Shelved(Generic[K, V]):
    """Get, put and remove by key."""

    def __init__(self, shelf: Shelf[K, V], archive: Archive) -> None:
        self._shelf = shelf
        self._archive = archive
        self.get = shelf.get
        self.get_many = shelf.get_many
        self.put = shelf.put
        self.remove = shelf.remove


class _OwnedByUser(_Shelved[K, V]):
    """Goes when its user goes."""

    def remove_of(self, user_id: str, /) -> None:
        self._shelf.sweep(_of_user(user_id))


class UserRecords(_Shelved[str, User]):
    def __init__(self, shelf: Shelf[str, User], archive: Archive) -> None:
        super().__init__(shelf, archive)
        self._by_identity = shelf.index(
            lambda: GroupIndex[str, User](lambda user: user.identity, shelf.key_of)
        )
        self._by_role = shelf.index(
            lambda: GroupIndex[Role, User](lambda user: user.role, shelf.key_of)
        )

    def by_identity(self, identity: str, /) -> User | None:
        self._shelf.search("identity = $1", identity)
        found = self._by_identity().find(identity)
        return found[0] if found else None

    def count_admins(self) -> int:
        self._shelf.search("role = 'admin'", lock=Lock.ALONE)
        return self._by_role().count(Role.ADMIN)

    def count(self) -> UserCounts:
        return self._archive.count_users()

    def page(self, text: str | None, page: PageRequest, /) -> Page[UserOverview]:
        return self._archive.users(text, page)


class SessionRecords(_OwnedByUser[str, Session]):
    def __init__(self, shelf: Shelf[str, Session], archive: Archive) -> None:
        super().__init__(shelf, archive)
        self._live = shelf.index(
            lambda: GroupIndex[str, Session](
                lambda session: None if session.ended_at else session.user_id, shelf.key_of
            )
        )

    def live_of(self, user_id: str, /) -> tuple[Session, ...]:
        self._shelf.search("user_id = $1 AND ended_at IS NULL ORDER BY id", user_id)
        return self._live().find(user_id)

    def remove_older(self, ends_before: datetime, /) -> None:
        self._shelf.sweep(_before("ends_at", ends_before))


class RefreshTokenRecords(_OwnedByUser[str, RefreshToken]):
    def count(self, now: datetime, /) -> TokenCounts:
        return self._archive.count_tokens(now)

    def remove_older(self, expires_before: datetime, /) -> None:
        self._shelf.sweep(_before("expires_at", expires_before))


class ResetLinkRecords(_OwnedByUser[str, ResetLink]):
    def remove_older(self, expires_before: datetime, /) -> None:
        self._shelf.sweep(_before("expires_at", expires_before))


class FailureRecords(_Shelved[str, FailedLogins]):
    def remove_older(self, now: datetime, /) -> None:
        too_old = "COALESCE(blocked_until, since) <= $1"
        self._shelf.search(too_old, now - WINDOW, lock=Lock.FREE)
        for failed in [failed for failed in self._shelf if failed.is_forgotten(now)]:
            self._shelf.remove(failed.subject)


class RememberedRecords(_OwnedByUser[tuple[str, str], RememberedRequest]):
    def remove_older(self, created_before: datetime, /) -> None:
        self._shelf.sweep(_before("created_at", created_before))


class TextRecords(_OwnedByUser[str, Text]):
    def page(self, query: HistoryQuery, /) -> Page[Text]:
        return self._archive.texts(query)

    def count(self) -> int:
        return self._archive.count_texts()


class ImageRecords(_OwnedByUser[str, Image]):
    def page(self, query: HistoryQuery, /) -> Page[Image]:
        return self._archive.images(query)

    def count(self) -> int:
        return self._archive.count_images()

    def unfinished(self) -> tuple[Image, ...]:
        self._shelf.search("status = 'processing' ORDER BY id", lock=Lock.FREE)
        return tuple(image for image in self._shelf if image.status is ImageStatus.PROCESSING)


_AT_WORK = frozenset({VideoState.SUBMITTING, VideoState.PROCESSING})

# The same in SQL, for databases that are asked anew each time. `turn` says in which round of the
# users a job has its turn.
_UNFINISHED = "user_id = $1 AND status IN ('queued', 'submitting', 'processing') ORDER BY id"
_READY = "status = 'queued' AND NOT is_held AND not_before <= $1 ORDER BY turn, id LIMIT $2"
_OVERDUE = "status = 'queued' AND NOT is_held AND deadline_at <= $1 ORDER BY deadline_at"
_IN_HAND = "worker_id = $1 AND status IN ('submitting', 'processing') ORDER BY id LIMIT $2"
_UNHEARD_OF = """worker_id = $1 AND status IN ('submitting', 'processing')
    AND id >= $2 AND id < $3 AND NOT EXISTS (
        SELECT FROM unnest($4::uuid[]) AS known (id) WHERE known.id = generated_videos.id
    ) ORDER BY id"""
_IN_NO_HAND = "worker_id IS NULL AND status IN ('submitting', 'processing') ORDER BY id LIMIT $1"

#: Ids in one question: a thread's memory stays as large as the largest that it has asked.
_IDS_AT_A_TIME = 1000
_LOWEST_ID, _HIGHEST_ID = (str(UUID(int=number)) for number in (0, 2**128 - 1))


class VideoRecords(_OwnedByUser[str, VideoJob]):
    def __init__(self, shelf: Shelf[str, VideoJob], archive: Archive) -> None:
        super().__init__(shelf, archive)
        self._unfinished = shelf.index(
            lambda: GroupIndex[str, VideoJob](
                lambda job: None if job.is_terminal else job.user_id, shelf.key_of
            )
        )
        # The one-tuple tells "nobody's" from "not at work".
        self._by_worker = shelf.index(
            lambda: GroupIndex[tuple[str | None], VideoJob](
                lambda job: (job.worker_id,) if job.state in _AT_WORK else None, shelf.key_of
            )
        )
        self._queue = shelf.index(ReadyQueue)

    def page(self, query: HistoryQuery, /) -> Page[VideoJob]:
        return self._archive.videos(query)

    def page_unsettled(self, kind: Unsettled, page: PageRequest, /) -> Page[VideoJob]:
        return self._archive.unsettled_videos(kind, page)

    def count_by_status(self) -> dict[VideoStatus, int]:
        return self._archive.count_videos()

    def count_unknown(self) -> int:
        return self._archive.count_unknown_videos()

    def unfinished_of(self, user_id: str, /) -> tuple[VideoJob, ...]:
        self._shelf.search(_UNFINISHED, user_id, lock=Lock.ALONE)
        return self._unfinished().find(user_id)

    def ready(self, now: datetime, limit: int, /) -> tuple[VideoJob, ...]:
        self._shelf.search(_READY, now, limit, lock=Lock.FREE)
        return self._queue().ready(now, limit)

    def overdue(self, now: datetime, /) -> tuple[VideoJob, ...]:
        self._shelf.search(_OVERDUE, now, lock=Lock.FREE)
        return self._queue().overdue(now)

    def held_by(self, worker_id: str | None, limit: int, /) -> tuple[VideoJob, ...]:
        if worker_id is None:
            self._shelf.search(_IN_NO_HAND, limit, lock=Lock.FREE)
        else:
            self._shelf.search(_IN_HAND, worker_id, limit, lock=Lock.LEASED)
        return self._by_worker().find((worker_id,))[:limit]

    def held_unheard_of(self, worker_id: str, known: Collection[str], /) -> tuple[VideoJob, ...]:
        ids = sorted(known)
        edges = (_LOWEST_ID, *ids[_IDS_AT_A_TIME::_IDS_AT_A_TIME], _HIGHEST_ID)
        for first, (lowest, highest) in zip(count(0, _IDS_AT_A_TIME), pairwise(edges)):
            part = ids[first : first + _IDS_AT_A_TIME]
            self._shelf.search(_UNHEARD_OF, worker_id, lowest, highest, part, lock=Lock.LEASED)
        return tuple(job for job in self._by_worker().find((worker_id,)) if job.id not in known)


class ProviderJobRecords(_OwnedByUser[str, ProviderJob]):
    """Which provider ids are taken."""


class WorkerRecords(_Shelved[str, WorkerLease]):
    def all(self) -> tuple[WorkerLease, ...]:
        self._shelf.search("true ORDER BY worker_id", lock=Lock.NONE)
        return tuple(self._shelf)


class RemovalRecords(_Shelved[str, MediaRemoval]):
    def all(self) -> tuple[MediaRemoval, ...]:
        self._shelf.search("true ORDER BY prefix", lock=Lock.NONE)
        return tuple(self._shelf)


class AuditRecords:
    def __init__(self, shelf: Shelf[str, AuditEntry], archive: Archive) -> None:
        self._archive = archive
        self.append = shelf.put

    def page(self, page: PageRequest, /) -> Page[AuditEntry]:
        return self._archive.audit(page)


class ChargeRecords(_Shelved[str, Charge]):
    def open_of(self, user_id: str, /) -> tuple[Charge, ...]:
        self._shelf.search("state = 'reserved' AND user_id = $1", user_id, lock=Lock.ALL)
        return tuple(
            charge for charge in self._shelf if charge.is_open and charge.user_id == user_id
        )

    def due(self, now: datetime, /) -> tuple[Charge, ...]:
        self._shelf.search("state = 'reserved' AND closes_at <= $1", now, lock=Lock.FREE)
        return tuple(
            charge
            for charge in self._shelf
            if charge.is_open and charge.closes_at is not None and charge.closes_at <= now
        )

    def sought(self) -> tuple[Charge, ...]:
        is_sought = "state = 'reserved' AND closes_at IS NOT NULL AND generation_ids <> '[]'"
        self._shelf.search(is_sought, lock=Lock.NONE)
        return tuple(
            charge
            for charge in self._shelf
            if charge.is_open and charge.closes_at is not None and charge.generation_ids
        )

    def by_model(self, user_id: str, since: datetime, /) -> tuple[SpentOn, ...]:
        return self._archive.spent_on(user_id, since)

    def report(
        self, grouping: Grouping, start: date | None, end: date | None, /
    ) -> tuple[SpentBy, ...]:
        return self._archive.spent_by(grouping, start, end)

    def total(self, since: datetime, /) -> Window:
        return self._archive.charged(since)


class KeyRecords(_OwnedByUser[str, ApiKey]):
    def __init__(self, shelf: Shelf[str, ApiKey], archive: Archive) -> None:
        super().__init__(shelf, archive)
        self._by_digest = shelf.index(
            lambda: GroupIndex[str, ApiKey](lambda key: key.digest, shelf.key_of)
        )
        self._by_user = shelf.index(
            lambda: GroupIndex[str, ApiKey](lambda key: key.user_id, shelf.key_of)
        )

    def by_digest(self, digest: str, /) -> ApiKey | None:
        self._shelf.search("digest = $1", digest, lock=Lock.NONE)
        found = self._by_digest().find(digest)
        return found[0] if found else None

    def of_user(self, user_id: str, /) -> tuple[ApiKey, ...]:
        self._shelf.search("user_id = $1", user_id, lock=Lock.ALONE)
        return self._by_user().find(user_id)


class ShelvedRecords:
    """All repositories, as the port `Records` wants them, over one set of shelves."""

    def __init__(self, shelves: Shelves, archive: Archive) -> None:
        self._archive = archive
        self.users = UserRecords(shelves.users, archive)
        self.sessions = SessionRecords(shelves.sessions, archive)
        self.refresh_tokens = RefreshTokenRecords(shelves.refresh_tokens, archive)
        self.reset_links = ResetLinkRecords(shelves.reset_links, archive)
        self.failures = FailureRecords(shelves.failures, archive)
        self.remembered = RememberedRecords(shelves.remembered, archive)
        self.texts = TextRecords(shelves.texts, archive)
        self.images = ImageRecords(shelves.images, archive)
        self.videos = VideoRecords(shelves.videos, archive)
        self.provider_jobs = ProviderJobRecords(shelves.provider_jobs, archive)
        self.workers = WorkerRecords(shelves.workers, archive)
        self.removals = RemovalRecords(shelves.removals, archive)
        self.audit = AuditRecords(shelves.audit, archive)
        self.charges = ChargeRecords(shelves.charges, archive)
        self.tallies = _Shelved(shelves.tallies, archive)
        self.limits = _Shelved(shelves.limits, archive)
        self.keys = KeyRecords(shelves.keys, archive)

    def expired(self, expiry: Expiry, limit: int, /) -> tuple[str, ...]:
        return self._archive.expired(expiry, limit)

    def expired_by_user(self, expiry: Expiry, /) -> tuple[Expired, ...]:
        return self._archive.expired_by_user(expiry)

    def spent(self, since: SpendSince, /) -> Spend:
        return self._archive.spent(since)
