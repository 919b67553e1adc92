"""Questions about history in SQL that both databases understand."""

from collections.abc import Callable, Iterator, Sequence
from datetime import date, datetime
from decimal import Decimal
from typing import Any, Protocol, TypeVar

from aigen.adapters.records.archive import Archive
from aigen.adapters.sql import tables
from aigen.adapters.sql.expiry import expired
from aigen.adapters.sql.rows import Row, Table, naive
from aigen.domain.model.audit import AuditEntry
from aigen.domain.model.images import Image
from aigen.domain.model.ledger import Grouping, Kind, SpentBy, SpentOn, Window
from aigen.domain.model.pages import Page, PageRequest
from aigen.domain.model.retention import Expired, Expiry, Pruned
from aigen.domain.model.statistics import (
    Spend,
    SpendSince,
    TokenCounts,
    UserCounts,
    UserOverview,
)
from aigen.domain.model.texts import Text
from aigen.domain.model.videos import (
    Unsettled,
    VideoError,
    VideoJob,
    VideoState,
    VideoStatus,
)
from aigen.ports.store import HistoryQuery

V = TypeVar("V")


class Ask(Protocol):
    """Runs one query, with `$1`, `$2`, … in its text, and gives all rows. A tuple among the
    parameters is an array."""

    def __call__(self, sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]: ...


