"""One's own account, and resetting a password."""

from datetime import datetime, timedelta
from typing import Any

import httpx
import pytest

from tests.api.answers import assert_done, assert_json, assert_problem, assert_time
from tests.api.conftest import OpenWorld
from tests.api.test_sessions import USER
from tests.api.world import PASSWORD, UNKNOWN_ID, Client, Person, World

NEW = "quite another phrase"


@pytest.fixture
def world(common: World) -> World:
    return common


async def change(person: Person, **fields: Any) -> httpx.Response:
    return await person.put("/users/me", {"current_password": PASSWORD} | fields)


async def can_login(world: World, email: str, password: str) -> bool:
    said = {"email": email, "password": password}
    response = await world.anonymous.post("/auth/login", said)
    assert response.status_code in {200, 401}
    return response.status_code == 200


# --- one's own account ------------------------------------------------------------------------


async def test_an_address_is_shown_as_it_was_typed(world: World) -> None:
    mira = await world.person("Mira.Ö@Bücher.Example")
    assert assert_json(await mira.get("/users/me"))["email"] == "Mira.Ö@Bücher.Example"


async def test_changing_the_address_ends_no_session(world: World, ann: Person) -> None:
    other = await world.login(ann.email)
    user = assert_json(await change(ann, email="Anna@Example.org"))
    assert user.keys() == USER
    assert (user["id"], user["email"]) == (ann.id, "Anna@Example.org")
    assert assert_json(await other.get("/users/me")) == user
    assert_json(await ann.get("/users/me"))
    assert await can_login(world, "anna@example.org", PASSWORD)
    assert not await can_login(world, ann.email, PASSWORD)


async def test_one_may_spell_ones_own_address_anew(ann: Person) -> None:
    spelled = ann.email.upper()
    assert assert_json(await change(ann, email=spelled))["email"] == spelled


async def test_an_address_of_somebody_else_is_taken_in_any_spelling(
    ann: Person, bob: Person
) -> None:
    assert_problem(await change(ann, email=bob.email.upper()), 409, "email_taken")
    assert assert_json(await ann.get("/users/me"))["email"] == ann.email


async def test_a_new_password_ends_the_other_sessions_and_not_the_own(
    world: World, ann: Person
) -> None:
    other = await world.login(ann.email)
    assert assert_json(await change(ann, new_password=NEW)).keys() == USER
    assert_problem(await other.get("/users/me"), 401, "token_revoked")
    said = {"refresh_token": other.refresh_token}
    assert_problem(await world.anonymous.post("/auth/refresh", said), 401, "token_revoked")
    assert_json(await ann.get("/users/me"))
    said = {"refresh_token": ann.refresh_token}
    assert_json(await world.anonymous.post("/auth/refresh", said))
    assert await can_login(world, ann.email, NEW)
    assert not await can_login(world, ann.email, PASSWORD)


async def test_without_the_present_password_nothing_changes(world: World, ann: Person) -> None:
    other = await world.login(ann.email)
    wrong = await change(ann, current_password=NEW, new_password=NEW, email="x@example.org")
    assert_problem(wrong, 403, "wrong_password")
    assert assert_json(await other.get("/users/me"))["email"] == ann.email
    assert await can_login(world, ann.email, PASSWORD)


async def test_if_the_address_is_taken_the_password_stays_too(
    world: World, ann: Person, bob: Person
) -> None:
    assert_problem(await change(ann, email=bob.email, new_password=NEW), 409, "email_taken")
    assert await can_login(world, ann.email, PASSWORD)


async def test_nothing_to_change_is_an_invalid_request(ann: Person) -> None:
    assert_problem(await change(ann), 422, "invalid_request")
    assert_problem(await change(ann, email=None, new_password=None), 422, "invalid_request")


async def test_a_refused_password_is_said_to_be_wrong_by_the_name_of_its_field(
    world: World, root: Person, ann: Person
) -> None:
    url = await link_for(root, ann.id)
    for response in (
        await change(ann, new_password="short"),
        await reset(world.anonymous, url, "short"),
    ):
        problem = assert_problem(response, 422, "invalid_request")
        assert [error["loc"] for error in problem["errors"]] == [["body", "new_password"]]


