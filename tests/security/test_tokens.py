"""Tokens and keys that somebody made up, swapped, copied, or sends many times at once."""

import asyncio
from collections import Counter
from datetime import timedelta

import jwt
import pytest_asyncio

from aigen.domain.model.media import folder_of_user
from aigen.entrypoints.api.app import create_app
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.world import PASSWORD, Person, World
from tests.security.roles import Cast

#: A fraction of what is done at once in the worst hour of a large installation.
CROWD = 50


@pytest_asyncio.fixture(loop_scope="package")
async def ann(world: World) -> Person:
    return await world.ann()


async def new_key(world: World, person: Person) -> str:
    return (await world.aigen.keys.make(person.id, "a program")).text


async def live_sessions(world: World, person: Person) -> int:
    return len(await world.look(lambda records: records.sessions.live_of(person.id)))


# --- forgeries, on every route ------------------------------------------------------------------


async def forgeries(world: World, ann: Person) -> dict[str, str]:
    """Texts that are secrets, or nearly, but no access token and no key."""
    said = jwt.decode(ann.token, options={"verify_signature": False})
    head = jwt.get_unverified_header(ann.token)
    headers = {"typ": "at+jwt", "kid": head["kid"]}
    key = await new_key(world, ann)
    secrets = world.aigen.secrets
    return {
        "a refresh token": ann.refresh_token,
        "another's signature": jwt.encode(said, "x" * 32, "HS256", headers=headers),
        "the pepper's signature": jwt.encode(said, secrets.pepper, "HS256", headers=headers),
        "the wrong kind, well signed": jwt.encode(
            said, secrets.keys[0], "HS256", headers=headers | {"typ": "JWT"}
        ),
        "another use of the key": jwt.encode(
            said, secrets.derived("media-links")[0], "HS256", headers=headers
        ),
        "no signature": jwt.encode(said, "", "none", headers=headers),
        "a web token": secrets.web_token,
        "a reset link": (await world.aigen.users.make_reset_link(ann.id)).secret,
        "a user's id": ann.id,
        "a key without its end": key[:-1],
        "a key and more": key + "x",
        "a key in capitals": "aigen_" + key.removeprefix("aigen_").swapcase(),
        "the beginning of all keys": "aigen_",
        "a pattern for keys": "aigen_%",
        "a key's name": "a program",
        "nothing": '""',
    }


async def test_no_forgery_opens_any_door(world: World, ann: Person) -> None:
    cast = await Cast.of(world)
    guarded = [
        f"{method.upper()} {path}"
        for path, item in create_app(world.house).openapi()["paths"].items()
        for method, operation in item.items()
        if operation.get("security")
    ]
    assert len(guarded) > 30
    let_in = []
    for name, token in (await forgeries(world, ann)).items():
        for route in guarded:
            path = await cast.path(route) if "{" not in route else route.split()[1]
            answer = await world.bearing(token).ask(route.split()[0], path, {})
            # A text that begins as a key does is told that keys are of no use there.
            if answer.status_code != (403 if _is_refused_to_keys(token, route) else 401):
                let_in.append((name, route, answer.status_code))
    assert let_in == []


def _is_refused_to_keys(token: str, route: str) -> bool:
    is_for_keys = route.split()[1].startswith(("/generate", "/models", "/v1"))
    return token.startswith("aigen_") and not is_for_keys


async def test_a_key_logs_nobody_in(world: World, ann: Person) -> None:
    key = await new_key(world, ann)
    for route in ("/auth/refresh", "/auth/logout"):
        answer = await world.anonymous.post(route, {"refresh_token": key})
        assert_problem(answer, 401, "token_invalid")
    answer = await world.anonymous.post("/auth/login", {"email": ann.email, "password": key})
    assert_problem(answer, 401, "invalid_credentials")


# --- the end of a key -----------------------------------------------------------------------------


async def test_a_key_ends_on_the_very_next_request(world: World, ann: Person) -> None:
    made = await world.aigen.keys.make(ann.id, "a program")
    program = world.bearing(made.text)
    assert_json(await program.get("/generate/text"))
    assert_done(await ann.delete(f"/keys/{made.key.id}"))
    assert_problem(await program.get("/generate/text"), 401, "token_invalid")


async def test_a_key_ends_when_it_says(world: World, ann: Person) -> None:
    ends_at = world.clock.now() + timedelta(hours=1)
    made = await world.aigen.keys.make(ann.id, "a program", expires_at=ends_at)
    program = world.bearing(made.text)
    now = world.clock.now()
    world.clock.set(ends_at - timedelta(microseconds=1))
    assert_json(await program.get("/generate/text"))
    world.clock.set(ends_at)
    assert_problem(await program.get("/generate/text"), 401, "token_revoked")
    world.clock.set(now)