class _Conditions:
    """A WHERE clause that grows; each condition has a `{}` for each of its parameters."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self.parameters: list[object] = []

    def add(self, condition: str, *parameters: object) -> None:
        first = len(self.parameters) + 1
        places = [f"${place}" for place in range(first, first + len(parameters))]
        self._texts.append(condition.format(*places))
        self.parameters.extend(parameters)

    def add_unless_none(self, condition: str, parameter: object | None) -> None:
        if parameter is not None:
            self.add(condition, parameter)

    @property
    def where(self) -> str:
        return " AND ".join(self._texts) or "true"


class SqlArchive(Archive):
    def __init__(self, ask: Ask) -> None:
        self._ask = ask

    def get(self, table: Table[V], keys: Sequence[object], ending: str = "") -> list[V]:
        """Values by their primary keys; there is none under an id that is not one of ours.
        `ending` follows the condition, as in `select`."""
        wanted = [key if isinstance(key, tuple) else (key,) for key in keys]
        wanted = [key for key in wanted if table.may_have(key)]
        if not wanted:
            return []
        if len(wanted) == 1:
            where = " AND ".join(f"{name} = ${place}" for place, name in enumerate(table.key, 1))
            return list(self.select(table, f"{where} {ending}", wanted[0]))
        # An array for each column, so that the text does not depend on how many are asked for;
        # sorted, since two who lock the same rows in another order would stop each other.
        arrays = (f"unnest(CAST(${n} AS {kind}[]))" for n, kind in enumerate(table.key_types, 1))
        names = ", ".join(table.key)
        where = f"({names}) IN (SELECT {', '.join(arrays)}) ORDER BY {names}"
        return list(self.select(table, f"{where} {ending}", tuple(zip(*wanted, strict=True))))

    def resident(self, table: Table[V]) -> Iterator[V]:
        """All values that the owner of a database keeps in memory."""
        return self.select(table, table.resident_where)

    def select(
        self, table: Table[V], where: str, parameters: tuple[object, ...] = ()
    ) -> Iterator[V]:
        """All values for which the condition holds; what may follow one may follow it."""
        names = ", ".join(table.names)
        sql = f"SELECT {names} FROM {table.name} WHERE {where}"  # noqa: S608
        return map(table.value, self._ask(sql, parameters))

    # --- users ----------------------------------------------------------------------------

    def count_users(self) -> UserCounts:
        ((total, admins),) = self._ask(
            "SELECT count(*), count(*) FILTER (WHERE role = 'admin') FROM users"
        )
        return UserCounts(total=total, admins=admins)

    def users(self, text: str | None, page: PageRequest) -> Page[UserOverview]:
        conditions = _Conditions()
        conditions.add_unless_none("strpos(lower(email), {}) > 0", text and text.lower())
        users = self._page(tables.USERS, conditions, page, lambda user: user.id)
        places = ", ".join(f"${place}" for place in range(1, len(users.items) + 1)) or "NULL"
        rows = self._ask(
            "SELECT user_id, count(*) FROM generated_videos"  # noqa: S608
            f" WHERE user_id IN ({places}) GROUP BY user_id",
            tuple(user.id for user in users.items),
        )
        jobs = {str(user_id): int(count) for user_id, count in rows}
        return Page(
            items=tuple(
                UserOverview(user=user, video_jobs=jobs.get(user.id, 0)) for user in users.items
            ),
            next_before=users.next_before,
        )

    def count_tokens(self, now: datetime) -> TokenCounts:
        ((active, revoked, expired),) = self._ask(
            "SELECT count(*) FILTER (WHERE expires_at > $1 AND revoked_at IS NULL),"
            " count(*) FILTER (WHERE expires_at > $1 AND revoked_at IS NOT NULL),"
            " count(*) FILTER (WHERE expires_at <= $1) FROM refresh_tokens",
            (naive(now),),
        )
        return TokenCounts(active=active, revoked=revoked, expired=expired)

    # --- generations ------------------------------------------------------------------------

    def texts(self, query: HistoryQuery) -> Page[Text]:
        return self._page(tables.TEXTS, _history(query), query.page, lambda text: text.id)

    def count_texts(self) -> int:
        return self._count("generated_texts")

    def images(self, query: HistoryQuery) -> Page[Image]:
        conditions = _history(query)
        conditions.add_unless_none("status = {}", query.status and query.status.value)
        return self._page(tables.IMAGES, conditions, query.page, lambda image: image.id)

    def count_images(self) -> int:
        return self._count("generated_images")

    def videos(self, query: HistoryQuery) -> Page[VideoJob]:
        conditions = _history(query)
        if query.status is not None:
            states = [state.value for state in VideoState if state.status == query.status]
            conditions.add(f"status IN ({', '.join(['{}'] * len(states))})", *states)
        return self._page(tables.VIDEOS, conditions, query.page, lambda job: job.id)

    def unsettled_videos(self, kind: Unsettled, page: PageRequest) -> Page[VideoJob]:
        conditions = _Conditions()
        if kind is Unsettled.HELD:
            conditions.add("is_held")
        else:
            conditions.add("error_code = {}", VideoError.SUBMISSION_OUTCOME_UNKNOWN.value)
        return self._page(tables.VIDEOS, conditions, page, lambda job: job.id)

    def count_videos(self) -> dict[VideoStatus, int]:
        counts = dict.fromkeys(VideoStatus, 0)
        for state, count in self._ask(
            "SELECT status, count(*) FROM generated_videos GROUP BY status"
        ):
            counts[VideoState(state).status] += count
        return counts

    def count_unknown_videos(self) -> int:
        ((count,),) = self._ask(
            "SELECT count(*) FROM generated_videos WHERE error_code = $1",
            (VideoError.SUBMISSION_OUTCOME_UNKNOWN.value,),
        )
        return int(count)

    # --- retention --------------------------------------------------------------------------

    def expired(self, expiry: Expiry, limit: int) -> tuple[str, ...]:
        query, parameters = expired(expiry)
        sql = f"SELECT id FROM ({query}) AS expired ORDER BY id LIMIT {limit:d}"  # noqa: S608
        rows = self._ask(sql, parameters)
        return tuple(str(found) for (found,) in rows)

    def expired_by_user(self, expiry: Expiry) -> tuple[Expired, ...]:
        query, parameters = expired(expiry)
        rows = self._ask(
            "SELECT user_id, max(email), count(*) FILTER (WHERE kind = 'text'),"  # noqa: S608
            " count(*) FILTER (WHERE kind = 'image'), count(*) FILTER (WHERE kind = 'video'),"
            " sum(file_count), sum(file_bytes)"
            f" FROM ({query}) AS expired LEFT JOIN users ON users.id = user_id"
            " GROUP BY user_id ORDER BY sum(file_bytes) DESC, user_id",
            parameters,
        )
        return tuple(
            Expired(
                user_id=str(user_id),
                email=email,
                pruned=Pruned(
                    texts=texts,
                    images=images,
                    videos=videos,
                    files=int(files),
                    bytes=int(file_bytes),
                ),
            )
            for user_id, email, texts, images, videos, files, file_bytes in rows
        )

    # --- money and audit --------------------------------------------------------------------

    def spent(self, since: SpendSince) -> Spend:
        ((day, month, total),) = self._ask(
            "SELECT sum(cost_usd) FILTER (WHERE created_at >= $1),"
            " sum(cost_usd) FILTER (WHERE created_at >= $2), sum(cost_usd) FROM charges",
            (naive(since.day), naive(since.month)),
        )
        return Spend(day=_usd(day), month=_usd(month), total=_usd(total))

    def spent_on(self, user_id: str, since: datetime) -> tuple[SpentOn, ...]:
        rows = self._ask(
            "SELECT kind, model, count(*), sum(cost_usd) FROM charges"
            " WHERE user_id = $1 AND created_at >= $2 AND state <> 'released'"
            " GROUP BY kind, model ORDER BY sum(cost_usd) DESC, kind, model",
            (user_id, naive(since)),
        )
        return tuple(
            SpentOn(kind=Kind(kind), model=model, count=count, cost_usd=_usd(cost))
            for kind, model, count, cost in rows
        )

    def spent_by(
        self, grouping: Grouping, start: date | None, end: date | None
    ) -> tuple[SpentBy, ...]:
        key, label, order = _GROUPED[grouping]
        conditions = _Conditions()
        conditions.add("state <> 'released'")
        conditions.add_unless_none("charges.created_at >= {}", start and _midnight(start))
        conditions.add_unless_none("charges.created_at < {}", end and _midnight(end))
        rows = self._ask(
            f"SELECT {key}, {label}, count(*), sum(cost_usd) FROM charges"  # noqa: S608
            " LEFT JOIN users ON users.id = charges.user_id"
            f" WHERE {conditions.where} GROUP BY {key} ORDER BY {order}",
            tuple(conditions.parameters),
        )
        return tuple(
            SpentBy(key=str(name), label=called, count=count, cost_usd=_usd(cost))
            for name, called, count, cost in rows
        )

    def charged(self, since: datetime) -> Window:
        ((spent, reserved),) = self._ask(
            "SELECT sum(cost_usd), sum(reserved_usd) FILTER (WHERE state = 'reserved')"
            " FROM charges WHERE created_at >= $1",
            (naive(since),),
        )
        return Window(spent_usd=_usd(spent), reserved_usd=_usd(reserved))

    def audit(self, page: PageRequest) -> Page[AuditEntry]:
        return self._page(tables.AUDIT_LOG, _Conditions(), page, lambda entry: entry.id)

    # --- the one shape of a list ------------------------------------------------------------

    def _page(
        self,
        table: Table[V],
        conditions: _Conditions,
        page: PageRequest,
        id_of: Callable[[V], str],
    ) -> Page[V]:
        """Newest first by id, since UUIDv7 grows with time; one more row tells of a next page."""
        conditions.add_unless_none("id < {}", page.before)
        rows = self._ask(
            f"SELECT {', '.join(table.names)} FROM {table.name}"  # noqa: S608
            f" WHERE {conditions.where} ORDER BY id DESC LIMIT {page.limit + 1:d}",
            tuple(conditions.parameters),
        )
        items = tuple(table.value(row) for row in rows[: page.limit])
        return Page(items=items, next_before=id_of(items[-1]) if len(rows) > page.limit else None)

    def _count(self, table: str) -> int:
        ((count,),) = self._ask(f"SELECT count(*) FROM {table}")  # noqa: S608
        return int(count)


def _usd(found: Any) -> Decimal:
    return Decimal(found or 0)


def _midnight(day: date) -> datetime:
    return datetime(day.year, day.month, day.day)  # noqa: DTZ001 - as the databases store it


_DAY = "CAST(CAST(charges.created_at AS DATE) AS VARCHAR)"

#: What a report selects as key and label, and how it is sorted.
_GROUPED = {
    Grouping.USER: ("charges.user_id", "max(users.email)", "sum(cost_usd) DESC, charges.user_id"),
    Grouping.MODEL: ("model", "model", "sum(cost_usd) DESC, model"),
    Grouping.DAY: (_DAY, _DAY, f"{_DAY} DESC"),
}


def _history(query: HistoryQuery) -> _Conditions:
    conditions = _Conditions()
    conditions.add("user_id = {}", query.user_id)
    conditions.add_unless_none("model = {}", query.model)
    conditions.add_unless_none("strpos(lower(prompt), {}) > 0", query.text and query.text.lower())
    conditions.add_unless_none("created_at >= {}", query.since and naive(query.since))
    conditions.add_unless_none("created_at < {}", query.until and naive(query.until))
    return conditions
