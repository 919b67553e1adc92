"""Logging in: equal for all who may not, slower for those who guess, free for those who may."""

import asyncio

import pytest

from aigen.adapters.memory.security import PlainEmails, PlainPasswords, PlainTokens
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.audit import Action
from aigen.domain.model.errors import Busy, InvalidCredentials, TooManyAttempts
from aigen.domain.model.sessions import SessionPolicy
from aigen.domain.model.users import User
from aigen.domain.services.guesses import Guesses, LoginPolicy
from aigen.domain.services.sessions import Sessions
from aigen.testing import Harness
from tests.services.worlds import HOUR, MINUTE, PASSWORD, SECOND, TICK, audited, started

ANN = "ann@example.org"
#: Somebody who has an account, and two who have none.
EVERYBODY = [ANN, "nobody@example.org", "not an address"]


class WatchedPasswords(PlainPasswords):
    """Counts what is verified, and waits for the `gate`."""

    def __init__(self) -> None:
        super().__init__()
        self.verified: list[str | None] = []
        self.gate = asyncio.Event()
        self.gate.set()

    async def verify(self, password: str, password_hash: str | None) -> bool:
        self.verified.append(password_hash)
        await self.gate.wait()
        return await super().verify(password, password_hash)


@pytest.fixture
def passwords() -> WatchedPasswords:
    return WatchedPasswords()


@pytest.fixture
def sessions(harness: Harness, passwords: WatchedPasswords) -> Sessions:
    policy = LoginPolicy(failures_per_account=10, failures_per_address=15)
    return Sessions(
        harness.store,
        passwords,
        PlainTokens(harness.clock),
        PlainEmails(),
        harness.clock,
        SystemIds(),
        SessionPolicy(),
        Guesses(harness.store, harness.clock, policy),
    )


async def fail(sessions: Sessions, email: str = ANN, address: str | None = None) -> None:
    with pytest.raises(InvalidCredentials):
        await sessions.login(email, "a wrong pass phrase", address=address)


async def wait_of(sessions: Sessions, email: str = ANN, address: str | None = None) -> float:
    """The seconds for which even the right password is not looked at."""
    with pytest.raises(TooManyAttempts) as refused:
        await sessions.login(email, PASSWORD, address=address)
    return refused.value.retry_after.total_seconds()


# --- success ----------------------------------------------------------------------------------


@pytest.mark.parametrize("spelling", [ANN, " ANN@Example.org "])
async def test_who_knows_the_password_gets_tokens(
    harness: Harness, ann: User, spelling: str
) -> None:
    await harness.clock.advance(HOUR)
    tokens = await harness.aigen.sessions.login(spelling, PASSWORD, address="::1")
    caller = await harness.aigen.sessions.authenticate(tokens.access_token)
    assert caller.user.id == ann.id
    assert caller.user.last_login_at == harness.clock.now()
    assert (tokens.expires_in, tokens.refresh_expires_in) == (15 * MINUTE, 14 * 24 * HOUR)
    (entry,) = await audited(harness, Action.LOGIN)
    assert (entry.actor_id, entry.target_id, entry.address) == (ann.id, ann.id, "::1")


async def test_every_login_is_a_session_of_its_own(harness: Harness, ann: User) -> None:
    sessions = harness.aigen.sessions
    one, other = [await sessions.login(ANN, PASSWORD) for _ in range(2)]
    await sessions.logout(one.refresh_token)
    await sessions.authenticate(other.access_token)


async def test_who_was_removed_while_the_password_was_checked_is_refused(
    harness: Harness, ann: User, sessions: Sessions, passwords: WatchedPasswords
) -> None:
    passwords.gate.clear()
    task = await started(harness, sessions.login(ANN, PASSWORD))
    await harness.aigen.users.remove(ann.id)
    passwords.gate.set()
    with pytest.raises(InvalidCredentials):
        await task


# --- failure ----------------------------------------------------------------------------------


@pytest.mark.parametrize("email", EVERYBODY)
async def test_nobody_learns_who_has_an_account(
    ann: User, sessions: Sessions, passwords: WatchedPasswords, email: str
) -> None:
    """The same answer, after the same work, and the same waits."""
    with pytest.raises(InvalidCredentials) as refused:
        await sessions.login(email, "a wrong pass phrase")
    assert refused.value.detail == "E-mail or password is wrong."
    assert len(passwords.verified) == 1
    for _ in range(9):
        await fail(sessions, email)
    assert await wait_of(sessions, email) == 1
    assert len(passwords.verified) == 10


