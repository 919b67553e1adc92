"""Sessions: login, access tokens, logout, registration, and what ends a session at once."""

import asyncio
import base64
import json
from datetime import timedelta
from pathlib import Path
from typing import Any

import jwt
import pytest

from aigen.domain.model.users import Role
from tests.api.answers import assert_done, assert_id, assert_json, assert_problem, assert_time
from tests.api.conftest import OpenWorld
from tests.api.world import PASSWORD, Client, Person, World, opened

TOKENS = {"access_token", "refresh_token", "token_type", "expires_in", "refresh_expires_in"}
USER = {"id", "email", "role", "created_at"}


@pytest.fixture
def world(common: World) -> World:
    return common


def claims_of(token: str) -> dict[str, Any]:
    claims: dict[str, Any] = jwt.decode(token, options={"verify_signature": False})
    return claims


# --- login ------------------------------------------------------------------------------------


async def test_a_login_gives_tokens_by_which_one_is_known(world: World, ann: Person) -> None:
    said = {"email": ann.email, "password": PASSWORD}
    tokens = assert_json(await world.anonymous.post("/auth/login", said))
    assert tokens.keys() == TOKENS
    assert tokens["token_type"] == "bearer"
    assert tokens["expires_in"] == 900
    assert tokens["refresh_expires_in"] == timedelta(days=14).total_seconds()
    assert isinstance(tokens["expires_in"], int)  # `900.0` is no whole number to many a client
    me = assert_json(await world.bearing(tokens["access_token"]).get("/users/me"))
    assert me.keys() == USER
    assert (me["id"], me["email"], me["role"]) == (ann.id, ann.email, "user")
    assert_id(me["id"])
    assert_time(me["created_at"])


async def test_tokens_say_what_they_are_for_and_nothing_of_the_role(ann: Person) -> None:
    for token, kind, life in (
        (ann.token, "at+jwt", timedelta(minutes=15)),
        (ann.refresh_token, "rt+jwt", timedelta(days=14)),
    ):
        header = jwt.get_unverified_header(token)
        assert (header["typ"], header["alg"]) == (kind, "HS256")
        claims = claims_of(token)
        assert claims.keys() == {"iss", "aud", "sub", "sid", "jti", "iat", "exp"}
        assert claims["sub"] == ann.id
        assert claims["exp"] - claims["iat"] == life.total_seconds()


async def test_tokens_live_as_long_as_the_settings_say(open_world: OpenWorld) -> None:
    world = await open_world(access_token_ttl=60, refresh_token_ttl=7200, session_max_age=3600)
    ann = await world.ann()
    said = {"email": ann.email, "password": PASSWORD}
    tokens = assert_json(await world.anonymous.post("/auth/login", said))
    assert (tokens["expires_in"], tokens["refresh_expires_in"]) == (60, 3600)


async def test_unknown_accounts_and_wrong_passwords_are_answered_alike(
    anonymous: Client, ann: Person
) -> None:
    said = []
    for email, password in (
        (ann.email, "not " + PASSWORD),
        (ann.email, PASSWORD.upper()),
        ("nobody@example.org", PASSWORD),
        ("no address", PASSWORD),
        (ann.email, ""),
        ("", ""),
    ):
        response = await anonymous.post("/auth/login", {"email": email, "password": password})
        problem = assert_problem(response, 401, "invalid_credentials")
        said.append({name: problem[name] for name in problem if name != "request_id"})
    assert said == [said[0]] * len(said)


async def test_an_account_is_found_by_any_spelling_of_its_address(
    anonymous: Client, ann: Person
) -> None:
    for email in (ann.email.upper(), f"  {ann.email.title()} ", ann.email.replace("org", "ORG")):
        response = await anonymous.post("/auth/login", {"email": email, "password": PASSWORD})
        assert assert_json(response).keys() == TOKENS


# --- access tokens ----------------------------------------------------------------------------


