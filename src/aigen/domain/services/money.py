"""What things cost: quotes, caps, and who has spent what."""

from datetime import date, datetime
from decimal import Decimal

from attrs import frozen

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.catalogue import check_offered
from aigen.domain.model.errors import InvalidRequest, NotFound, SpendLimitReached
from aigen.domain.model.estimates import Request, estimate
from aigen.domain.model.ledger import (
    HOUSE,
    NEWCOMERS,
    Grouping,
    Limits,
    SpentBy,
    SpentOn,
    Tally,
    Window,
    check_limit,
    next_day,
    next_month,
)
from aigen.domain.model.video_requests import VideoRequest
from aigen.domain.services.ledger import reached, tally_of, tightest_cap
from aigen.domain.services.models import Models
from aigen.ports.clock import Clock, Ids
from aigen.ports.store import Records, Store


@frozen(kw_only=True)
class Quote:
    """What a request will cost in US dollars, rather too much; None if nobody can tell. And why
    it would be refused at this moment, if it would."""

    estimate_usd: Decimal | None
    objection: SpendLimitReached | None


@frozen(kw_only=True)
class Allowance:
    """A day or a month of somebody's spending; without a limit there is no end to it."""

    spent_usd: Decimal
    reserved_usd: Decimal
    limit_usd: Decimal | None
    renews_at: datetime


@frozen(kw_only=True)
class Usage:
    """A user's spending of today and this month; `by_model` is this month's."""

    day: Allowance
    month: Allowance
    by_model: tuple[SpentOn, ...]


@frozen(kw_only=True)
class HouseLimits:
    """Caps of the whole installation, and those that new users begin with."""

    house: Limits
    newcomers: Limits


