"""Money: every generation is a charge, reserved before it is sent and ended exactly once.

A charge counts in the UTC day and month in which it was reserved, whenever it ends.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum
from typing import Any

from attrs import evolve, frozen

from aigen.domain.model.errors import InvalidRequest

#: How long a cost that was not reported is looked for.
LOOKED_UP_FOR = timedelta(minutes=10)

_MOST_USD = Decimal(1_000_000)


class Kind(StrEnum):
    TEXT = "text"
    IMAGE = "image"
    VIDEO = "video"


class ChargeState(StrEnum):
    RESERVED = "reserved"
    SETTLED = "settled"
    RELEASED = "released"


class Scope(StrEnum):
    """Whose cap it is, as a refusal names it."""

    USER_DAY = "user_day"
    USER_MONTH = "user_month"
    KEY = "key"
    HOUSE = "house"


@frozen(kw_only=True)
class Charge:
    """The money side of one generation, whose id it shares. It outlives its user.

    `reserved_usd` is what was put aside, and `estimate_usd` what the prices told, None if they
    did not. `cost_usd` is final, and `is_estimated` if the provider never said it.

    An open charge with `closes_at` is ended then, whatever is known: as free if
    `is_free_unless_found`, else at its estimate. Until then the provider is asked what
    `generation_ids` have cost, besides the `known_usd` that it has reported.
    """

    id: str
    user_id: str
    kind: Kind
    model: str
    created_at: datetime
    estimate_usd: Decimal | None = None
    reserved_usd: Decimal = Decimal(0)
    key_id: str | None = None
    state: ChargeState = ChargeState.RESERVED
    cost_usd: Decimal = Decimal(0)
    is_estimated: bool = False
    known_usd: Decimal | None = None
    generation_ids: tuple[str, ...] = ()
    closes_at: datetime | None = None
    is_free_unless_found: bool = False
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is ChargeState.RESERVED

    @property
    def was_free(self) -> bool:
        return self.state is ChargeState.RELEASED

    @property
    def held_usd(self) -> Decimal:
        """What it keeps aside while nobody knows what it will cost."""
        return self.reserved_usd if self.is_open else Decimal(0)

    def settled(self, cost_usd: Decimal, now: datetime) -> "Charge":
        """The provider says that it cost this."""
        return self._ended(ChargeState.SETTLED, now, cost_usd=cost_usd)

    def settled_by_estimate(self, now: datetime) -> "Charge":
        """It may have cost something, and nobody says what."""
        cost_usd = max(self.estimate_usd or Decimal(0), self.known_usd or Decimal(0))
        return self._ended(ChargeState.SETTLED, now, cost_usd=cost_usd, is_estimated=True)

    def released(self, now: datetime) -> "Charge":
        """It cost nothing."""
        return self._ended(ChargeState.RELEASED, now)

    def awaiting(
        self,
        known_usd: Decimal | None,
        generation_ids: tuple[str, ...],
        *,
        is_free_unless_found: bool,
        now: datetime,
    ) -> "Charge":
        """It is over, and what it cost, or some part of that, has still to be found."""
        return evolve(
            self,
            known_usd=known_usd,
            generation_ids=generation_ids,
            is_free_unless_found=is_free_unless_found,
            closes_at=now + LOOKED_UP_FOR,
        )

    def closed(self, now: datetime) -> "Charge":
        """The search for its cost is over."""
        return self.released(now) if self.is_free_unless_found else self.settled_by_estimate(now)

    def _ended(self, state: ChargeState, now: datetime, **changes: Any) -> "Charge":
        if not self.is_open:
            raise ChargeEnded(self.id)
        return evolve(self, state=state, ended_at=now, closes_at=None, **changes)


class ChargeEnded(RuntimeError):
    """The program tried to end a charge twice: a bug, never a user's fault."""


@frozen(kw_only=True)
class Window:
    """What was spent and is reserved in one UTC day or month."""

    spent_usd: Decimal = Decimal(0)
    reserved_usd: Decimal = Decimal(0)

    @property
    def held_usd(self) -> Decimal:
        return self.spent_usd + self.reserved_usd


@frozen(kw_only=True)
class Tally:
    """What one owner has spent and reserved on its latest day and in its latest month; `owner`
    is the id of a user or a key, or HOUSE."""

    owner: str
    day: date
    spent_day: Decimal = Decimal(0)
    reserved_day: Decimal = Decimal(0)
    spent_month: Decimal = Decimal(0)
    reserved_month: Decimal = Decimal(0)

    def on(self, day: date) -> "Tally":
        """The tally as it is on that day: what was before has passed."""
        if day <= self.day:
            return self
        if (day.year, day.month) == (self.day.year, self.day.month):
            return evolve(self, day=day, spent_day=Decimal(0), reserved_day=Decimal(0))
        return Tally(owner=self.owner, day=day)

    def of_day(self) -> Window:
        return Window(spent_usd=self.spent_day, reserved_usd=self.reserved_day)

    def of_month(self) -> Window:
        return Window(spent_usd=self.spent_month, reserved_usd=self.reserved_month)

    def with_change(self, before: Charge | None, after: Charge) -> "Tally":
        """The tally once one of its charges is another."""
        spent, reserved = after.cost_usd, after.held_usd
        if before is not None:
            spent, reserved = spent - before.cost_usd, reserved - before.held_usd
        made = after.created_at.date()
        tally = self
        if made == self.day:
            tally = evolve(
                tally, spent_day=self.spent_day + spent, reserved_day=self.reserved_day + reserved
            )
        if (made.year, made.month) == (self.day.year, self.day.month):
            tally = evolve(
                tally,
                spent_month=self.spent_month + spent,
                reserved_month=self.reserved_month + reserved,
            )
        return tally


@frozen(kw_only=True)
class Limits:
    """US dollars that may be spent in a UTC day and a UTC month; None is no limit. `owner` is a
    user's id, or one of the names below."""

    owner: str
    usd_day: Decimal | None = None
    usd_month: Decimal | None = None

    @property
    def is_none(self) -> bool:
        return self.usd_day is None and self.usd_month is None


#: Owners of limits that are not users: the whole installation, and who is new to it.
HOUSE = "house"
NEWCOMERS = "newcomers"


class Grouping(StrEnum):
    """By what a report of spending is divided."""

    USER = "user"
    MODEL = "model"
    DAY = "day"


@frozen(kw_only=True)
class SpentOn:
    """What somebody has spent on one model, on how many generations."""

    kind: Kind
    model: str
    count: int
    cost_usd: Decimal


@frozen(kw_only=True)
class SpentBy:
    """One line of a report. `key` is a user's id, a model or a day; `label` is how people call
    it, None for a user who is gone."""

    key: str
    label: str | None
    count: int
    cost_usd: Decimal


def next_day(now: datetime) -> datetime:
    """The instant at which the UTC day after this one begins."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def next_month(now: datetime) -> datetime:
    """The instant at which the UTC month after this one begins."""
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (start + timedelta(days=32)).replace(day=1)


def check_limit(field: str, usd: Decimal | None) -> None:
    """Raise InvalidRequest unless it is an amount that can be a cap, or None for no cap."""
    if usd is not None and not 0 <= usd <= _MOST_USD:
        raise InvalidRequest(
            f"`{field}` must be from 0 to {_MOST_USD} US dollars, or null for no limit.",
            field=field,
        )
