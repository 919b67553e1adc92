"""Sessions: refreshed by rotation, ended by logout, theft, age or the loss of their user."""

from datetime import timedelta

import pytest

from aigen.domain.model.audit import Action
from aigen.domain.model.errors import TokenExpired, TokenInvalid, TokenRevoked
from aigen.domain.model.sessions import Tokens
from aigen.domain.model.users import User
from aigen.testing import Harness, bare_settings
from tests.services.bounds import opened
from tests.services.worlds import (
    DAY,
    HOUR,
    MINUTE,
    OTHER_PASSWORD,
    PASSWORD,
    SECOND,
    TICK,
    audited,
    leap,
)


@pytest.fixture
async def tokens(harness: Harness, ann: User) -> Tokens:
    return await harness.aigen.sessions.login("ann@example.org", PASSWORD)


async def is_alive(harness: Harness, tokens: Tokens) -> bool:
    """Whether the access token still opens doors."""
    try:
        await harness.aigen.sessions.authenticate(tokens.access_token)
    except TokenRevoked:
        return False
    return True


async def refused(harness: Harness, tokens: Tokens, key: str | None = None) -> bool:
    """Whether a refresh is refused."""
    try:
        await harness.aigen.sessions.refresh(tokens.refresh_token, key=key, address="::1")
    except TokenRevoked:
        return True
    return False


# --- rotation ---------------------------------------------------------------------------------


async def test_a_refresh_gives_new_tokens_for_the_same_session(
    harness: Harness, tokens: Tokens
) -> None:
    await leap(harness, HOUR)
    new = await harness.aigen.sessions.refresh(tokens.refresh_token)
    assert new.access_token != tokens.access_token
    assert new.refresh_token != tokens.refresh_token
    assert (new.expires_in, new.refresh_expires_in) == (15 * MINUTE, 14 * DAY)
    assert await is_alive(harness, new)


async def test_refreshing_goes_on_and_on(harness: Harness, tokens: Tokens) -> None:
    for _ in range(8):
        await leap(harness, 10 * DAY)
        tokens = await harness.aigen.sessions.refresh(tokens.refresh_token)
    assert await is_alive(harness, tokens)


async def test_an_idle_session_ends_after_two_weeks(harness: Harness, tokens: Tokens) -> None:
    await leap(harness, 14 * DAY - TICK)
    tokens = await harness.aigen.sessions.refresh(tokens.refresh_token)
    await leap(harness, 14 * DAY)
    with pytest.raises(TokenExpired):
        await harness.aigen.sessions.refresh(tokens.refresh_token)


async def test_no_session_is_older_than_ninety_days(harness: Harness, tokens: Tokens) -> None:
    for _ in range(8):
        await leap(harness, 11 * DAY)
        tokens = await harness.aigen.sessions.refresh(tokens.refresh_token)
    assert tokens.refresh_expires_in == 2 * DAY
    await leap(harness, 2 * DAY - TICK)
    tokens = await harness.aigen.sessions.refresh(tokens.refresh_token)
    assert tokens.refresh_expires_in == TICK
    await harness.clock.advance(TICK)
    with pytest.raises(TokenExpired):
        await harness.aigen.sessions.refresh(tokens.refresh_token)
    assert not await is_alive(harness, tokens)  # though its access token has not expired


async def test_an_access_token_lives_for_a_quarter_of_an_hour(
    harness: Harness, tokens: Tokens
) -> None:
    await harness.clock.advance(15 * MINUTE - TICK)
    assert await is_alive(harness, tokens)
    await harness.clock.advance(TICK)
    with pytest.raises(TokenExpired):
        await harness.aigen.sessions.authenticate(tokens.access_token)


async def test_an_access_token_outlives_the_refresh_that_replaced_it(
    harness: Harness, tokens: Tokens
) -> None:
    await harness.aigen.sessions.refresh(tokens.refresh_token)
    assert await is_alive(harness, tokens)


async def test_each_kind_of_token_is_taken_only_where_it_belongs(
    harness: Harness, tokens: Tokens
) -> None:
    sessions = harness.aigen.sessions
    for wrong in (
        sessions.authenticate(tokens.refresh_token),
        sessions.refresh(tokens.access_token),
        sessions.logout(tokens.access_token),
        sessions.authenticate("a guess"),
        sessions.refresh("a guess"),
        sessions.logout("a guess"),
    ):
        with pytest.raises(TokenInvalid):
            await wrong
    assert await is_alive(harness, tokens)


# --- replay -----------------------------------------------------------------------------------


async def test_the_same_client_gets_the_very_same_successor(
    harness: Harness, tokens: Tokens
) -> None:
    sessions = harness.aigen.sessions
    first = await sessions.refresh(tokens.refresh_token, key="tab")
    await harness.clock.advance(30)
    again = await sessions.refresh(tokens.refresh_token, key="tab")
    assert again.refresh_token == first.refresh_token
    assert again.access_token != first.access_token
    assert again.refresh_expires_in == first.refresh_expires_in - 30 * SECOND
    assert await is_alive(harness, again)
    await sessions.refresh(again.refresh_token, key="tab 2")
    assert await audited(harness, Action.REFRESH_REUSED) == []


