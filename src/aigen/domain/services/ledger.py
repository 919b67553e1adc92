"""The one place through which the money of every generation goes, by whatever door it came.

Within the change that begins a generation its estimate is reserved; within the change that ends
it the charge is settled or released. So there is never a generation without a charge, and the
caps hold however many ask at once.
"""

from collections.abc import Iterator
from datetime import datetime
from decimal import Decimal

from attrs import evolve, frozen

from aigen.domain.model.errors import SpendLimitReached
from aigen.domain.model.ledger import (
    HOUSE,
    Charge,
    Limits,
    Scope,
    Tally,
    next_day,
    next_month,
)
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.ports.provider import BadAnswer, Failure, Unknown
from aigen.ports.store import Records

#: Ends that the provider itself has told: what it does not charge for by its own account.
_TOLD_BY_PROVIDER = frozenset(
    {VideoError.PROVIDER_FAILED, VideoError.PROVIDER_CANCELLED, VideoError.PROVIDER_EXPIRED}
)


@frozen(kw_only=True)
class Cap:
    """How much of a limit is left, and when there is more again."""

    scope: Scope
    limit_usd: Decimal
    left_usd: Decimal
    renews_at: datetime

    def forbids(self, estimate_usd: Decimal | None) -> bool:
        """Whether it is too little for that; what nobody can tell fits if anything is left."""
        return self.left_usd <= 0 if estimate_usd is None else estimate_usd > self.left_usd


def reserve(records: Records, charge: Charge) -> None:
    """Within a change: put the estimate of a new charge aside. Raises SpendLimitReached.

    What has no estimate takes all that is left, so that nothing is bought beside it.
    """
    tightest = tightest_cap(records, charge.user_id, charge.key_id, charge.created_at)
    if tightest is not None and tightest.forbids(charge.estimate_usd):
        raise reached(tightest)
    reserved = charge.estimate_usd
    if reserved is None:
        reserved = Decimal(0) if tightest is None else tightest.left_usd
    _put(records, None, evolve(charge, reserved_usd=reserved))


def tightest_cap(records: Records, user_id: str, key_id: str | None, now: datetime) -> Cap | None:
    """Of the caps on what a user buys, by a key or without one, that with least left."""
    return min(_caps(records, user_id, key_id, now), key=lambda cap: cap.left_usd, default=None)


def _caps(records: Records, user_id: str, key_id: str | None, now: datetime) -> Iterator[Cap]:
    theirs = records.limits.get(user_id)
    if theirs is not None:
        yield from _of_owner(records, theirs, (Scope.USER_DAY, Scope.USER_MONTH), now)
    key = None if key_id is None else records.keys.get(key_id)
    if key is not None and key.usd_month is not None:
        limits = Limits(owner=key.id, usd_month=key.usd_month)
        yield from _of_owner(records, limits, (Scope.KEY, Scope.KEY), now)
    house = records.limits.get(HOUSE)
    if house is not None:
        yield from _of_owner(records, house, (Scope.HOUSE, Scope.HOUSE), now)


def put_video(
    records: Records, job: VideoJob, now: datetime, generation_ids: tuple[str, ...] = ()
) -> None:
    """Within a change: put a job that goes on or ends, and do to its charge what that means."""
    records.videos.put(job)
    if not job.is_terminal or job.is_unknown:
        return  # an unknown submission keeps its reservation until an administrator settles it
    charge = _open(records, job.id)
    if charge is None:
        return
    if job.error_code is VideoError.SUBMISSION_SETTLED and job.may_be_charged:
        _put(records, charge, charge.settled_by_estimate(now))
    elif not job.may_be_charged and job.cost_usd is None:
        _put(records, charge, charge.released(now))
    elif job.cost_usd is not None:
        _put(records, charge, charge.settled(job.cost_usd, now))
    else:
        is_free = job.state is VideoState.FAILED and job.error_code in _TOLD_BY_PROVIDER
        awaiting = charge.awaiting(None, generation_ids, is_free_unless_found=is_free, now=now)
        _put(records, charge, awaiting)


def account_for_failure(records: Records, charge_id: str, failure: Failure, now: datetime) -> None:
    """Within a change: what was asked for did not come."""
    match failure:
        case Unknown():
            settle(records, charge_id, None, now)
        case BadAnswer(cost_usd=cost_usd, generation_ids=generation_ids):
            settle(records, charge_id, cost_usd, now, generation_ids)
        case _:
            release(records, charge_id, now)