async def test_whoever_shows_no_token_is_asked_to_log_in(anonymous: Client) -> None:
    assert_problem(await anonymous.get("/users/me"), 401, "unauthenticated")
    basic = await anonymous.get("/users/me", headers={"Authorization": "Basic YW5uOmFubg=="})
    assert_problem(basic, 401, "unauthenticated")


async def test_an_access_token_expires_to_the_microsecond(world: World, ann: Person) -> None:
    world.clock.set(world.clock.now() + timedelta(seconds=900, microseconds=-1))
    assert_json(await ann.get("/users/me"))
    world.clock.set(world.clock.now() + timedelta(microseconds=1))
    assert_problem(await ann.get("/users/me"), 401, "token_expired")


def with_header(token: str, **header: Any) -> str:
    """The token under another header; its claims and signature are left as they are."""
    _, body, signature = token.split(".")
    head = base64.urlsafe_b64encode(json.dumps(header).encode()).rstrip(b"=").decode()
    return f"{head}.{body}.{signature}"


async def test_a_token_of_the_wrong_kind_or_make_is_invalid(world: World, ann: Person) -> None:
    head, body, signature = ann.token.split(".")
    kid = jwt.get_unverified_header(ann.token)["kid"]
    forged = jwt.encode(
        claims_of(ann.token), "x" * 32, headers={"typ": "at+jwt", "kid": kid}, algorithm="HS256"
    )
    for token in (
        ann.refresh_token,
        forged,
        f"{head}.{body}.{signature[::-1]}",
        f"{head}.{body}.",
        with_header(ann.token, alg="none", typ="at+jwt", kid=kid),
        with_header(ann.token, alg="HS512", typ="at+jwt", kid=kid),
        with_header(ann.token, alg="HS256", typ="at+jwt", kid=[kid]),
        with_header(ann.token, alg="HS256", typ="at+jwt"),
        "x",
        "a.b.c",
        "ü" * 40,
        "x" * 50_000,
        world.aigen.secrets.web_token,
        world.aigen.secrets.worker_token,
        world.aigen.secrets.operator_token,
    ):
        headers = {"Authorization": f"Bearer {token}".encode()}
        response = await world.anonymous.get("/users/me", headers=headers)
        assert_problem(response, 401, "token_invalid")


async def test_a_token_signed_by_an_older_key_is_taken_while_the_key_is_listed(
    tmp_path: Path,
) -> None:
    old, new = "an-old-key-0123456789-abcdefghij", "a-new-key-9876543210-jihgfedcbaz"
    async with opened(tmp_path, secret_key=old) as world:
        ann = await world.ann()
    async with opened(tmp_path, secret_key=f"{new},{old}") as world:
        assert_json(await world.bearing(ann.token).get("/users/me"))
        said = {"refresh_token": ann.refresh_token}
        tokens = assert_json(await world.anonymous.post("/auth/refresh", said))
    async with opened(tmp_path, secret_key=new) as world:
        assert_json(await world.bearing(tokens["access_token"]).get("/users/me"))
        response = await world.bearing(ann.token).get("/users/me")
        assert_problem(response, 401, "token_invalid")


# --- logout -----------------------------------------------------------------------------------


async def test_a_logout_ends_its_session_on_the_very_next_request(
    world: World, ann: Person
) -> None:
    other = await world.login(ann.email)
    said = {"refresh_token": ann.refresh_token}
    assert_done(await world.anonymous.post("/auth/logout", said))
    assert_problem(await ann.get("/users/me"), 401, "token_revoked")
    assert_problem(await world.anonymous.post("/auth/refresh", said), 401, "token_revoked")
    assert_json(await other.get("/users/me"))


async def test_a_logout_may_be_repeated(world: World, ann: Person) -> None:
    said = {"refresh_token": ann.refresh_token}
    assert_done(await world.anonymous.post("/auth/logout", said))
    assert_done(await world.anonymous.post("/auth/logout", said))


