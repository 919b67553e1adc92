"""Refresh tokens: each works once; what a second use means."""

import asyncio
from datetime import timedelta

import httpx
import pytest

from aigen.domain.model.audit import Action
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.sessions import RefreshToken
from tests.api.answers import assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.test_sessions import TOKENS, claims_of
from tests.api.world import ADDRESS, Person, World


@pytest.fixture
def world(common: World) -> World:
    return common


async def refresh(world: World, token: str, key: str | None = None) -> httpx.Response:
    headers = {} if key is None else {"Idempotency-Key": key}
    return await world.anonymous.post("/auth/refresh", {"refresh_token": token}, headers=headers)


async def successor(world: World, token: str, key: str | None = None) -> str:
    """The token that this one is traded for."""
    new: str = assert_json(await refresh(world, token, key))["refresh_token"]
    return new


async def stored(world: World, token: str) -> RefreshToken:
    found = await world.look(lambda records: records.refresh_tokens.get(claims_of(token)["jti"]))
    assert found is not None
    return found


def later(world: World, seconds: float) -> None:
    world.clock.set(world.clock.now() + timedelta(seconds=seconds))


async def assert_refused_and_session_lives(
    world: World, ann: Person, response: httpx.Response
) -> None:
    assert_problem(response, 401, "token_revoked")
    assert Action.REFRESH_REUSED not in await actions(world, ann)


async def assert_session_ended(world: World, ann: Person, newest: str) -> None:
    """For everybody: with the access token too, and with the newest refresh token."""
    assert_problem(await ann.get("/users/me"), 401, "token_revoked")
    assert_problem(await refresh(world, newest), 401, "token_revoked")
    assert (await stored(world, newest)).revoked_at is not None


async def actions(world: World, ann: Person) -> list[Action]:
    """What was noted of Ann lately."""
    page = await world.look(lambda records: records.audit.page(PageRequest(limit=100)))
    return [entry.action for entry in page.items if entry.target_id == ann.id]


# --- rotation ---------------------------------------------------------------------------------


async def test_a_refresh_revokes_the_old_token_and_inserts_the_new_one(
    world: World, ann: Person
) -> None:
    later(world, 60)
    tokens = assert_json(await refresh(world, ann.refresh_token))
    assert tokens.keys() == TOKENS
    old, new = await stored(world, ann.refresh_token), await stored(world, tokens["refresh_token"])
    assert (old.revoked_at, old.replaced_by) == (world.clock.now(), new.jti)
    assert (new.revoked_at, new.replaced_by) == (None, None)
    assert (new.session_id, new.user_id) == (old.session_id, ann.id)
    assert_json(await world.bearing(tokens["access_token"]).get("/users/me"))
    assert_json(await ann.get("/users/me"))  # the old access token lives out its time


async def test_of_two_refreshes_at_once_one_gets_new_tokens(world: World, ann: Person) -> None:
    answers = await asyncio.gather(*(refresh(world, ann.refresh_token) for _ in "ab"))
    first, second = sorted(answers, key=lambda answer: answer.status_code)
    await assert_refused_and_session_lives(world, ann, second)
    assert_json(await refresh(world, assert_json(first)["refresh_token"]))


async def test_of_two_refreshes_at_once_by_one_client_both_get_the_same_token(
    world: World, ann: Person
) -> None:
    answers = await asyncio.gather(*(refresh(world, ann.refresh_token, "k") for _ in "ab"))
    assert len({assert_json(answer)["refresh_token"] for answer in answers}) == 1


async def test_a_chain_of_refreshes_goes_on_until_the_session_is_too_old(world: World) -> None:
    token = (await world.ann()).refresh_token
    for _ in range(6):
        later(world, timedelta(days=13).total_seconds())
        token = await successor(world, token)
    assert (await stored(world, token)).expires_at - world.clock.now() == timedelta(days=90 - 78)
    later(world, timedelta(days=90 - 78).total_seconds())
    assert_problem(await refresh(world, token), 401, "token_expired")


async def test_an_idle_session_ends_after_two_weeks(world: World, ann: Person) -> None:
    later(world, timedelta(days=14).total_seconds())
    assert_problem(await refresh(world, ann.refresh_token), 401, "token_expired")


async def test_what_is_no_refresh_token_changes_nothing(world: World, ann: Person) -> None:
    for token in (ann.token, "x", ann.refresh_token[:-4] + "AAAA"):
        assert_problem(await refresh(world, token), 401, "token_invalid")
    assert (await stored(world, ann.refresh_token)).revoked_at is None


