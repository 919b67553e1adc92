"""Money: every generation is a charge, reserved before it is sent and ended exactly once.

A charge counts in the UTC day and month in which it was reserved, whenever it ends.
"""

from datetime import date, datetime, timedelta
from decimal import Decimal
from enum import StrEnum

from attrs import evolve, frozen


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
    did not. `cost_usd` is final; `is_estimated` if the provider never said it.
    """

    id: str
    user_id: str
    kind: Kind
    model: str
    reserved_usd: Decimal
    created_at: datetime
    estimate_usd: Decimal | None = None
    key_id: str | None = None
    state: ChargeState = ChargeState.RESERVED
    cost_usd: Decimal = Decimal(0)
    is_estimated: bool = False
    ended_at: datetime | None = None

    @property
    def is_open(self) -> bool:
        return self.state is ChargeState.RESERVED

    @property
    def spent_usd(self) -> Decimal:
        """What it has cost for sure, or is settled at."""
        return self.cost_usd

    @property
    def reserved_now_usd(self) -> Decimal:
        """What it keeps aside while nobody knows what it will cost."""
        return self.reserved_usd if self.is_open else Decimal(0)

    def settled(self, cost_usd: Decimal | None, now: datetime) -> "Charge":
        """It cost this; None settles it at its estimate and says so."""
        if not self.is_open:
            return self
        return evolve(
            self,
            state=ChargeState.SETTLED,
            cost_usd=(self.estimate_usd or Decimal(0)) if cost_usd is None else cost_usd,
            is_estimated=cost_usd is None,
            ended_at=now,
        )

    def released(self, now: datetime) -> "Charge":
        """It cost nothing."""
        return evolve(self, state=ChargeState.RELEASED, ended_at=now) if self.is_open else self


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
        spent, reserved = after.spent_usd, after.reserved_now_usd
        if before is not None:
            spent, reserved = spent - before.spent_usd, reserved - before.reserved_now_usd
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


#: Owners of limits that are not users: the whole installation, and who is new to it.
HOUSE = "house"
NEWCOMERS = "newcomers"


def next_day(now: datetime) -> datetime:
    """The instant at which the UTC day after this one begins."""
    return now.replace(hour=0, minute=0, second=0, microsecond=0) + timedelta(days=1)


def next_month(now: datetime) -> datetime:
    """The instant at which the UTC month after this one begins."""
    start = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)
    return (start + timedelta(days=32)).replace(day=1)