async def test_a_key_dies_with_its_user(world: World, ann: Person) -> None:
    program = world.bearing(await new_key(world, ann))
    await world.aigen.users.remove(ann.id)
    assert_problem(await program.get("/generate/text"), 401, "token_invalid")


async def test_somebody_elses_key_is_like_an_unknown_one(world: World, ann: Person) -> None:
    bob = await world.bob()
    made = await world.aigen.keys.make(ann.id, "a program")
    assert_problem(await bob.delete(f"/keys/{made.key.id}"), 404, "not_found")
    assert_json(await world.bearing(made.text).get("/generate/text"))


# --- many at once ---------------------------------------------------------------------------------


async def test_of_many_who_refresh_at_once_one_gets_new_tokens(world: World, ann: Person) -> None:
    said = {"refresh_token": ann.refresh_token}
    answers = await asyncio.gather(
        *(world.anonymous.post("/auth/refresh", said) for _ in range(CROWD))
    )
    assert Counter(answer.status_code for answer in answers) == {200: 1, 401: CROWD - 1}
    assert await live_sessions(world, ann) == 1


async def test_many_tabs_of_one_client_get_one_successor(world: World, ann: Person) -> None:
    said = {"refresh_token": ann.refresh_token}
    headers = {"Idempotency-Key": "of-this-client"}
    answers = await asyncio.gather(
        *(world.anonymous.post("/auth/refresh", said, headers=headers) for _ in range(CROWD))
    )
    assert len({assert_json(answer)["refresh_token"] for answer in answers}) == 1
    assert len({assert_json(answer)["access_token"] for answer in answers}) == CROWD


async def test_a_thief_who_refreshes_with_the_owner_gains_no_session(
    world: World, ann: Person
) -> None:
    """Whoever of the two comes first, in the end nobody has the session: the owner notices."""
    first = await world.anonymous.post("/auth/refresh", {"refresh_token": ann.refresh_token})
    stolen = assert_json(first)
    now = world.clock.now()
    world.clock.set(now + timedelta(seconds=11))
    owner = await world.anonymous.post("/auth/refresh", {"refresh_token": ann.refresh_token})
    assert_problem(owner, 401, "token_revoked")
    thief = world.bearing(stolen["access_token"])
    assert_problem(await thief.get("/users/me"), 401, "token_revoked")
    again = await world.anonymous.post("/auth/refresh", {"refresh_token": stolen["refresh_token"]})
    assert_problem(again, 401, "token_revoked")
    world.clock.set(now)


async def test_a_logout_and_a_refresh_at_once_leave_no_session(world: World) -> None:
    for _ in range(10):
        eve = await world.bob()
        said = {"refresh_token": eve.refresh_token}
        refreshed, ended = await asyncio.gather(
            world.anonymous.post("/auth/refresh", said), world.anonymous.post("/auth/logout", said)
        )
        assert_done(ended)
        if refreshed.status_code == 200:
            newer = world.bearing(refreshed.json()["access_token"])
            assert_problem(await newer.get("/users/me"), 401, "token_revoked")
        assert await live_sessions(world, eve) == 0


async def test_a_new_password_and_a_refresh_at_once_leave_no_other_session(world: World) -> None:
    owner = await world.ann()
    thief = await world.login(owner.email)
    change = {"current_password": PASSWORD, "new_password": "another long pass phrase"}
    refreshed, _ = await asyncio.gather(
        world.anonymous.post("/auth/refresh", {"refresh_token": thief.refresh_token}),
        owner.put("/users/me", change),
    )
    newest = refreshed.json().get("access_token", thief.token)
    assert_problem(await world.bearing(newest).get("/users/me"), 401, "token_revoked")
    assert_json(await owner.get("/users/me"))


async def test_a_reset_link_works_once_however_many_try_it(world: World, ann: Person) -> None:
    secret = (await world.aigen.users.make_reset_link(ann.id)).secret
    answers = await asyncio.gather(
        *(
            world.anonymous.post(
                "/auth/reset", {"token": secret, "new_password": f"a pass phrase of number {n}"}
            )
            for n in range(10)
        )
    )
    assert Counter(answer.status_code for answer in answers) == {204: 1, 403: 9}
    assert_problem(await ann.get("/users/me"), 401, "token_revoked")


def test_nobody_can_name_a_folder_that_is_another_users() -> None:
    """Ids are of one length, so that none begins another: files go by their prefix."""
    one, other = (folder_of_user(f"0192f0c0-1111-7222-8333-44445555666{n}") for n in "67")
    assert not one.startswith(other)
    assert one.endswith("/")
