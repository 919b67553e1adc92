"""Failed logins slow down further ones, by account and by address; busy servers say so."""

import asyncio
from datetime import timedelta

import httpx
import pytest_asyncio

from aigen.testing import PlainPasswords
from tests.api.answers import assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.world import PASSWORD, Client, Person, World, in_process


async def login(
    client: Client | httpx.AsyncClient, email: str, password: str = PASSWORD
) -> httpx.Response:
    said = {"email": email, "password": password}
    if isinstance(client, Client):
        return await client.post("/auth/login", said)
    return await client.post("/auth/login", json=said)


async def fail(world: World, email: str, times: int) -> None:
    """Log in with a wrong password so many times; each is let through and refused."""
    for _ in range(times):
        response = await login(world.anonymous, email, "wrong")
        assert_problem(response, 401, "invalid_credentials")


def later(world: World, seconds: float) -> None:
    world.clock.set(world.clock.now() + timedelta(seconds=seconds))


def assert_must_wait(response: httpx.Response, seconds: int) -> None:
    assert_problem(response, 429, "too_many_attempts")
    assert response.headers["retry-after"] == str(seconds)


@pytest_asyncio.fixture(loop_scope="package")
async def strict(open_world: OpenWorld) -> World:
    """An installation in which waiting begins after three failures."""
    return await open_world(login_failures=3, login_failures_per_address=5)


async def test_after_the_last_free_failure_even_the_right_password_must_wait(
    strict: World,
) -> None:
    ann = await strict.ann()
    await fail(strict, ann.email, 3)
    assert_must_wait(await login(strict.anonymous, ann.email), 1)
    later(strict, 1)
    assert_json(await login(strict.anonymous, ann.email))


async def test_ten_failures_are_free_by_default(world: World, ann: Person) -> None:
    await fail(world, ann.email, 10)
    assert_must_wait(await login(world.anonymous, ann.email), 1)


async def test_the_wait_doubles_up_to_a_quarter_of_an_hour(strict: World) -> None:
    ann = await strict.ann()
    await fail(strict, ann.email, 2)
    for seconds in (1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900):
        # From an address of its own each time, so that only the account counts.
        async with in_process(strict.house, f"198.51.100.{seconds % 250}") as elsewhere:
            refused = await login(elsewhere, ann.email, "wrong")
            assert_problem(refused, 401, "invalid_credentials")
            assert_must_wait(await login(elsewhere, ann.email), seconds)
        later(strict, seconds)
    assert_json(await login(strict.anonymous, ann.email))


async def test_accounts_that_do_not_exist_are_throttled_alike(strict: World) -> None:
    await fail(strict, "nobody@example.org", 3)
    assert_must_wait(await login(strict.anonymous, "nobody@example.org"), 1)


async def test_other_spellings_of_an_address_are_the_same_account(strict: World) -> None:
    ann = await strict.ann()
    await fail(strict, ann.email, 1)
    await fail(strict, ann.email.upper(), 1)
    await fail(strict, f" {ann.email} ", 1)
    assert_must_wait(await login(strict.anonymous, ann.email), 1)


async def test_a_success_clears_the_count_of_the_account(strict: World) -> None:
    ann = await strict.ann()
    await fail(strict, ann.email, 2)
    assert_json(await login(strict.anonymous, ann.email))
    await fail(strict, ann.email, 2)
    assert_json(await login(strict.anonymous, ann.email))


async def test_after_a_quiet_quarter_of_an_hour_all_is_forgotten(strict: World) -> None:
    ann = await strict.ann()
    await fail(strict, ann.email, 2)
    later(strict, 15 * 60)
    await fail(strict, ann.email, 2)
    assert_json(await login(strict.anonymous, ann.email))


async def test_an_address_that_failed_with_many_accounts_must_wait(strict: World) -> None:
    ann = await strict.ann()
    for number in range(5):
        await fail(strict, f"nobody-{number}@example.org", 1)
    assert_must_wait(await login(strict.anonymous, ann.email), 1)
    async with in_process(strict.house, "198.51.100.1") as elsewhere:
        assert_json(await login(elsewhere, ann.email))


async def test_running_sessions_are_untouched(strict: World) -> None:
    ann = await strict.ann()
    await fail(strict, ann.email, 3)
    assert_must_wait(await login(strict.anonymous, ann.email), 1)
    assert_json(await ann.get("/users/me"))
    said = {"refresh_token": ann.refresh_token}
    assert_json(await strict.anonymous.post("/auth/refresh", said))


async def test_guesses_made_at_the_same_time_do_not_outrun_the_count(strict: World) -> None:
    ann = await strict.ann()
    answers = await asyncio.gather(
        *(login(strict.anonymous, ann.email, f"guess {number}") for number in range(10))
    )
    assert sorted(answer.status_code for answer in answers) == [401] * 3 + [429] * 7


class SlowPasswords(PlainPasswords):
    """Checks a password when it is let."""

    def __init__(self) -> None:
        super().__init__()
        self.gate = asyncio.Event()

    async def verify(self, password: str, password_hash: str | None) -> bool:
        await self.gate.wait()
        return await super().verify(password, password_hash)


async def test_a_queue_of_logins_for_one_account_is_bounded(open_world: OpenWorld) -> None:
    passwords = SlowPasswords()
    world = await open_world({"passwords": passwords})
    await world.aigen.users.add("ann@example.org", PASSWORD)
    logins = [asyncio.create_task(login(world.anonymous, "ann@example.org")) for _ in range(20)]
    done, waiting = await asyncio.wait(logins, return_when=asyncio.FIRST_COMPLETED)
    for refused in done:
        assert_problem(refused.result(), 429, "busy")
    passwords.gate.set()
    answers = [task.result().status_code for task in (await asyncio.wait(logins))[0]]
    assert sorted(answers) == [200] * 17 + [429] * 3
    assert waiting