@pytest.mark.parametrize(
    "password",
    ["ü" * 256, "🦊🐙§±¿¡«»¶†‡•…‰", "  spaces around  ", "\u200d\u202e\u0301 controls\t\n"],
)
async def test_a_password_may_have_any_characters_and_counts_to_the_last(
    world: World, ann: Person, password: str
) -> None:
    assert_json(await change(ann, new_password=password))
    assert await can_login(world, ann.email, password)
    assert not await can_login(world, ann.email, password[:-1])
    assert not await can_login(world, ann.email, password + "x")


# --- reset links ------------------------------------------------------------------------------


async def reset(client: Client, url: str, password: str = NEW) -> httpx.Response:
    token = url.rpartition("/")[2]
    return await client.post("/auth/reset", {"token": token, "new_password": password})


async def link_for(root: Person, user_id: str) -> str:
    url: str = assert_json(await root.post(f"/users/{user_id}/reset-link"), 201)["url"]
    return url


async def test_a_reset_link_sets_a_password_once_and_ends_all_sessions(
    world: World, root: Person, ann: Person
) -> None:
    other = await world.login(ann.email)
    url = await link_for(root, ann.id)
    assert_done(await reset(world.anonymous, url))
    for person in (ann, other):
        assert_problem(await person.get("/users/me"), 401, "token_revoked")
    assert await can_login(world, ann.email, NEW)
    assert not await can_login(world, ann.email, PASSWORD)
    again = await reset(world.anonymous, url, "a third long phrase")
    assert_problem(again, 403, "reset_token_invalid")
    assert await can_login(world, ann.email, NEW)


async def test_a_reset_link_leads_to_the_frontend_and_says_until_when(
    open_world: OpenWorld,
) -> None:
    world = await open_world(web_url="https://aigen.example.org")
    root, ann = await world.root(), await world.ann()
    made = assert_json(await root.post(f"/users/{ann.id}/reset-link"), 201)
    assert made.keys() == {"url", "expires_at"}
    base, token = made["url"].rsplit("/", 1)
    assert base == "https://aigen.example.org/reset"
    assert len(token) >= 22  # 128 bits
    assert_time(made["expires_at"])
    expires_at = datetime.fromisoformat(made["expires_at"])
    assert expires_at - world.clock.now() == timedelta(hours=1)


async def test_a_reset_link_works_for_an_hour(world: World, root: Person, ann: Person) -> None:
    early, late = await link_for(root, ann.id), await link_for(root, root.id)
    world.clock.set(world.clock.now() + timedelta(hours=1, microseconds=-1))
    assert_done(await reset(world.anonymous, early))
    world.clock.set(world.clock.now() + timedelta(microseconds=1))
    assert_problem(await reset(world.anonymous, late), 403, "reset_token_invalid")


async def test_a_newer_reset_link_replaces_the_older(
    world: World, root: Person, ann: Person
) -> None:
    older, newer = await link_for(root, ann.id), await link_for(root, ann.id)
    assert_problem(await reset(world.anonymous, older), 403, "reset_token_invalid")
    assert_done(await reset(world.anonymous, newer))


async def test_a_refused_password_does_not_use_up_the_link(
    world: World, root: Person, ann: Person
) -> None:
    url = await link_for(root, ann.id)
    assert_problem(await reset(world.anonymous, url, "short"), 422, "invalid_request")
    assert_json(await ann.get("/users/me"))
    assert_done(await reset(world.anonymous, url))


async def test_a_link_of_a_removed_user_or_of_nobody_is_invalid(
    world: World, root: Person, ann: Person
) -> None:
    url = await link_for(root, ann.id)
    assert_done(await root.delete(f"/users/{ann.id}"))
    assert_problem(await reset(world.anonymous, url), 403, "reset_token_invalid")
    assert_problem(await reset(world.anonymous, "guessed"), 403, "reset_token_invalid")


async def test_there_is_no_link_for_a_user_who_does_not_exist(root: Person) -> None:
    assert_problem(await root.post(f"/users/{UNKNOWN_ID}/reset-link"), 404, "not_found")