def settle(
    records: Records,
    charge_id: str,
    cost_usd: Decimal | None,
    now: datetime,
    generation_ids: tuple[str, ...] = (),
) -> None:
    """Within a change: it was bought, at this cost and that of `generation_ids`, which has still
    to be found."""
    charge = _open(records, charge_id)
    if charge is None:
        return
    if cost_usd is not None and not generation_ids:
        _put(records, charge, charge.settled(cost_usd, now))
    else:
        awaiting = charge.awaiting(cost_usd, generation_ids, is_free_unless_found=False, now=now)
        _put(records, charge, awaiting)


def found(records: Records, charge_id: str, cost_usd: Decimal, now: datetime) -> Charge | None:
    """Within a change: what was looked for has cost this; the charge, unless it had ended."""
    charge = _open(records, charge_id)
    if charge is None:
        return None
    settled = charge.settled((charge.known_usd or Decimal(0)) + cost_usd, now)
    _put(records, charge, settled)
    return settled


def release(records: Records, charge_id: str, now: datetime) -> None:
    """Within a change: it cost nothing."""
    if charge := _open(records, charge_id):
        _put(records, charge, charge.released(now))


def close_due(records: Records, now: datetime) -> None:
    """Within a change: end the charges whose cost was looked for long enough."""
    for charge in records.charges.due(now):
        _put(records, charge, charge.closed(now))


def close_of_user(records: Records, user_id: str, now: datetime) -> None:
    """Within the change that removes a user with all jobs, whatever state they are in."""
    for charge in records.charges.open_of(user_id):
        if job := records.videos.get(charge.id):
            close_of_job(records, job, now)


def close_of_job(records: Records, job: VideoJob, now: datetime) -> None:
    """Within the change that removes a job, when nobody is left to end its charge otherwise: it
    was unfinished, or of unknown outcome and not settled."""
    charge = _open(records, job.id)
    if charge is None or charge.closes_at is not None:
        return
    if job.may_be_charged:
        awaiting = charge.awaiting(None, (), is_free_unless_found=False, now=now)
        _put(records, charge, awaiting)
    else:
        _put(records, charge, charge.released(now))


def _open(records: Records, charge_id: str) -> Charge | None:
    charge = records.charges.get(charge_id)
    return charge if charge is not None and charge.is_open else None


def _put(records: Records, before: Charge | None, after: Charge) -> None:
    """Note a charge, and count it where caps are held against it."""
    records.charges.put(after)
    owners = [after.user_id, *([after.key_id] if after.key_id else [])]
    if records.limits.get(HOUSE) is not None:
        owners.append(HOUSE)
    for owner in owners:
        tally = tally_of(records, owner, after.created_at)
        records.tallies.put(tally.with_change(before, after))


def tally_of(records: Records, owner: str, now: datetime) -> Tally:
    """What the owner has spent and reserved, as of today."""
    tally = records.tallies.get(owner)
    return Tally(owner=owner, day=now.date()) if tally is None else tally.on(now.date())


def _of_owner(
    records: Records, limits: Limits, scopes: tuple[Scope, Scope], now: datetime
) -> Iterator[Cap]:
    tally = tally_of(records, limits.owner, now)
    windows = (
        (limits.usd_day, tally.of_day(), next_day(now)),
        (limits.usd_month, tally.of_month(), next_month(now)),
    )
    for scope, (limit, window, renews_at) in zip(scopes, windows, strict=True):
        if limit is not None:
            yield Cap(
                scope=scope,
                limit_usd=limit,
                left_usd=max(limit - window.held_usd, Decimal(0)),
                renews_at=renews_at,
            )


_WHOSE = {
    Scope.USER_DAY: "your limit for today",
    Scope.USER_MONTH: "your limit for this month",
    Scope.KEY: "this key's limit for this month",
}


def reached(cap: Cap) -> SpendLimitReached:
    """What is said to whoever wants more than a cap leaves."""
    renewal = f"It renews at {cap.renews_at:%Y-%m-%d %H:%M} UTC."
    if cap.scope is Scope.HOUSE:  # what others spend is nobody's business
        return SpendLimitReached(
            f"This installation has reached its spending limit. {renewal}",
            scope=cap.scope.value,
            renews_at=cap.renews_at,
        )
    return SpendLimitReached(
        f"This may cost more than is left of {_WHOSE[cap.scope]}: "
        f"${cap.left_usd:.2f} of ${cap.limit_usd:.2f}. {renewal}",
        scope=cap.scope.value,
        renews_at=cap.renews_at,
        limit_usd=cap.limit_usd,
        left_usd=cap.left_usd,
    )
