"""What every store must know of money and keys; the fixture `store` is an open, empty one."""

from datetime import UTC, date, datetime, timedelta
from decimal import Decimal

from attrs import evolve

from aigen.domain.model.ledger import (
    HOUSE,
    NEWCOMERS,
    Charge,
    Grouping,
    Kind,
    Limits,
    SpentBy,
    SpentOn,
    Tally,
    Window,
)
from aigen.domain.model.statistics import Spend, SpendSince
from aigen.domain.model.users import User
from aigen.ports.store import Store
from aigen.testing.samples import LATER, NOW, a_charge, a_key, a_user, new_id, stored

#: The smallest amount that is kept.
CRUMB = Decimal("0.0000000001")
DAY = timedelta(days=1)
MINUTE = timedelta(minutes=1)


def bought(user: User, usd: str | Decimal, made: datetime = NOW, **fields: object) -> Charge:
    """A charge that was settled at this cost."""
    return a_charge(user, created_at=made, **fields).settled(Decimal(usd), LATER)


# --- charges ----------------------------------------------------------------------------------


async def test_a_charge_comes_back_as_it_was_put(store: Store) -> None:
    user = a_user()
    plain = a_charge(user)
    awaiting = a_charge(
        user,
        kind=Kind.IMAGE,
        key_id=new_id(),
        estimate_usd=Decimal("0.1234567891"),
        reserved_usd=Decimal("99999999.0000000001"),
    ).awaiting(CRUMB, ("gen-1", "gen-2"), is_free_unless_found=True, now=NOW)
    estimated = evolve(plain, id=new_id(), estimate_usd=CRUMB).settled_by_estimate(LATER)
    released = a_charge(user, kind=Kind.VIDEO, reserved_usd=CRUMB).released(LATER)
    charges = (plain, awaiting, estimated, released)
    await stored(store, *charges)

    async def found(charge_id: str) -> Charge | None:
        return await store.read(lambda records: records.charges.get(charge_id))

    assert [await found(charge.id) for charge in charges] == list(charges)
    assert await found(new_id()) is None


async def test_a_charge_stays_what_it_became(store: Store) -> None:
    user = a_user()
    charge = a_charge(user, estimate_usd=CRUMB, reserved_usd=CRUMB)
    await stored(store, charge)
    waiting = charge.awaiting(None, ("gen-1",), is_free_unless_found=False, now=NOW)
    settled = waiting.settled(CRUMB * 2, LATER)
    for now in (waiting, settled):
        await stored(store, now)
        assert await store.read(lambda records: records.charges.get(charge.id)) == now


async def test_open_charges_are_due_when_their_time_has_come(store: Store) -> None:
    user = a_user()
    due = a_charge(user, closes_at=NOW)
    soon = a_charge(user, closes_at=NOW + MINUTE)
    never = a_charge(user)
    over = a_charge(user, closes_at=NOW).released(NOW)
    await stored(store, due, soon, never, over)

    async def found(now: datetime) -> set[Charge]:
        return set(await store.read(lambda records: records.charges.due(now)))

    assert await found(NOW - MINUTE) == set()
    assert await found(NOW) == {due}
    assert await found(LATER) == {due, soon}
    await stored(store, due.closed(NOW))
    assert await found(LATER) == {soon}


async def test_open_charges_are_found_by_their_user(store: Store) -> None:
    ann, bob = a_user(), a_user()
    charge = a_charge(ann)
    await stored(store, ann, bob, charge, bought(ann, CRUMB), a_charge(bob))
    assert await store.read(lambda records: records.charges.open_of(ann.id)) == (charge,)


async def test_costs_are_sought_of_open_charges_that_wait_for_them(store: Store) -> None:
    user = a_user()
    sought = a_charge(user).awaiting(None, ("gen-1",), is_free_unless_found=False, now=NOW)
    hopeless = a_charge(user).awaiting(None, (), is_free_unless_found=False, now=NOW)
    running = a_charge(user, closes_at=LATER)
    await stored(store, sought, hopeless, running)
    assert await store.read(lambda records: records.charges.sought()) == (sought,)
    await stored(store, sought.settled(CRUMB, LATER))
    assert await store.read(lambda records: records.charges.sought()) == ()


# --- sums -------------------------------------------------------------------------------------


