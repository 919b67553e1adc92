"""History in memory: what the databases say in SQL, said in Python."""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable
from datetime import date, datetime
from decimal import Decimal
from typing import TypeVar

from aigen.adapters.records.archive import Archive
from aigen.adapters.records.repositories import Shelves
from aigen.domain.model.audit import AuditEntry
from aigen.domain.model.generations import Generation
from aigen.domain.model.images import Image
from aigen.domain.model.ledger import Charge, Grouping, SpentBy, SpentOn, Window
from aigen.domain.model.media import bytes_of
from aigen.domain.model.pages import Page, PageRequest
from aigen.domain.model.retention import Expired, Expiry, Pruned, ended_at
from aigen.domain.model.sessions import RefreshToken
from aigen.domain.model.statistics import (
    Spend,
    SpendSince,
    TokenCounts,
    UserCounts,
    UserOverview,
)
from aigen.domain.model.texts import Text
from aigen.domain.model.users import User
from aigen.domain.model.videos import Unsettled, VideoJob, VideoStatus
from aigen.ports.store import HistoryQuery

V = TypeVar("V")
G = TypeVar("G", bound=Hashable)
Kind = TypeVar("Kind", Text, Image, VideoJob)


class MemoryArchive(Archive):
    def __init__(self, shelves: Shelves) -> None:
        self._shelves = shelves

    def count_users(self) -> UserCounts:
        users = list(self._shelves.users)
        return UserCounts(total=len(users), admins=sum(user.is_admin for user in users))

    def users(self, text: str | None, page: PageRequest) -> Page[UserOverview]:
        jobs = Counter(job.user_id for job in self._shelves.videos)

        def is_meant(user: User) -> bool:
            return text is None or text.lower() in user.email.lower()

        overviews = [
            UserOverview(user=user, video_jobs=jobs[user.id])
            for user in self._shelves.users
            if is_meant(user)
        ]
        return _cut(overviews, page, lambda overview: overview.user.id)

    def count_tokens(self, now: datetime) -> TokenCounts:
        def how(token: RefreshToken) -> str:
            if token.expires_at <= now:
                return "expired"
            return "revoked" if token.revoked_at else "active"

        counts = Counter(how(token) for token in self._shelves.refresh_tokens)
        return TokenCounts(
            active=counts["active"], revoked=counts["revoked"], expired=counts["expired"]
        )

    def texts(self, query: HistoryQuery) -> Page[Text]:
        return _history(self._shelves.texts, query)

    def count_texts(self) -> int:
        return sum(1 for _ in self._shelves.texts)

    def images(self, query: HistoryQuery) -> Page[Image]:
        wanted = [image for image in self._shelves.images if query.status in {None, image.status}]
        return _history(wanted, query)

    def count_images(self) -> int:
        return sum(1 for _ in self._shelves.images)

    def videos(self, query: HistoryQuery) -> Page[VideoJob]:
        wanted = [job for job in self._shelves.videos if query.status in {None, job.status}]
        return _history(wanted, query)

    def unsettled_videos(self, kind: Unsettled, page: PageRequest) -> Page[VideoJob]:
        def is_meant(job: VideoJob) -> bool:
            return job.is_held if kind is Unsettled.HELD else job.is_unknown

        return _cut(
            [job for job in self._shelves.videos if is_meant(job)], page, lambda job: job.id
        )

    def count_videos(self) -> dict[VideoStatus, int]:
        counts = Counter(job.status for job in self._shelves.videos)
        return {status: counts[status] for status in VideoStatus}

    def count_unknown_videos(self) -> int:
        return sum(job.is_unknown for job in self._shelves.videos)

    def expired(self, expiry: Expiry, limit: int) -> tuple[str, ...]:
        return tuple(sorted(generation.id for generation in self._expired(expiry))[:limit])

    def expired_by_user(self, expiry: Expiry) -> tuple[Expired, ...]:
        groups = _grouped(self._expired(expiry), lambda generation: generation.user_id)
        found = [
            Expired(
                user_id=user_id,
                email=self._email_of(user_id),
                pruned=sum(map(Pruned.of, group), Pruned()),
            )
            for user_id, group in groups.items()
        ]
        return tuple(sorted(found, key=lambda line: (-line.pruned.bytes, line.user_id)))

    def _expired(self, expiry: Expiry) -> list[Generation]:
        kinds = (self._shelves.texts, self._shelves.images, self._shelves.videos)
        ended = [found for shelf in kinds for found in shelf if ended_at(found) is not None]
        ended.sort(key=lambda generation: generation.id, reverse=True)
        kept_bytes: Counter[str] = Counter()
        expired = []
        for generation in ended:
            kept_bytes[generation.user_id] += bytes_of(generation.files)
            if expiry.ends(generation, kept_bytes[generation.user_id]):
                expired.append(generation)
        return expired

    def audit(self, page: PageRequest) -> Page[AuditEntry]:
        return _cut(list(self._shelves.audit), page, lambda entry: entry.id)

    def spent(self, since: SpendSince) -> Spend:
        return Spend(
            day=self.charged(since.day).spent_usd,
            month=self.charged(since.month).spent_usd,
            total=sum((charge.cost_usd for charge in self._shelves.charges), Decimal(0)),
        )

    def spent_on(self, user_id: str, since: datetime) -> tuple[SpentOn, ...]:
        theirs = [
            charge
            for charge in self._shelves.charges
            if charge.user_id == user_id and charge.created_at >= since and not charge.was_free
        ]
        groups = _grouped(theirs, lambda charge: (charge.kind, charge.model))
        found = [
            SpentOn(kind=kind, model=model, count=len(group), cost_usd=_sum(group))
            for (kind, model), group in groups.items()
        ]
        return tuple(sorted(found, key=lambda line: (-line.cost_usd, line.kind, line.model)))

    def spent_by(
        self, grouping: Grouping, start: date | None, end: date | None
    ) -> tuple[SpentBy, ...]:
        key_of: dict[Grouping, Callable[[Charge], str]] = {
            Grouping.USER: lambda charge: charge.user_id,
            Grouping.MODEL: lambda charge: charge.model,
            Grouping.DAY: lambda charge: charge.created_at.date().isoformat(),
        }

        def is_meant(charge: Charge) -> bool:
            day = charge.created_at.date()
            is_late = end is not None and day >= end
            return not (charge.was_free or is_late or (start is not None and day < start))

        charges = [charge for charge in self._shelves.charges if is_meant(charge)]
        found = [
            SpentBy(
                key=key, label=self._label(grouping, key), count=len(group), cost_usd=_sum(group)
            )
            for key, group in _grouped(charges, key_of[grouping]).items()
        ]
        if grouping is Grouping.DAY:
            return tuple(sorted(found, key=lambda line: line.key, reverse=True))
        return tuple(sorted(found, key=lambda line: (-line.cost_usd, line.key)))

    def _label(self, grouping: Grouping, key: str) -> str | None:
        return self._email_of(key) if grouping is Grouping.USER else key

    def _email_of(self, user_id: str) -> str | None:
        user = self._shelves.users.peek(user_id)
        return None if user is None else user.email

    def charged(self, since: datetime) -> Window:
        charges = [charge for charge in self._shelves.charges if charge.created_at >= since]
        return Window(
            spent_usd=_sum(charges),
            reserved_usd=sum((charge.held_usd for charge in charges), Decimal(0)),
        )


def _grouped(values: Iterable[V], key_of: Callable[[V], G]) -> dict[G, list[V]]:
    groups: dict[G, list[V]] = {}
    for value in values:
        groups.setdefault(key_of(value), []).append(value)
    return groups


def _sum(charges: Iterable[Charge]) -> Decimal:
    return sum((charge.cost_usd for charge in charges), Decimal(0))


def _history(generations: Iterable[Kind], query: HistoryQuery) -> Page[Kind]:
    wanted = [
        generation
        for generation in generations
        if generation.user_id == query.user_id
        and query.model in {None, generation.model}
        and (query.text is None or query.text.lower() in generation.prompt.lower())
        and (query.since is None or generation.created_at >= query.since)
        and (query.until is None or generation.created_at < query.until)
    ]
    return _cut(wanted, query.page, lambda generation: generation.id)


def _cut(items: list[V], page: PageRequest, id_of: Callable[[V], str]) -> Page[V]:
    """The page of the items, newest first, by their ids, which grow with time."""
    older = [item for item in items if page.before is None or id_of(item) < page.before]
    older.sort(key=id_of, reverse=True)
    shown = older[: page.limit]
    return Page(
        items=tuple(shown), next_before=id_of(shown[-1]) if len(older) > page.limit else None
    )