class Money:
    """`actor_id` is the administrator who asks, None for the operator."""

    def __init__(self, store: Store, models: Models, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._models = models
        self._clock = clock
        self._ids = ids

    async def quote(self, user_id: str, request: Request, *, key_id: str | None = None) -> Quote:
        """What a user is told before sending. `key_id` is the personal key that will pay."""
        amount = await self.estimate(request)
        now = self._clock.now()

        def look(records: Records) -> SpendLimitReached | None:
            cap = tightest_cap(records, user_id, key_id, now)
            return reached(cap) if cap is not None and cap.forbids(amount) else None

        return Quote(estimate_usd=amount, objection=await self._store.read(look))

    async def estimate(self, request: Request) -> Decimal | None:
        """What a request will cost in US dollars, rather too much; None if nobody can tell."""
        model = await self._models.find(request.model)
        return None if model is None else estimate(request, model)

    async def check_offered(self, request: VideoRequest) -> None:
        """Raise InvalidRequest for an option that the model is known not to have: before it is
        sent, and with those that it has."""
        model = await self._models.find(request.model)
        if model is not None:
            check_offered("duration", request.duration, model.durations)
            check_offered("resolution", request.resolution, model.resolutions)
            check_offered("aspect_ratio", request.aspect_ratio, model.aspect_ratios)

    # --- spending -------------------------------------------------------------------------

    async def usage(self, user_id: str) -> Usage:
        """What a user has spent and may still spend."""
        now = self._clock.now()
        month = now.replace(day=1, hour=0, minute=0, second=0, microsecond=0)

        def look(records: Records) -> Usage:
            limits = records.limits.get(user_id) or Limits(owner=user_id)
            tally = tally_of(records, user_id, now)
            return Usage(
                day=_allowance(tally.of_day(), limits.usd_day, next_day(now)),
                month=_allowance(tally.of_month(), limits.usd_month, next_month(now)),
                by_model=records.charges.by_model(user_id, month),
            )

        return await self._store.read(look)

    async def report(
        self, grouping: Grouping, start: date | None = None, end: date | None = None
    ) -> tuple[SpentBy, ...]:
        """What everybody has spent from `start` on and before `end`, the dearest first; by day,
        the latest first. Raises InvalidRequest."""
        if start is not None and end is not None and end <= start:
            raise InvalidRequest("`to` must be after `from`.", field="to")
        return await self._store.read(lambda records: records.charges.report(grouping, start, end))

    # --- caps -----------------------------------------------------------------------------

    async def limits(self, user_id: str) -> Limits:
        """Raises NotFound."""

        def look(records: Records) -> Limits:
            _must_exist(records, user_id)
            return records.limits.get(user_id) or Limits(owner=user_id)

        return await self._store.read(look)

    async def set_limits(
        self,
        limits: Limits,
        *,
        actor_id: str | None = None,
        address: str | None = None,
    ) -> Limits:
        """Cap what a user may spend. Raises NotFound, InvalidRequest."""
        _check(limits)

        def change(records: Records) -> Limits:
            _must_exist(records, limits.owner)
            records.limits.put(limits)
            self._note(records, limits, actor_id, address)
            return limits

        return await self._store.write(change)

    async def house_limits(self) -> HouseLimits:
        """Limits that were never set are none."""
        return await self._store.read(_house_limits)

    async def set_house_limits(
        self,
        wanted: HouseLimits,
        *,
        actor_id: str | None = None,
        address: str | None = None,
    ) -> HouseLimits:
        """Cap what all may spend together, and what new users may. Raises InvalidRequest."""
        _check(wanted.house)
        _check(wanted.newcomers)
        now = self._clock.now()

        def change(records: Records) -> HouseLimits:
            records.limits.put(wanted.newcomers)
            self._note(records, wanted.newcomers, actor_id, address)
            self._note(records, wanted.house, actor_id, address)
            if wanted.house.is_none:
                # Without a cap nothing is counted for all: one row that every change needs would
                # make them wait for each other.
                records.limits.remove(HOUSE)
                records.tallies.remove(HOUSE)
            else:
                records.limits.put(wanted.house)
                records.tallies.put(_counted(records, now))
            return wanted

        return await self._store.write(change)

    def _note(
        self, records: Records, limits: Limits, actor_id: str | None, address: str | None
    ) -> None:
        amounts = {"usd_day": limits.usd_day, "usd_month": limits.usd_month}
        is_user = limits.owner not in {HOUSE, NEWCOMERS}
        records.audit.append(
            AuditEntry(
                id=self._ids.new(),
                at=self._clock.now(),
                action=Action.LIMITS_CHANGED,
                actor_id=actor_id,
                target_id=limits.owner if is_user else None,
                address=address,
                details={name: str(usd) for name, usd in amounts.items() if usd is not None}
                | ({} if is_user else {"of": limits.owner}),
            )
        )


def _check(limits: Limits) -> None:
    check_limit("usd_day", limits.usd_day)
    check_limit("usd_month", limits.usd_month)


def _must_exist(records: Records, user_id: str) -> None:
    if records.users.get(user_id) is None:
        raise NotFound


def _house_limits(records: Records) -> HouseLimits:
    return HouseLimits(
        house=records.limits.get(HOUSE) or Limits(owner=HOUSE),
        newcomers=records.limits.get(NEWCOMERS) or Limits(owner=NEWCOMERS),
    )


def _counted(records: Records, now: datetime) -> Tally:
    """What all have spent and reserved so far today and this month."""
    day = now.replace(hour=0, minute=0, second=0, microsecond=0)
    of_day = records.charges.total(day)
    of_month = records.charges.total(day.replace(day=1))
    return Tally(
        owner=HOUSE,
        day=now.date(),
        spent_day=of_day.spent_usd,
        reserved_day=of_day.reserved_usd,
        spent_month=of_month.spent_usd,
        reserved_month=of_month.reserved_usd,
    )


def _allowance(window: Window, limit: Decimal | None, renews_at: datetime) -> Allowance:
    return Allowance(
        spent_usd=window.spent_usd,
        reserved_usd=window.reserved_usd,
        limit_usd=limit,
        renews_at=renews_at,
    )
