"""What two processes do at the same time is as if one had done it after the other."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
from attrs import evolve

from aigen.adapters.postgres.store import PostgresStore
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.errors import (
    EmailTaken,
    LastAdmin,
    NotFound,
    TokenRevoked,
    TooManyAttempts,
    TooManyJobs,
)
from aigen.domain.model.idempotency import IdempotencyKey
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import Role, User
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.ports.jobs import LeaseLost
from aigen.ports.store import Records, Store
from aigen.testing import Harness, bare_settings
from aigen.testing.samples import NOW, a_job, a_user, stored
from tests.postgres.installations import store_on
from tests.services.worlds import PASSWORD, video_request

ROUNDS = 5


@pytest_asyncio.fixture
async def houses(store: PostgresStore, other: PostgresStore) -> AsyncIterator[list[Harness]]:
    """Two installations' processes on one database, for up to ten jobs of a user."""
    async with AsyncExitStack() as stack:
        settings = bare_settings(jobs_per_user=10, login_failures=5)
        one, two = [
            await stack.enter_async_context(Harness.open(settings, store=each))
            for each in (store, other)
        ]
        # As with a secret key in common.
        two.aigen.sessions._tokens = one.aigen.sessions._tokens
        yield [one, two]


async def at_once(*work: Awaitable[Any]) -> list[Any]:
    """What came of each, errors too."""
    return await asyncio.gather(*work, return_exceptions=True)


def kinds(results: Sequence[Any]) -> Counter[str]:
    return Counter(type(result).__name__ for result in results)


# --- accounts -------------------------------------------------------------------------------


async def test_two_admins_who_demote_each_other_leave_one(houses: list[Harness]) -> None:
    one, two = (house.aigen.users for house in houses)
    for number in range(ROUNDS):
        admins = [await one.add(f"{number}{n}@example.org", PASSWORD, Role.ADMIN) for n in "ab"]
        results = await at_once(
            one.set_role(admins[0].id, Role.USER), two.set_role(admins[1].id, Role.USER)
        )
        left = [a for a in admins if (await one.get(a.id)).is_admin]
        assert len(left) == 1
        assert kinds(results) == {"User": 1, LastAdmin.__name__: 1}
        # For the next round there must be no admin but its own two.
        await one.add(f"{number}c@example.org", PASSWORD, Role.ADMIN)
        await one.set_role(left[0].id, Role.USER)
        await houses[0].store.write(
            lambda records, number=number: records.users.remove(  # type: ignore[misc]
                _identity(records, f"{number}c@example.org").id
            )
        )


def _identity(records: Records, identity: str) -> User:
    user = records.users.by_identity(identity)
    assert user is not None
    return user


async def test_an_address_is_given_to_one_of_two(houses: list[Harness]) -> None:
    for number in range(ROUNDS):
        email = f"ann{number}@example.org"
        results = await at_once(
            *(house.aigen.users.add(email, PASSWORD) for house in (*houses, *houses))
        )
        assert kinds(results) == {"User": 1, EmailTaken.__name__: 3}


async def test_an_empty_installation_gets_one_first_admin(houses: list[Harness]) -> None:
    results = await at_once(
        *(
            house.aigen.users.add_first_admin(f"root{number}@example.org", PASSWORD)
            for number, house in enumerate((*houses, *houses))
        )
    )
    assert kinds(results) == {"User": 1, "NoneType": 3}


async def test_failed_logins_are_counted_together(houses: list[Harness]) -> None:
    ann = await houses[0].user()
    wrong = [house.aigen.sessions.login(ann.email, "wrong password") for house in houses * 3]
    await at_once(*wrong)
    results = await at_once(*(house.aigen.sessions.login(ann.email, PASSWORD) for house in houses))
    assert kinds(results) == {TooManyAttempts.__name__: 2}


# --- sessions -------------------------------------------------------------------------------


async def test_a_refresh_token_is_rotated_once(houses: list[Harness]) -> None:
    ann = await houses[0].user()
    for _ in range(ROUNDS):
        tokens = await houses[0].aigen.sessions.login(ann.email, PASSWORD)
        results = await at_once(
            *(house.aigen.sessions.refresh(tokens.refresh_token) for house in houses)
        )
        assert kinds(results) == {"Tokens": 1, TokenRevoked.__name__: 1}


async def test_two_who_refresh_with_one_key_get_the_same_successor(houses: list[Harness]) -> None:
    ann = await houses[0].user()
    for number in range(ROUNDS):
        tokens = await houses[0].aigen.sessions.login(ann.email, PASSWORD)
        one, two = await asyncio.gather(
            *(
                house.aigen.sessions.refresh(tokens.refresh_token, key=f"key-{number}")
                for house in houses
            )
        )
        assert one.refresh_token == two.refresh_token


async def test_what_ends_in_one_process_is_over_in_the_other(houses: list[Harness]) -> None:
    here, there = (house.aigen for house in houses)
    ann = await houses[0].user()
    tokens = await here.sessions.login(ann.email, PASSWORD)
    assert (await there.sessions.authenticate(tokens.access_token)).user.role is Role.USER
    await here.users.set_role(ann.id, Role.ADMIN)
    assert (await there.sessions.authenticate(tokens.access_token)).user.role is Role.ADMIN
    await here.sessions.logout(tokens.refresh_token)
    with pytest.raises(TokenRevoked):
        await there.sessions.authenticate(tokens.access_token)


# --- jobs -----------------------------------------------------------------------------------


async def test_a_key_makes_one_job_wherever_it_is_shown(houses: list[Harness]) -> None:
    ann = await houses[0].user()
    for number in range(ROUNDS):
        key = IdempotencyKey(key=f"key-{number}", fingerprint="f")
        results = await asyncio.gather(
            *(house.aigen.videos.submit_once(ann.id, video_request(), key) for house in houses * 4)
        )
        assert len({once.value.id for once in results}) == 1
        assert sum(not once.is_replay for once in results) == 1