async def test_the_same_client_is_too_late_after_thirty_seconds(
    harness: Harness, tokens: Tokens
) -> None:
    await harness.aigen.sessions.refresh(tokens.refresh_token, key="tab")
    await harness.clock.advance(30 * SECOND + TICK)
    assert await refused(harness, tokens, key="tab")
    assert not await is_alive(harness, tokens)


async def test_the_same_client_gets_no_successor_that_was_used(
    harness: Harness, tokens: Tokens
) -> None:
    sessions = harness.aigen.sessions
    first = await sessions.refresh(tokens.refresh_token, key="tab")
    second = await sessions.refresh(first.refresh_token, key="tab 2")
    assert await refused(harness, tokens, key="tab")
    assert await is_alive(harness, second)


@pytest.mark.parametrize("key", [None, "another tab"])
async def test_two_tabs_at_once_do_not_end_the_session(
    harness: Harness, tokens: Tokens, key: str | None
) -> None:
    new = await harness.aigen.sessions.refresh(tokens.refresh_token, key="tab")
    await harness.clock.advance(10)
    assert await refused(harness, tokens, key)
    assert await is_alive(harness, new)
    await harness.aigen.sessions.refresh(new.refresh_token)
    assert await audited(harness, Action.REFRESH_REUSED) == []


@pytest.mark.parametrize("key", [None, "thief"])
async def test_a_stolen_token_ends_the_whole_session(
    harness: Harness, ann: User, tokens: Tokens, key: str | None
) -> None:
    sessions = harness.aigen.sessions
    other = await sessions.login("ann@example.org", PASSWORD)
    new = await sessions.refresh(tokens.refresh_token, key="tab")
    await harness.clock.advance(10 * SECOND + TICK)
    assert await refused(harness, tokens, key)
    assert not await is_alive(harness, tokens)
    assert not await is_alive(harness, new)
    assert await refused(harness, new)
    assert await is_alive(harness, other)
    (entry,) = await audited(harness, Action.REFRESH_REUSED)
    assert (entry.actor_id, entry.target_id, entry.address) == (None, ann.id, "::1")


async def test_a_window_of_zero_ends_the_session_at_the_first_replay() -> None:
    async with opened(bare_settings(refresh_reuse_window=timedelta(0))) as harness:
        await harness.user()
        tokens = await harness.aigen.sessions.login("ann@example.org", PASSWORD)
        new = await harness.aigen.sessions.refresh(tokens.refresh_token)
        assert await refused(harness, tokens)
        assert not await is_alive(harness, new)


# --- the end ----------------------------------------------------------------------------------


async def test_a_logout_kills_access_tokens_at_once(
    harness: Harness, ann: User, tokens: Tokens
) -> None:
    new = await harness.aigen.sessions.refresh(tokens.refresh_token)
    await harness.aigen.sessions.logout(new.refresh_token, address="::1")
    assert not await is_alive(harness, tokens)
    assert not await is_alive(harness, new)
    assert await refused(harness, new)
    (entry,) = await audited(harness, Action.LOGOUT)
    assert (entry.actor_id, entry.target_id, entry.address) == (ann.id, ann.id, "::1")


async def test_logging_out_again_is_fine_and_nothing_new(harness: Harness, tokens: Tokens) -> None:
    for _ in range(3):
        await harness.aigen.sessions.logout(tokens.refresh_token)
    assert len(await audited(harness, Action.LOGOUT)) == 1


async def test_a_used_refresh_token_is_good_enough_to_log_out(
    harness: Harness, tokens: Tokens
) -> None:
    new = await harness.aigen.sessions.refresh(tokens.refresh_token)
    await harness.aigen.sessions.logout(tokens.refresh_token)
    assert not await is_alive(harness, new)


async def test_an_expired_refresh_token_is_good_enough_to_log_out(
    harness: Harness, tokens: Tokens
) -> None:
    await leap(harness, 13 * DAY)
    new = await harness.aigen.sessions.refresh(tokens.refresh_token)
    await leap(harness, 2 * DAY)
    await harness.aigen.sessions.logout(tokens.refresh_token)
    assert await refused(harness, new)


async def test_a_removed_user_is_out_on_the_next_request(
    harness: Harness, ann: User, tokens: Tokens
) -> None:
    await harness.aigen.users.remove(ann.id)
    assert not await is_alive(harness, tokens)
    assert await refused(harness, tokens)


async def test_the_tokens_of_a_removed_user_open_nothing_for_the_next_of_that_name(
    harness: Harness, ann: User, tokens: Tokens
) -> None:
    await harness.aigen.users.remove(ann.id)
    await harness.user("ann@example.org")
    assert not await is_alive(harness, tokens)


async def test_a_changed_password_is_seen_on_the_next_request(
    harness: Harness, tokens: Tokens
) -> None:
    sessions = harness.aigen.sessions
    caller = await sessions.authenticate(tokens.access_token)
    await harness.aigen.users.change_self(caller, PASSWORD, new_password=OTHER_PASSWORD)
    now = await sessions.authenticate(tokens.access_token)
    assert now.user.password_hash != caller.user.password_hash
    assert now.session_id == caller.session_id
