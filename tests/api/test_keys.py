"""Personal keys: made and shown once, used in place of a login, revoked at once."""

import hashlib
from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from aigen.domain.model.keys import MOST_PER_USER
from aigen.testing.samples import a_key, stored
from tests.api.answers import assert_done, assert_id, assert_json, assert_problem, assert_time
from tests.api.conftest import OpenWorld
from tests.api.money import OFFERED, TEXT, VIDEO, later, spent_and_reserved
from tests.api.world import PASSWORD, UNKNOWN_ID, Client, Person, World

KEY = {"id", "name", "prefix", "created_at", "expires_at", "usd_month", "last_used_at"}
FAR = "9999-12-31T23:59:59"


@pytest_asyncio.fixture(loop_scope="package")
async def world(world: World) -> World:
    world.provider.offered = OFFERED
    return world


async def make(person: Person, **facts: Any) -> dict[str, Any]:
    said = {"name": "a script"} | facts
    made: dict[str, Any] = assert_json(await person.post("/keys", said), 201)
    return made


async def bearer(world: World, person: Person, **facts: Any) -> Client:
    return world.bearing((await make(person, **facts))["key"])


async def listed(person: Person) -> Any:
    found = assert_json(await person.get("/keys"))
    assert found.keys() == {"items", "next_cursor"}
    return found["items"]


# --- making and listing -----------------------------------------------------------------------


async def test_a_key_is_shown_once_and_listed_without_its_text(world: World, ann: Person) -> None:
    made = await make(ann, usd_month=5, expires_at="2026-04-01T02:00:00+02:00")
    assert made.keys() == KEY | {"key"}
    assert_id(made["id"])
    assert_time(made["created_at"])
    text = made.pop("key")
    assert text.startswith("aigen_")
    assert len(text) >= 40
    assert text.startswith(made["prefix"])
    assert len(made["prefix"]) <= len("aigen_") + 6
    assert (made["name"], made["usd_month"]) == ("a script", 5)
    assert made["expires_at"] == "2026-04-01T00:00:00Z"
    assert made["last_used_at"] is None
    assert await listed(ann) == [made]
    assert text not in (await ann.get("/keys")).text


async def test_only_the_digest_of_a_key_is_in_the_database(open_world: OpenWorld) -> None:
    world = await open_world()
    made = await make(await world.ann())
    kept = await world.look(lambda records: records.keys.get(made["id"]))
    assert kept is not None
    assert kept.digest == hashlib.sha256(made["key"].encode()).hexdigest()
    secret = made["key"].removeprefix(made["prefix"]).encode()
    for file in world.aigen.settings.data_dir.rglob("*"):
        assert not file.is_file() or secret not in file.read_bytes()


async def test_keys_are_ones_own_the_newest_first(ann: Person, bob: Person) -> None:
    made = [await make(ann, name=name) for name in ("one", "  two ", "three")]
    await make(bob)
    assert [key["name"] for key in await listed(ann)] == ["three", "two", "one"]
    assert len({key["key"] for key in made}) == 3


@pytest.mark.parametrize(
    "body",
    [
        {},
        {"name": ""},
        {"name": "   "},
        {"name": "n" * 101},
        {"name": "a\0b"},
        {"name": "n", "expires_at": "2026-03-15T12:00:00Z"},  # now
        {"name": "n", "expires_at": "2026-03-20"},
        {"name": "n", "expires_at": "2026-03-20T12:00:00"},
        {"name": "n", "expires_at": f"{FAR}-14:00"},
        {"name": "n", "usd_month": -1},
        {"name": "n", "usd_month": 1_000_001},
        {"name": "n", "usd_month": "5"},
        {"name": "n", "key": "aigen_of_my_own"},
    ],
)
async def test_a_key_needs_a_name_and_sane_bounds(
    still: World, asker: Person, body: dict[str, Any]
) -> None:
    assert_problem(await asker.post("/keys", body), 422, "invalid_request")


async def test_a_user_has_so_many_keys_and_no_more(world: World, ann: Person) -> None:
    user = await world.look(lambda records: records.users.get(ann.id))
    assert user is not None
    await stored(world.aigen.store, *(a_key(user) for _ in range(MOST_PER_USER)))
    problem = assert_problem(await ann.post("/keys", {"name": "n"}), 422, "invalid_request")
    assert "revoke" in problem["detail"]


# --- using ------------------------------------------------------------------------------------


async def test_a_key_generates_and_looks_in_place_of_its_user(world: World, ann: Person) -> None:
    key = await bearer(world, ann)
    text = assert_json(await key.post("/generate/text", TEXT))
    assert assert_json(await ann.get(f"/generate/text/{text['id']}")) == text
    job = assert_json(await key.post("/generate/video", VIDEO), 202)
    assert_json(await key.get(f"/generate/video/{job['id']}/status"))
    assert assert_json(await key.get("/generate/video"))["items"][0]["id"] == job["id"]
    assert_json(await key.get("/models"))
    assert assert_json(await key.post("/generate/quote", {"kind": "text"} | TEXT))
    assert_done(await key.delete(f"/generate/text/{text['id']}"))
    _, reserved = await spent_and_reserved(ann)
    assert reserved == 0.2