async def test_a_users_jobs_are_limited_over_all_processes(houses: list[Harness]) -> None:
    ann = await houses[0].user()
    results = await at_once(
        *(house.aigen.videos.submit(ann.id, video_request()) for house in houses * 8)
    )
    assert kinds(results) == {"VideoJob": 10, TooManyJobs.__name__: 6}


async def test_a_removed_user_leaves_no_job_behind(houses: list[Harness]) -> None:
    here, there = (house.aigen for house in houses)
    for number in range(ROUNDS):
        ann = await here.users.add(f"ann{number}@example.org", PASSWORD)
        await at_once(
            there.videos.submit(ann.id, video_request()),
            here.users.remove(ann.id),
            there.videos.submit(ann.id, video_request()),
        )
        with pytest.raises(NotFound):
            await there.users.get(ann.id)
    counts = await here.store.read(lambda records: records.videos.count_by_status())
    assert sum(counts.values()) == 0


async def test_workers_who_claim_at_once_never_get_the_same_job(
    store: PostgresStore, database_url: str
) -> None:
    users = [a_user() for _ in range(10)]
    jobs = [a_job(user) for user in users for _ in range(20)]
    await stored(store, *users, *jobs)
    got: list[list[str]] = []
    async with AsyncExitStack() as stack:

        async def work() -> None:
            mine = await stack.enter_async_context(store_on(database_url))
            house = await stack.enter_async_context(Harness.open(store=mine))
            house.clock.set(NOW)
            board, worker_id = house.aigen.work, SystemIds().new()
            await board.enlist(worker_id, is_inside=False)
            while claims := await board.claim(worker_id, submissions=3):
                got.append([claim.video_id for claim in claims])

        await asyncio.gather(*(work() for _ in range(4)))
    assert Counter(video_id for claim in got for video_id in claim) == Counter(
        job.id for job in jobs
    )


async def test_claims_go_round_the_users_whoever_claims(
    store: PostgresStore, other: PostgresStore
) -> None:
    ann, bob = a_user(), a_user()
    await stored(store, *(a_job(ann) for _ in range(4)))
    await stored(other, *(a_job(bob) for _ in range(2)))

    def claim(records: Records) -> str:
        (job,) = records.videos.ready(NOW, 1)
        records.videos.put(job.claimed(worker_id=job.id, nonce="n", now=NOW))
        return job.user_id

    first_four = [await each.write(claim) for each in (store, other, store, other)]
    assert first_four == [ann.id, bob.id, ann.id, bob.id]
    await stored(store, a_job(bob))
    assert await store.write(claim) == ann.id, "bob's new job comes after what has waited"


async def test_no_job_is_left_with_a_worker_that_has_gone(
    houses: list[Harness], store: PostgresStore
) -> None:
    """A worker's lease is ended while a claim of its own is still under way."""
    board, same_board = (house.aigen.work for house in houses)
    user = a_user()
    await stored(store, user)
    for _ in range(4 * ROUNDS):
        await stored(store, *(a_job(user) for _ in range(3)))
        worker_id = SystemIds().new()
        await board.enlist(worker_id, is_inside=False)
        results = await at_once(
            board.claim(worker_id, submissions=3), same_board.release(worker_id)
        )
        assert not set(kinds(results)) - {"tuple", "NoneType", LeaseLost.__name__}

        def look(records: Records, worker_id: str = worker_id) -> tuple[VideoJob, ...]:
            return records.videos.held_by(worker_id, 9)

        assert await store.read(look) == ()
        for job in await store.read(lambda records: records.videos.unfinished_of(user.id)):
            assert job.state is VideoState.QUEUED


# --- the store itself -----------------------------------------------------------------------


async def test_nobody_decides_on_what_somebody_else_is_changing(
    store: PostgresStore, other: PostgresStore
) -> None:
    """Two that each read both and write one: without locks both would find two."""
    for number in range(ROUNDS):
        names = [f"{number}{name}" for name in "ab"]
        for name in names:
            failed = FailedLogins(subject=name, count=1, since=NOW)
            await store.write(lambda records, failed=failed: records.failures.put(failed))  # type: ignore[misc]

        def take(mine: str, names: list[str] = names) -> Callable[[Records], bool]:
            def change(records: Records) -> bool:
                found = [records.failures.get(name) for name in sorted(names)]
                if sum(failed.count for failed in found if failed is not None) < 2:
                    return False
                failed = records.failures.get(mine)
                assert failed is not None
                records.failures.put(evolve(failed, count=0))
                return True

            return change

        results = await at_once(store.write(take(names[0])), other.write(take(names[1])))
        assert sorted(results) == [False, True]


async def test_those_who_read_in_different_orders_come_to_an_end(
    store: PostgresStore, other: PostgresStore
) -> None:
    """They may have to wait until PostgreSQL sees that they wait for each other."""
    for name in "ab":
        failed = FailedLogins(subject=name, count=0, since=NOW)
        await store.write(lambda records, failed=failed: records.failures.put(failed))  # type: ignore[misc]

    def add(order: str) -> Callable[[Records], None]:
        def change(records: Records) -> None:
            for name in order:
                failed = records.failures.get(name)
                assert failed is not None
                records.failures.put(evolve(failed, count=failed.count + 1))

        return change

    changes: list[tuple[Store, str]] = [(store, "ab"), (other, "ba")]
    await asyncio.gather(*(each.write(add(order)) for each, order in changes * 3))
    for name in "ab":
        failed = await store.read(lambda records, name=name: records.failures.get(name))  # type: ignore[misc]
        assert failed is not None
        assert failed.count == 6
