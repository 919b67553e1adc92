"""A forgotten password: a link works once, for an hour, and ends all sessions."""

import pytest

from aigen.domain.model.audit import Action
from aigen.domain.model.errors import (
    InvalidCredentials,
    InvalidRequest,
    NotFound,
    ResetTokenInvalid,
    TokenRevoked,
)
from aigen.domain.model.users import User
from aigen.testing import Harness
from tests.services.worlds import HOUR, OTHER_PASSWORD, PASSWORD, TICK, audited


async def test_a_reset_link_sets_a_password_and_ends_all_sessions(
    harness: Harness, admin: User, ann: User
) -> None:
    users, sessions = harness.aigen.users, harness.aigen.sessions
    tokens = await sessions.login("ann@example.org", PASSWORD)
    link = await users.make_reset_link(ann.id, actor_id=admin.id, address="::1")
    assert link.expires_at == harness.clock.now() + HOUR
    await users.reset_password(link.secret, OTHER_PASSWORD, address="::2")
    with pytest.raises(TokenRevoked):
        await sessions.authenticate(tokens.access_token)
    with pytest.raises(InvalidCredentials):
        await sessions.login("ann@example.org", PASSWORD)
    await sessions.login("ann@example.org", OTHER_PASSWORD)
    (made,) = await audited(harness, Action.RESET_LINK_MADE)
    (used,) = await audited(harness, Action.PASSWORD_RESET)
    assert (made.actor_id, made.target_id, made.address) == (admin.id, ann.id, "::1")
    assert (used.actor_id, used.target_id, used.address) == (ann.id, ann.id, "::2")


async def test_a_reset_link_works_once(harness: Harness, ann: User) -> None:
    users = harness.aigen.users
    link = await users.make_reset_link(ann.id)
    await users.reset_password(link.secret, OTHER_PASSWORD)
    with pytest.raises(ResetTokenInvalid):
        await users.reset_password(link.secret, PASSWORD)
    await harness.aigen.sessions.login("ann@example.org", OTHER_PASSWORD)


async def test_a_reset_link_works_for_an_hour(harness: Harness, ann: User) -> None:
    users = harness.aigen.users
    link = await users.make_reset_link(ann.id)
    await harness.clock.advance(HOUR - TICK)
    await users.reset_password(link.secret, OTHER_PASSWORD)
    link = await users.make_reset_link(ann.id)
    await harness.clock.advance(HOUR)
    with pytest.raises(ResetTokenInvalid):
        await users.reset_password(link.secret, PASSWORD)


async def test_a_newer_link_replaces_the_older(harness: Harness, ann: User) -> None:
    users = harness.aigen.users
    older, newer = [await users.make_reset_link(ann.id) for _ in range(2)]
    with pytest.raises(ResetTokenInvalid):
        await users.reset_password(older.secret, OTHER_PASSWORD)
    await users.reset_password(newer.secret, OTHER_PASSWORD)


async def test_a_password_that_is_refused_leaves_the_link_usable(
    harness: Harness, ann: User
) -> None:
    users = harness.aigen.users
    link = await users.make_reset_link(ann.id)
    for weak in ("short", "ann@example.org", "password1234"):
        with pytest.raises(InvalidRequest):
            await users.reset_password(link.secret, weak)
    await users.reset_password(link.secret, OTHER_PASSWORD)


@pytest.mark.parametrize("secret", ["", "a guess", "x" * 5000, "\ud800", "\0"])
async def test_a_guessed_secret_is_refused(harness: Harness, ann: User, secret: str) -> None:
    await harness.aigen.users.make_reset_link(ann.id)
    with pytest.raises(ResetTokenInvalid):
        await harness.aigen.users.reset_password(secret, OTHER_PASSWORD)


async def test_the_secret_itself_is_not_stored(harness: Harness, ann: User) -> None:
    link = await harness.aigen.users.make_reset_link(ann.id)
    assert len(link.secret) >= 22  # at least 128 bits
    stored = await harness.store.read(lambda records: records.reset_links.get(link.secret))
    assert stored is None


async def test_there_is_no_link_for_nobody(harness: Harness) -> None:
    with pytest.raises(NotFound):
        await harness.aigen.users.make_reset_link("nobody")