async def test_a_key_of_an_admin_or_not_opens_no_account_route(world: World, root: Person) -> None:
    key = await bearer(world, root)
    for method, path, body in (
        ("GET", "/users/me", None),
        ("GET", "/users/me/usage", None),
        ("PUT", "/users/me", {"current_password": PASSWORD, "email": "x@example.org"}),
        ("GET", "/users", None),
        ("GET", f"/users/{root.id}/limits", None),
        ("GET", "/keys", None),
        ("POST", "/keys", {"name": "another"}),
        ("DELETE", f"/keys/{UNKNOWN_ID}", None),
        ("GET", "/admin/stats", None),
        ("GET", "/admin/usage", None),
        ("PUT", "/admin/limits", {"usd_day": None, "usd_month": None}),
    ):
        assert_problem(await key.ask(method, path, body), 403, "forbidden")
    assert len(await listed(root)) == 1


@pytest.mark.parametrize("path", ["/auth/refresh", "/auth/logout"])
async def test_a_key_is_no_refresh_token(world: World, ann: Person, path: str) -> None:
    said = {"refresh_token": (await make(ann))["key"]}
    assert_problem(await world.anonymous.post(path, said), 401, "token_invalid")


@pytest.mark.parametrize("text", ["aigen_", "aigen_" + "x" * 43, "aigen_" + "x" * 5000])
async def test_a_key_that_is_none_of_ours_is_refused(still: World, text: str) -> None:
    response = await still.bearing(text).get("/models")
    assert_problem(response, 401, "token_invalid")


async def test_when_a_key_was_used_is_noted(world: World, ann: Person) -> None:
    key = await bearer(world, ann)
    later(world, minutes=1)
    assert_json(await key.get("/generate/text"))
    await world.aigen.background.drain()
    (shown,) = await listed(ann)
    assert shown["last_used_at"] == "2026-03-15T12:01:00Z"
    later(world, minutes=6)
    assert_json(await key.get("/generate/text"))
    await world.aigen.background.drain()
    (shown,) = await listed(ann)
    assert shown["last_used_at"] == "2026-03-15T12:07:00Z"


# --- the end of a key -------------------------------------------------------------------------


async def test_a_revoked_key_is_refused_by_the_next_request(
    world: World, ann: Person, bob: Person
) -> None:
    made = await make(ann)
    key = world.bearing(made["key"])
    assert_json(await key.get("/generate/text"))
    assert_problem(await bob.delete(f"/keys/{made['id']}"), 404, "not_found")
    assert_json(await key.get("/generate/text"))
    assert_done(await ann.delete(f"/keys/{made['id']}"))
    assert_problem(await key.get("/generate/text"), 401, "token_invalid")
    assert_problem(await ann.delete(f"/keys/{made['id']}"), 404, "not_found")
    assert await listed(ann) == []
    await world.aigen.background.drain()  # noting its last use does not bring it back
    assert await listed(ann) == []


async def test_a_key_expires_on_the_instant(world: World, ann: Person) -> None:
    end = world.clock.now() + timedelta(minutes=5)
    key = await bearer(world, ann, expires_at=end.isoformat())
    world.clock.set(end - timedelta(microseconds=1))
    assert_json(await key.get("/generate/text"))
    world.clock.set(end)
    assert_problem(await key.get("/generate/text"), 401, "token_revoked")
    assert len(await listed(ann)) == 1


async def test_keys_die_with_their_user(world: World, root: Person, ann: Person) -> None:
    made = await make(ann)
    assert_done(await root.delete(f"/users/{ann.id}"))
    response = await world.bearing(made["key"]).get("/generate/text")
    assert_problem(response, 401, "token_invalid")
    assert await world.look(lambda records: records.keys.get(made["id"])) is None


async def test_a_new_password_or_role_leaves_keys(world: World, root: Person, ann: Person) -> None:
    key = await bearer(world, ann)
    assert_json(await root.put(f"/users/{ann.id}/role", {"role": "admin"}))
    assert_json(await key.get("/generate/text"))
    said = {"current_password": PASSWORD, "new_password": "another long pass phrase"}
    assert_json(await ann.put("/users/me", said))
    assert_json(await key.get("/generate/text"))


async def test_making_and_revoking_is_written_down_without_the_key(
    world: World, root: Person, ann: Person
) -> None:
    made = await make(ann)
    assert_done(await ann.delete(f"/keys/{made['id']}"))
    answered = await root.get("/admin/audit")
    entries = {entry["action"]: entry for entry in assert_json(answered)["items"]}
    for action in ("key_made", "key_revoked"):
        entry = entries[action]
        assert (entry["actor_id"], entry["target_id"]) == (ann.id, ann.id)
        assert entry["details"] == {"name": "a script", "prefix": made["prefix"]}
    assert made["key"] not in answered.text