async def test_spending_is_summed_exactly_over_all_kinds(store: Store) -> None:
    user = a_user()
    now = NOW + DAY  # the second of January
    await stored(
        store,
        *(bought(user, CRUMB, now) for _ in range(3)),
        a_charge(user, created_at=now, reserved_usd=Decimal(8)),
        a_charge(user, created_at=now, reserved_usd=Decimal(9)).released(now),
        bought(user, "0.1", kind=Kind.IMAGE),
        bought(user, "0.2", kind=Kind.IMAGE),
        bought(user, "5", NOW - DAY, kind=Kind.VIDEO),
        bought(user, "7", NOW - 40 * DAY, kind=Kind.VIDEO),
    )
    spent = await store.read(lambda records: records.spent(SpendSince.of(now)))
    assert spent.day == CRUMB * 3
    assert spent.month == CRUMB * 3 + Decimal("0.3")
    assert spent.total == CRUMB * 3 + Decimal("12.3")


async def test_nothing_spent_is_zero(store: Store) -> None:
    spent = await store.read(lambda records: records.spent(SpendSince.of(NOW)))
    assert spent == Spend(day=Decimal(0), month=Decimal(0), total=Decimal(0))
    assert await store.read(lambda records: records.charges.total(NOW)) == Window()
    report = await store.read(lambda records: records.charges.report(Grouping.USER, None, None))
    assert report == ()


async def test_the_total_is_what_everybody_has_spent_and_reserved_since(store: Store) -> None:
    ann, bob = a_user(), a_user()
    await stored(
        store,
        bought(ann, "0.3"),
        bought(bob, CRUMB),
        a_charge(bob, reserved_usd=Decimal("0.5")),
        a_charge(ann, reserved_usd=Decimal("0.25")),
        a_charge(ann, reserved_usd=Decimal(4)).released(LATER),
        bought(ann, "9", NOW - MINUTE),
        a_charge(ann, created_at=NOW - MINUTE, reserved_usd=Decimal(9)),
    )
    total = await store.read(lambda records: records.charges.total(NOW))
    assert total == Window(spent_usd=Decimal("0.3") + CRUMB, reserved_usd=Decimal("0.75"))


async def test_a_users_spending_is_told_by_model_the_dearest_first(store: Store) -> None:
    ann, bob = a_user(), a_user()
    await stored(
        store,
        bought(ann, "0.1", model="m"),
        bought(ann, "0.2", model="m"),
        bought(ann, "0.4", model="m", kind=Kind.IMAGE),
        a_charge(ann, model="running", reserved_usd=Decimal(1)),
        a_charge(ann, model="also running", reserved_usd=Decimal(1)),
        a_charge(ann, model="refused").released(LATER),
        bought(ann, "7", NOW - MINUTE, model="earlier"),
        bought(bob, "8", model="not hers"),
    )
    assert await store.read(lambda records: records.charges.by_model(ann.id, NOW)) == (
        SpentOn(kind=Kind.IMAGE, model="m", count=1, cost_usd=Decimal("0.4")),
        SpentOn(kind=Kind.TEXT, model="m", count=2, cost_usd=Decimal("0.3")),
        SpentOn(kind=Kind.TEXT, model="also running", count=1, cost_usd=Decimal(0)),
        SpentOn(kind=Kind.TEXT, model="running", count=1, cost_usd=Decimal(0)),
    )


async def test_a_report_is_by_user_model_or_day(store: Store) -> None:
    ann, gone = a_user(), a_user()
    midnight = datetime(2026, 1, 2, tzinfo=UTC)
    await stored(
        store,
        ann,
        bought(ann, "0.1", model="a"),
        bought(ann, "0.2", midnight, model="b"),
        bought(gone, "0.7", midnight - timedelta(microseconds=1), model="b"),
        a_charge(ann, created_at=midnight, model="refused").released(LATER),
    )

    def line(key: str, label: str | None, count: int, usd: str) -> SpentBy:
        return SpentBy(key=key, label=label, count=count, cost_usd=Decimal(usd))

    async def report(
        grouping: Grouping, start: date | None = None, end: date | None = None
    ) -> tuple[SpentBy, ...]:
        return await store.read(lambda records: records.charges.report(grouping, start, end))

    first, second = date(2026, 1, 1), date(2026, 1, 2)
    assert await report(Grouping.USER) == (
        line(gone.id, None, 1, "0.7"),
        line(ann.id, ann.email, 2, "0.3"),
    )
    assert await report(Grouping.MODEL) == (line("b", "b", 2, "0.9"), line("a", "a", 1, "0.1"))
    assert await report(Grouping.DAY) == (
        line("2026-01-02", "2026-01-02", 1, "0.2"),
        line("2026-01-01", "2026-01-01", 2, "0.8"),
    )
    assert await report(Grouping.USER, first, second) == (
        line(gone.id, None, 1, "0.7"),
        line(ann.id, ann.email, 1, "0.1"),
    )
    assert await report(Grouping.MODEL, second) == (line("b", "b", 1, "0.2"),)
    assert await report(Grouping.DAY, None, first) == ()


