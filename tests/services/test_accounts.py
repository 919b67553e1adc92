"""Accounts: who comes, as what, and how one changes oneself."""

import asyncio

import pytest

from aigen.domain.model.audit import Action
from aigen.domain.model.errors import (
    EmailTaken,
    InvalidRequest,
    LastAdmin,
    NotFound,
    RegistrationClosed,
    TokenRevoked,
    WrongPassword,
)
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.sessions import Caller
from aigen.domain.model.users import Role, User
from aigen.testing import Harness, bare_settings
from tests.services.boards import submitted
from tests.services.bounds import opened
from tests.services.worlds import OTHER_PASSWORD, PASSWORD, actions, audited


async def caller_of(harness: Harness, user: User) -> Caller:
    """The user, logged in."""
    tokens = await harness.aigen.sessions.login(user.email, PASSWORD)
    return await harness.aigen.sessions.authenticate(tokens.access_token)


# --- coming -----------------------------------------------------------------------------------


async def test_nobody_registers_where_registration_is_closed(harness: Harness) -> None:
    with pytest.raises(RegistrationClosed):
        await harness.aigen.users.register("ann@example.org", PASSWORD)
    assert (await harness.aigen.users.list()).items == ()


async def test_where_registration_is_open_everybody_becomes_a_plain_user() -> None:
    async with opened(bare_settings(registration="open")) as harness:
        user = await harness.aigen.users.register("Ann@Example.org", PASSWORD, address="::1")
        assert (user.role, user.email) == (Role.USER, "Ann@Example.org")
        assert await harness.aigen.users.get(user.id) == user
        (entry,) = await audited(harness, Action.USER_ADDED)
        assert (entry.target_id, entry.actor_id, entry.address) == (user.id, None, "::1")


async def test_an_account_has_no_readable_password(harness: Harness, ann: User) -> None:
    assert ann.password_hash.startswith("plain:")  # the fake's scheme; bcrypt has its own tests
    assert ann.last_login_at is None
    assert ann.created_at == harness.clock.now()


async def test_who_adds_an_account_is_written_down(harness: Harness, admin: User) -> None:
    added = await harness.aigen.users.add(
        "eve@example.org", PASSWORD, Role.ADMIN, actor_id=admin.id, address="::1"
    )
    assert added.is_admin
    entry = (await audited(harness, Action.USER_ADDED))[0]
    assert (entry.actor_id, entry.target_id, entry.address) == (admin.id, added.id, "::1")


@pytest.mark.parametrize("spelling", ["ann@example.org", "ANN@example.org", " ann@EXAMPLE.org "])
async def test_an_address_is_taken_in_every_spelling(
    harness: Harness, ann: User, spelling: str
) -> None:
    with pytest.raises(EmailTaken):
        await harness.aigen.users.add(spelling, PASSWORD)
    assert await harness.aigen.users.find(spelling) == ann


async def test_of_two_who_take_an_address_at_once_one_gets_it(harness: Harness) -> None:
    results = await asyncio.gather(
        *(harness.aigen.users.add("eve@example.org", PASSWORD) for _ in range(5)),
        return_exceptions=True,
    )
    assert sum(isinstance(result, User) for result in results) == 1
    assert sum(isinstance(result, EmailTaken) for result in results) == 4


@pytest.mark.parametrize(
    ("email", "password", "field"),
    [
        ("eve", PASSWORD, "email"),
        ("", PASSWORD, "email"),
        ("eve@example.org", "too short", "password"),
        ("eve@example.org", "eve@example.org", "password"),
        ("eve@example.org", "password1234", "password"),
    ],
)
async def test_an_account_needs_an_address_and_a_good_password(
    harness: Harness, email: str, password: str, field: str
) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await harness.aigen.users.add(email, password)
    assert refused.value.field == field