async def test_failures_are_audited_without_a_name(harness: Harness, ann: User) -> None:
    for email in (ANN, "nobody@example.org"):
        await fail(harness.aigen.sessions, email, address="::1")
    unknown, known = await audited(harness, Action.LOGIN_FAILED)
    assert (known.actor_id, known.target_id, known.address) == (None, ann.id, "::1")
    assert (unknown.actor_id, unknown.target_id) == (None, None)


async def test_after_ten_failures_an_account_waits_ever_longer(
    harness: Harness, ann: User, sessions: Sessions
) -> None:
    for _ in range(10):
        await fail(sessions)
    waits = []
    for _ in range(12):
        waits.append(await wait_of(sessions))
        await harness.clock.advance(waits[-1])
        await fail(sessions)
    assert waits == [1, 2, 4, 8, 16, 32, 64, 128, 256, 512, 900, 900]


async def test_waiting_tries_neither_count_nor_cost_anything(
    harness: Harness, ann: User, sessions: Sessions, passwords: WatchedPasswords
) -> None:
    for _ in range(10):
        await fail(sessions)
    for _ in range(100):
        assert await wait_of(sessions) == 1
    assert len(passwords.verified) == 10
    await harness.clock.advance(SECOND)
    await sessions.login(ANN, PASSWORD)


async def test_success_clears_the_accounts_count(
    harness: Harness, ann: User, sessions: Sessions
) -> None:
    for _ in range(9):
        await fail(sessions)
    await sessions.login(ANN, PASSWORD)
    for _ in range(10):
        await fail(sessions)
    assert await wait_of(sessions) == 1


async def test_a_quarter_of_an_hour_clears_it_too(
    harness: Harness, ann: User, sessions: Sessions
) -> None:
    for _ in range(9):
        await fail(sessions)
    await harness.clock.advance(15 * MINUTE)
    for _ in range(10):
        await fail(sessions)
    assert await wait_of(sessions) == 1


async def test_one_account_waits_and_another_does_not(
    ann: User, bob: User, sessions: Sessions
) -> None:
    for _ in range(10):
        await fail(sessions)
    await sessions.login("bob@example.org", PASSWORD)


@pytest.mark.parametrize("spelling", ["ANN@example.org", " ann@Example.ORG"])
async def test_another_spelling_is_the_same_account(
    ann: User, sessions: Sessions, spelling: str
) -> None:
    for _ in range(10):
        await fail(sessions, spelling)
    assert await wait_of(sessions) == 1


async def test_an_address_that_tries_many_accounts_waits(
    harness: Harness, ann: User, sessions: Sessions
) -> None:
    for number in range(15):
        await fail(sessions, f"guess-{number}@example.org", "::1")
    assert await wait_of(sessions, ANN, "::1") == 1
    await sessions.login(ANN, PASSWORD, address="::2")
    await sessions.login(ANN, PASSWORD)
    assert await wait_of(sessions, ANN, "::1") == 1  # a success elsewhere does not clear it
    await harness.clock.advance(SECOND - TICK)
    assert await wait_of(sessions, ANN, "::1") == TICK.total_seconds()
    await harness.clock.advance(TICK)
    await sessions.login(ANN, PASSWORD, address="::1")


async def test_running_sessions_are_untouched_by_guesses(
    harness: Harness, ann: User, sessions: Sessions
) -> None:
    tokens = await sessions.login(ANN, PASSWORD)
    for _ in range(10):
        await fail(sessions)
    await sessions.authenticate(tokens.access_token)
    await sessions.refresh(tokens.refresh_token)


async def test_a_burst_of_guesses_cannot_outrun_the_count(
    harness: Harness, ann: User, sessions: Sessions, passwords: WatchedPasswords
) -> None:
    results = await asyncio.gather(
        *(sessions.login(ANN, f"guess number {number}") for number in range(200)),
        return_exceptions=True,
    )
    assert len(passwords.verified) <= 10
    kinds = {type(result) for result in results}
    assert kinds <= {InvalidCredentials, TooManyAttempts, Busy}


async def test_no_more_than_a_few_wait_for_the_same_account(
    harness: Harness, ann: User, sessions: Sessions, passwords: WatchedPasswords
) -> None:
    passwords.gate.clear()
    tasks = [await started(harness, sessions.login(ANN, PASSWORD)) for _ in range(40)]
    refused = [task for task in tasks if task.done()]
    assert all(isinstance(task.exception(), Busy) for task in refused)
    assert len(tasks) - len(refused) <= 20
    other = await started(harness, sessions.login("bob@example.org", PASSWORD))
    assert not other.done()  # another account has a queue of its own
    passwords.gate.set()
    await asyncio.gather(*tasks, other, return_exceptions=True)