# --- tallies and limits -----------------------------------------------------------------------


async def test_tallies_are_kept_for_users_keys_and_the_house(store: Store) -> None:
    tallies = [
        Tally(
            owner=owner,
            day=date(2026, 1, 1),
            spent_day=CRUMB,
            reserved_day=CRUMB * 2,
            spent_month=Decimal("99999999.9999999999"),
            reserved_month=Decimal(3),
        )
        for owner in (new_id(), HOUSE)
    ]
    await stored(store, *tallies)

    async def found(owner: str) -> Tally | None:
        return await store.read(lambda records: records.tallies.get(owner))

    assert [await found(tally.owner) for tally in tallies] == tallies
    await store.write(lambda records: records.tallies.remove(HOUSE))
    assert await found(HOUSE) is None


async def test_limits_are_kept_by_owner(store: Store) -> None:
    limits = [
        Limits(owner=new_id(), usd_day=CRUMB, usd_month=None),
        Limits(owner=HOUSE, usd_day=None, usd_month=Decimal(1_000_000)),
        Limits(owner=NEWCOMERS, usd_day=Decimal(0), usd_month=Decimal(5)),
    ]
    await stored(store, *limits)

    async def found(owner: str) -> Limits | None:
        return await store.read(lambda records: records.limits.get(owner))

    assert [await found(limit.owner) for limit in limits] == limits
    await stored(store, changed := Limits(owner=HOUSE, usd_day=CRUMB))
    assert await found(HOUSE) == changed
    await store.write(lambda records: records.limits.remove(HOUSE))
    assert await found(HOUSE) is None


# --- keys -------------------------------------------------------------------------------------


async def test_a_key_is_found_by_id_digest_and_user(store: Store) -> None:
    ann, bob = a_user(), a_user()
    first = a_key(ann, expires_at=LATER, usd_month=CRUMB, last_used_at=NOW)
    second, other = a_key(ann), a_key(bob)
    await stored(store, first, second, other)
    assert await store.read(lambda records: records.keys.get(first.id)) == first
    assert await store.read(lambda records: records.keys.by_digest(other.digest)) == other
    assert await store.read(lambda records: records.keys.by_digest("another")) is None
    found = await store.read(lambda records: records.keys.of_user(ann.id))
    assert sorted(key.id for key in found) == [first.id, second.id]


async def test_a_key_that_was_used_or_removed_is_found_so(store: Store) -> None:
    ann = a_user()
    key = a_key(ann)
    await stored(store, key)
    await store.write(lambda records: records.keys.put(key.used(LATER)))
    assert await store.read(lambda records: records.keys.by_digest(key.digest)) == key.used(LATER)
    await store.write(lambda records: records.keys.remove(key.id))
    assert await store.read(lambda records: records.keys.by_digest(key.digest)) is None
    assert await store.read(lambda records: records.keys.of_user(ann.id)) == ()


async def test_with_a_user_go_the_users_keys_and_no_others(store: Store) -> None:
    ann, bob = a_user(), a_user()
    hers, his = [a_key(ann), a_key(ann)], a_key(bob)
    await stored(store, *hers, his)
    await store.write(lambda records: records.keys.remove_of(ann.id))
    for key in hers:
        assert await store.read(lambda records, id_=key.id: records.keys.get(id_)) is None  # type: ignore[misc]
    assert await store.read(lambda records: records.keys.of_user(ann.id)) == ()
    assert await store.read(lambda records: records.keys.of_user(bob.id)) == (his,)