async def test_a_logout_works_with_used_and_expired_refresh_tokens(
    world: World, ann: Person
) -> None:
    said = {"refresh_token": ann.refresh_token}
    tokens = assert_json(await world.anonymous.post("/auth/refresh", said))
    world.clock.set(world.clock.now() + timedelta(days=15))
    assert_done(await world.anonymous.post("/auth/logout", said))
    newer = {"refresh_token": tokens["refresh_token"]}
    assert_problem(await world.anonymous.post("/auth/refresh", newer), 401, "token_expired")
    world.clock.set(world.clock.now() - timedelta(days=15))
    assert_problem(await world.anonymous.post("/auth/refresh", newer), 401, "token_revoked")


async def test_a_logout_with_anything_else_is_refused_and_ends_nothing(
    world: World, ann: Person
) -> None:
    for token in (ann.token, "x", ann.refresh_token[:-4] + "AAAA"):
        response = await world.anonymous.post("/auth/logout", {"refresh_token": token})
        assert_problem(response, 401, "token_invalid")
    assert_json(await ann.get("/users/me"))


# --- what takes effect on the very next request -------------------------------------------------


async def test_a_demoted_admin_is_a_plain_user_on_the_next_request(
    world: World, root: Person
) -> None:
    second = await world.person("second@example.org", Role.ADMIN)
    assert_json(await second.get("/admin/stats"))
    assert_json(await root.put(f"/users/{second.id}/role", {"role": "user"}))
    assert_problem(await second.get("/admin/stats"), 403, "forbidden")
    assert_json(await second.get("/users/me"))
    assert_json(await root.put(f"/users/{second.id}/role", {"role": "admin"}))
    assert_json(await second.get("/admin/stats"))


async def test_a_removed_user_is_out_on_the_next_request(
    world: World, root: Person, ann: Person
) -> None:
    assert_done(await root.delete(f"/users/{ann.id}"))
    assert_problem(await ann.get("/users/me"), 401, "token_revoked")
    said = {"refresh_token": ann.refresh_token}
    assert_problem(await world.anonymous.post("/auth/refresh", said), 401, "token_revoked")
    said = {"email": ann.email, "password": PASSWORD}
    assert_problem(await world.anonymous.post("/auth/login", said), 401, "invalid_credentials")


# --- registration -----------------------------------------------------------------------------


async def test_registration_is_closed_unless_opened(anonymous: Client) -> None:
    said = {"email": "eve@example.org", "password": PASSWORD}
    assert_problem(await anonymous.post("/auth/register", said), 403, "registration_closed")


async def test_whoever_registers_becomes_a_plain_user(open_world: OpenWorld) -> None:
    world = await open_world(registration="open")
    said = {"email": "Eve@Example.org", "password": PASSWORD}
    user = assert_json(await world.anonymous.post("/auth/register", said), 201)
    assert user.keys() == USER
    assert (user["email"], user["role"]) == ("Eve@Example.org", "user")
    assert_json(await world.anonymous.post("/auth/login", said))
    as_admin = said | {"email": "eva@example.org", "role": "admin"}
    assert_problem(await world.anonymous.post("/auth/register", as_admin), 422, "invalid_request")


async def test_of_two_who_register_with_one_address_at_once_one_gets_it(
    open_world: OpenWorld,
) -> None:
    world = await open_world(registration="open")
    said = {"email": "eve@example.org", "password": PASSWORD}
    answers = await asyncio.gather(*(world.anonymous.post("/auth/register", said) for _ in "ab"))
    first, second = sorted(answers, key=lambda answer: answer.status_code)
    assert_json(first, 201)
    assert_problem(second, 409, "email_taken")


async def test_an_address_registers_once_in_whatever_spelling(open_world: OpenWorld) -> None:
    world = await open_world(registration="open")
    first = {"email": "jörg@bücher.example", "password": PASSWORD}
    assert_json(await world.anonymous.post("/auth/register", first), 201)
    for email in (
        "JÖRG@BÜCHER.example",
        "jo\u0308rg@bücher.example",
        "jörg@xn--bcher-kva.example",
    ):
        again = {"email": email, "password": PASSWORD}
        assert_problem(await world.anonymous.post("/auth/register", again), 409, "email_taken")