# --- replays ----------------------------------------------------------------------------------


async def test_a_replay_within_ten_seconds_is_refused_and_nothing_else(
    world: World, ann: Person
) -> None:
    newest = await successor(world, ann.refresh_token)
    later(world, 10)
    await assert_refused_and_session_lives(world, ann, await refresh(world, ann.refresh_token))
    assert_json(await ann.get("/users/me"))
    assert_json(await refresh(world, newest))


async def test_a_later_replay_ends_the_session_and_is_noted(world: World, ann: Person) -> None:
    newest = await successor(world, ann.refresh_token)
    later(world, 10.001)
    assert_problem(await refresh(world, ann.refresh_token), 401, "token_revoked")
    await assert_session_ended(world, ann, newest)
    page = await world.look(lambda records: records.audit.page(PageRequest(limit=1)))
    noted = page.items[0]
    assert (noted.action, noted.target_id) == (Action.REFRESH_REUSED, ann.id)
    assert (noted.actor_id, noted.address) == (None, ADDRESS)


async def test_a_replay_ends_one_session_and_no_other(world: World, ann: Person) -> None:
    other = await world.login(ann.email)
    await successor(world, ann.refresh_token)
    later(world, 60)
    assert_problem(await refresh(world, ann.refresh_token), 401, "token_revoked")
    assert_json(await other.get("/users/me"))


async def test_with_a_window_of_zero_no_replay_is_forgiven(open_world: OpenWorld) -> None:
    world = await open_world(refresh_reuse_window=0)
    ann = await world.ann()
    newest = await successor(world, ann.refresh_token)
    assert_problem(await refresh(world, ann.refresh_token), 401, "token_revoked")
    await assert_session_ended(world, ann, newest)


async def test_a_replay_of_a_token_before_the_last_ends_the_session_too(
    world: World, ann: Person
) -> None:
    second = await successor(world, ann.refresh_token)
    later(world, 60)
    newest = await successor(world, second)
    assert_problem(await refresh(world, ann.refresh_token), 401, "token_revoked")
    await assert_session_ended(world, ann, newest)


# --- retries of the same client ---------------------------------------------------------------


@pytest.mark.parametrize("seconds", [0, 9, 30])
async def test_the_same_client_gets_the_same_successor_for_thirty_seconds(
    world: World, ann: Person, seconds: float
) -> None:
    first = assert_json(await refresh(world, ann.refresh_token, "k"))
    later(world, seconds)
    again = assert_json(await refresh(world, ann.refresh_token, "k"))
    assert again["refresh_token"] == first["refresh_token"]
    assert again["access_token"] != first["access_token"]
    assert_json(await world.bearing(again["access_token"]).get("/users/me"))
    assert_json(await refresh(world, first["refresh_token"]))


async def test_after_thirty_seconds_the_same_key_is_a_replay(world: World, ann: Person) -> None:
    newest = await successor(world, ann.refresh_token, "k")
    later(world, 30.001)
    assert_problem(await refresh(world, ann.refresh_token, "k"), 401, "token_revoked")
    await assert_session_ended(world, ann, newest)


@pytest.mark.parametrize("key", ["another", None])
async def test_without_the_same_key_a_retry_is_a_replay(
    world: World, ann: Person, key: str | None
) -> None:
    newest = await successor(world, ann.refresh_token, "k")
    await assert_refused_and_session_lives(world, ann, await refresh(world, ann.refresh_token, key))
    later(world, 20)
    assert_problem(await refresh(world, ann.refresh_token, key), 401, "token_revoked")
    await assert_session_ended(world, ann, newest)


async def test_a_retry_after_the_successor_was_used_is_a_replay(world: World, ann: Person) -> None:
    second = await successor(world, ann.refresh_token, "k")
    newest = await successor(world, second, "another")
    await assert_refused_and_session_lives(world, ann, await refresh(world, ann.refresh_token, "k"))
    later(world, 20)
    assert_problem(await refresh(world, ann.refresh_token, "k"), 401, "token_revoked")
    await assert_session_ended(world, ann, newest)


async def test_a_first_refresh_without_a_key_cannot_be_retried_with_one(
    world: World, ann: Person
) -> None:
    await successor(world, ann.refresh_token)
    await assert_refused_and_session_lives(world, ann, await refresh(world, ann.refresh_token, "k"))