async def test_the_first_admin_is_made_only_where_nobody_is(harness: Harness) -> None:
    users = harness.aigen.users
    made = await asyncio.gather(
        *(users.add_first_admin(f"{name}@example.org", PASSWORD) for name in ("ann", "bob"))
    )
    (first,) = [user for user in made if user is not None]
    assert first.is_admin
    assert await users.add_first_admin("eve@example.org", PASSWORD) is None
    assert [overview.user for overview in (await users.list()).items] == [first]


async def test_an_installation_with_users_gets_no_first_admin(harness: Harness, ann: User) -> None:
    assert await harness.aigen.users.add_first_admin("eve@example.org", PASSWORD) is None


# --- being ------------------------------------------------------------------------------------


async def test_nobody_is_found_who_is_not_there(harness: Harness, ann: User) -> None:
    with pytest.raises(NotFound):
        await harness.aigen.users.get("nobody")
    with pytest.raises(NotFound):
        await harness.aigen.users.find("eve@example.org")


async def test_users_are_listed_newest_first_with_their_jobs(
    harness: Harness, ann: User, bob: User
) -> None:
    await submitted(harness, ann)
    page = await harness.aigen.users.list()
    assert [(item.user, item.video_jobs) for item in page.items] == [(bob, 0), (ann, 1)]
    found = await harness.aigen.users.list("ANN@", PageRequest(limit=1))
    assert [item.user for item in found.items] == [ann]


async def test_a_new_address_ends_no_session(harness: Harness, ann: User) -> None:
    users, sessions = harness.aigen.users, harness.aigen.sessions
    tokens = await sessions.login("ann@example.org", PASSWORD)
    caller = await sessions.authenticate(tokens.access_token)
    changed = await users.change_self(caller, PASSWORD, email="Ann@New.example", address="::1")
    assert changed.email == "Ann@New.example"
    assert (await sessions.authenticate(tokens.access_token)).user == changed
    await sessions.refresh(tokens.refresh_token)
    await sessions.login("ann@new.example", PASSWORD)
    (entry,) = await audited(harness, Action.EMAIL_CHANGED)
    assert (entry.actor_id, entry.target_id, entry.address) == (ann.id, ann.id, "::1")


async def test_ones_own_address_may_be_spelled_anew(harness: Harness, ann: User) -> None:
    caller = await caller_of(harness, ann)
    changed = await harness.aigen.users.change_self(caller, PASSWORD, email="ANN@example.org")
    assert (changed.email, changed.identity) == ("ANN@example.org", ann.identity)


async def test_the_address_of_another_cannot_be_taken(
    harness: Harness, ann: User, bob: User
) -> None:
    caller = await caller_of(harness, ann)
    with pytest.raises(EmailTaken):
        await harness.aigen.users.change_self(
            caller, PASSWORD, email="Bob@example.org", new_password=OTHER_PASSWORD
        )
    await harness.aigen.sessions.login("ann@example.org", PASSWORD)  # nothing was changed


async def test_a_new_password_ends_the_other_sessions_and_keeps_the_calling_one(
    harness: Harness, ann: User
) -> None:
    users, sessions = harness.aigen.users, harness.aigen.sessions
    mine, other = [await sessions.login("ann@example.org", PASSWORD) for _ in range(2)]
    caller = await sessions.authenticate(mine.access_token)
    await users.change_self(caller, PASSWORD, new_password=OTHER_PASSWORD, address="::1")
    await sessions.authenticate(mine.access_token)
    await sessions.refresh(mine.refresh_token)
    for token in (sessions.authenticate(other.access_token), sessions.refresh(other.refresh_token)):
        with pytest.raises(TokenRevoked):
            await token
    await sessions.login("ann@example.org", OTHER_PASSWORD)
    assert Action.PASSWORD_CHANGED in await actions(harness)


async def test_nothing_changes_without_the_current_password(harness: Harness, ann: User) -> None:
    caller = await caller_of(harness, ann)
    with pytest.raises(WrongPassword):
        await harness.aigen.users.change_self(
            caller, OTHER_PASSWORD, email="eve@example.org", new_password=OTHER_PASSWORD
        )
    assert (await harness.aigen.users.get(ann.id)).email == "ann@example.org"


async def test_of_two_new_passwords_at_once_the_second_is_refused(
    harness: Harness, ann: User
) -> None:
    """It was proved with a password that is no longer the current one."""
    caller = await caller_of(harness, ann)
    users = harness.aigen.users
    await users.change_self(caller, PASSWORD, new_password=OTHER_PASSWORD)
    with pytest.raises(WrongPassword):
        await users.change_self(caller, PASSWORD, new_password="a third long phrase")


@pytest.mark.parametrize(
    ("change", "field"),
    [
        ({}, None),
        ({"email": "nobody"}, "email"),
        ({"new_password": "short"}, "new_password"),
        ({"new_password": "ann@example.org"}, "new_password"),
        ({"new_password": "ann@new.example", "email": "ann@new.example"}, "new_password"),
    ],
)
async def test_a_change_must_change_something_to_something_good(
    harness: Harness, ann: User, change: dict[str, str], field: str | None
) -> None:
    caller = await caller_of(harness, ann)
    with pytest.raises(InvalidRequest) as refused:
        await harness.aigen.users.change_self(caller, PASSWORD, **change)
    assert refused.value.field == field


async def test_who_was_removed_meanwhile_changes_nothing(harness: Harness, ann: User) -> None:
    caller = await caller_of(harness, ann)
    await harness.aigen.users.remove(ann.id)
    with pytest.raises(TokenRevoked):
        await harness.aigen.users.change_self(caller, PASSWORD, new_password=OTHER_PASSWORD)


# --- roles ------------------------------------------------------------------------------------


async def test_a_role_counts_from_the_next_request_on(
    harness: Harness, admin: User, ann: User
) -> None:
    tokens = await harness.aigen.sessions.login("ann@example.org", PASSWORD)
    for role in (Role.ADMIN, Role.USER):
        await harness.aigen.users.set_role(ann.id, role, actor_id=admin.id, address="::1")
        caller = await harness.aigen.sessions.authenticate(tokens.access_token)
        assert caller.user.role is role
    demoted, promoted = await audited(harness, Action.ROLE_CHANGED)
    assert (promoted.actor_id, promoted.target_id) == (admin.id, ann.id)
    assert (promoted.details, demoted.details) == ({"role": "admin"}, {"role": "user"})


async def test_a_role_that_one_has_already_is_no_change(harness: Harness, admin: User) -> None:
    assert await harness.aigen.users.set_role(admin.id, Role.ADMIN) == admin
    assert await audited(harness, Action.ROLE_CHANGED) == []


async def test_the_last_admin_can_be_neither_demoted_nor_removed(
    harness: Harness, admin: User, ann: User
) -> None:
    with pytest.raises(LastAdmin):
        await harness.aigen.users.set_role(admin.id, Role.USER)
    with pytest.raises(LastAdmin):
        await harness.aigen.users.remove(admin.id)
    assert (await harness.aigen.users.get(admin.id)).is_admin


async def test_two_admins_who_demote_each_other_at_once_leave_one(
    harness: Harness, admin: User, ann: User
) -> None:
    users = harness.aigen.users
    await users.set_role(ann.id, Role.ADMIN)
    results = await asyncio.gather(
        users.set_role(admin.id, Role.USER, actor_id=ann.id),
        users.set_role(ann.id, Role.USER, actor_id=admin.id),
        return_exceptions=True,
    )
    assert sum(isinstance(result, LastAdmin) for result in results) == 1
    assert (await harness.aigen.admin.statistics()).users.admins == 1


async def test_nobody_can_be_given_a_role_who_is_not_there(harness: Harness, admin: User) -> None:
    with pytest.raises(NotFound):
        await harness.aigen.users.set_role("nobody", Role.ADMIN)
