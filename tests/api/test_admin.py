"""Administration: other people's accounts, roles, lists."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from aigen.domain.model.users import Role
from aigen.testing.samples import a_charge, a_job, a_text, a_user, an_image, stored
from tests.api.answers import assert_done, assert_id, assert_json, assert_problem, assert_time
from tests.api.test_sessions import USER
from tests.api.world import PASSWORD, UNKNOWN_ID, Person, World

ADMIN_ROUTES: list[tuple[str, str, Any]] = [
    ("GET", "/users", None),
    ("POST", "/users", {"email": "eve@example.org", "password": PASSWORD}),
    ("GET", f"/users/{UNKNOWN_ID}", None),
    ("PUT", f"/users/{UNKNOWN_ID}/role", {"role": "admin"}),
    ("DELETE", f"/users/{UNKNOWN_ID}", None),
    ("POST", f"/users/{UNKNOWN_ID}/reset-link", None),
    ("GET", "/admin/stats", None),
    ("GET", "/admin/audit", None),
    ("GET", "/admin/videos", None),
    ("POST", f"/admin/videos/{UNKNOWN_ID}/resolve", {"charged": True}),
    ("GET", f"/users/{UNKNOWN_ID}/limits", None),
    ("PUT", f"/users/{UNKNOWN_ID}/limits", {"usd_day": 1, "usd_month": None}),
    ("GET", "/admin/limits", None),
    ("PUT", "/admin/limits", {"usd_day": None, "usd_month": None}),
    ("GET", "/admin/usage", None),
]
IDS = [f"{method} {path.replace(UNKNOWN_ID, 'id')}" for method, path, _ in ADMIN_ROUTES]
admin_routes = pytest.mark.parametrize(("method", "path", "body"), ADMIN_ROUTES, ids=IDS)


# --- who may ----------------------------------------------------------------------------------


@admin_routes
async def test_only_admins_and_the_operator_get_in(
    common: World, method: str, path: str, body: Any
) -> None:
    world, ann = common, await common.ann()
    assert_problem(await world.anonymous.ask(method, path, body), 401, "unauthenticated")
    assert_problem(await ann.ask(method, path, body), 403, "forbidden")
    assert_problem(await world.worker.ask(method, path, body), 401, "token_invalid")
    allowed = await world.operator.ask(method, path, body)
    assert allowed.status_code in {200, 201, 404}


async def test_the_operator_is_nobody_with_an_account(world: World) -> None:
    for method, path, body in (
        ("GET", "/users/me", None),
        ("GET", "/generate/text", None),
        ("POST", "/generate/text", {"model": "m", "prompt": "p"}),
        ("GET", "/models", None),
    ):
        assert_problem(await world.operator.ask(method, path, body), 401, "token_invalid")


# --- adding -----------------------------------------------------------------------------------


@pytest.mark.parametrize("role", [None, "user", "admin"])
async def test_an_admin_adds_users(world: World, root: Person, role: str | None) -> None:
    said = {"email": "New@Example.org", "password": PASSWORD}
    user = assert_json(await root.post("/users", said | ({"role": role} if role else {})), 201)
    assert user.keys() == USER
    assert (user["email"], user["role"]) == ("New@Example.org", role or "user")
    assert_id(user["id"])
    new = await world.login("new@example.org")
    assert assert_json(await new.get("/users/me")) == user


async def test_an_address_that_is_taken_cannot_be_added(root: Person, ann: Person) -> None:
    said = {"email": ann.email.upper(), "password": PASSWORD}
    assert_problem(await root.post("/users", said), 409, "email_taken")


# --- roles and removal ------------------------------------------------------------------------


async def test_roles_change_and_the_same_role_again_changes_nothing(
    root: Person, ann: Person
) -> None:
    for role in ("admin", "admin", "user"):
        user = assert_json(await root.put(f"/users/{ann.id}/role", {"role": role}))
        assert user.keys() == USER
        assert (user["id"], user["role"]) == (ann.id, role)


async def test_the_last_admin_can_be_neither_demoted_nor_removed(
    world: World, root: Person
) -> None:
    for admin in (root, world.operator):
        demotion = await admin.put(f"/users/{root.id}/role", {"role": "user"})
        assert_problem(demotion, 409, "last_admin")
        assert_problem(await admin.delete(f"/users/{root.id}"), 409, "last_admin")
    assert assert_json(await root.get("/users/me"))["role"] == "admin"


@pytest.mark.parametrize("way", ["demote", "remove"])
async def test_of_two_admins_who_go_at_once_one_stays(world: World, root: Person, way: str) -> None:
    second = await world.person("second@example.org", Role.ADMIN)

    async def goes(admin: Person, other: Person) -> int:
        if way == "remove":
            return (await admin.delete(f"/users/{other.id}")).status_code
        return (await admin.put(f"/users/{other.id}/role", {"role": "user"})).status_code

    statuses = await asyncio.gather(goes(root, root), goes(second, second))
    assert sorted(statuses) == [204 if way == "remove" else 200, 409]
    assert await world.look(lambda records: records.users.count_admins()) == 1


async def test_with_a_user_go_sessions_generations_and_files(
    world: World, root: Person, ann: Person
) -> None:
    generated = assert_json(await ann.post("/generate/image", {"model": "m", "prompt": "p"}))
    link = generated["images"][0]["url"]
    assert (await world.anonymous.get(link)).status_code == 200
    for path in ("/generate/text", "/generate/video"):
        assert (await ann.post(path, {"model": "m", "prompt": "p"})).status_code in {200, 202}
    assert_done(await root.delete(f"/users/{ann.id}"))
    stats = assert_json(await root.get("/admin/stats"))
    assert (stats["texts"]["total"], stats["images"]["total"]) == (0, 0)
    assert sum(stats["videos"].values()) == 0
    assert stats["tokens"] == {"active": 1, "revoked": 0, "expired": 0}
    assert_problem(await world.anonymous.get(link), 404, "not_found")
    assert not [path for path in world.aigen.settings.media_dir.rglob("*") if path.is_file()]
    assert_problem(await root.delete(f"/users/{ann.id}"), 404, "not_found")


async def test_an_admin_may_remove_himself_if_another_stays(world: World, root: Person) -> None:
    await world.person("second@example.org", Role.ADMIN)
    assert_done(await root.delete(f"/users/{root.id}"))
    assert_problem(await root.get("/users/me"), 401, "token_revoked")


@pytest.mark.parametrize("user_id", [UNKNOWN_ID, "x", "%00", "a" * 999])
async def test_users_who_do_not_exist_are_not_found(root: Person, user_id: str) -> None:
    assert_problem(await root.delete(f"/users/{user_id}"), 404, "not_found")
    role = await root.put(f"/users/{user_id}/role", {"role": "user"})
    assert_problem(role, 404, "not_found")


# --- the list ---------------------------------------------------------------------------------


async def test_users_are_listed_newest_first_with_logins_and_jobs(
    world: World, root: Person
) -> None:
    await world.aigen.users.add("never@example.org", PASSWORD)
    ann = await world.ann()
    for _ in range(2):
        assert_json(await ann.post("/generate/video", {"model": "m", "prompt": "p"}), 202)
    listed = assert_json(await root.get("/users"))
    assert listed.keys() == {"items", "next_cursor"}
    assert listed["next_cursor"] is None
    first, never, last = listed["items"]
    assert first.keys() == USER | {"last_login_at", "video_jobs"}
    assert [user["email"] for user in (first, never, last)] == [
        ann.email,
        "never@example.org",
        root.email,
    ]
    assert (first["video_jobs"], never["video_jobs"]) == (2, 0)
    assert never["last_login_at"] is None
    assert_time(first["last_login_at"])


async def test_users_are_found_by_a_part_of_their_address(
    root: Person, ann: Person, bob: Person
) -> None:
    for text, emails in (
        ("ann@", [ann.email]),
        ("BOB", [bob.email]),
        ("example.org", [bob.email, ann.email, root.email]),
        ("%", []),
        ("_", []),
        ("", [bob.email, ann.email, root.email]),
    ):
        listed = assert_json(await root.get("/users", params={"q": text}))
        assert [user["email"] for user in listed["items"]] == emails


async def test_the_list_of_users_is_cut_into_pages(world: World, root: Person) -> None:
    await stored(world.aigen.store, *(a_user() for _ in range(4)))
    seen: list[str] = []
    cursor: str | None = ""
    while cursor is not None:
        page = assert_json(await root.get(f"/users?limit=2{cursor and f'&cursor={cursor}'}"))
        assert len(page["items"]) <= 2
        seen += [user["id"] for user in page["items"]]
        cursor = page["next_cursor"]
    assert len(seen) == len(set(seen)) == 5
    assert seen == sorted(seen, reverse=True)


# --- numbers ----------------------------------------------------------------------------------


async def test_the_numbers_are_those_of_the_whole_installation(
    world: World, root: Person, ann: Person
) -> None:
    await stored(world.aigen.store, bob := a_user())
    now = world.clock.now()
    await stored(
        world.aigen.store,
        a_text(bob),
        an_image(bob),
        a_job(bob),
        a_job(bob),
        a_charge(bob, created_at=now).settled(Decimal("0.5"), now),
        a_charge(bob, created_at=now - timedelta(days=1)).settled(Decimal("0.25"), now),
        a_charge(bob, created_at=now - timedelta(days=40)).settled(Decimal(2), now),
        a_charge(bob, created_at=now, reserved_usd=Decimal(9)),
    )
    assert assert_json(await root.get("/admin/stats")) == {
        "users": {"total": 3, "admins": 1},
        "tokens": {"active": 2, "revoked": 0, "expired": 0},
        "texts": {"total": 1},
        "images": {"total": 1},
        "videos": {
            "queued": 2,
            "processing": 0,
            "completed": 0,
            "failed": 0,
            "cancelled": 0,
            "outcome_unknown": 0,
        },
        "spend_usd": {"day": 0.5, "month": 0.75, "total": 2.75},
    }


async def test_tokens_count_as_active_revoked_or_expired(
    world: World, root: Person, ann: Person
) -> None:
    said = {"refresh_token": ann.refresh_token}
    newest = assert_json(await world.anonymous.post("/auth/refresh", said))
    assert await tokens(root) == {"active": 2, "revoked": 1, "expired": 0}
    said = {"refresh_token": newest["refresh_token"]}
    assert_done(await world.anonymous.post("/auth/logout", said))
    assert await tokens(root) == {"active": 1, "revoked": 2, "expired": 0}
    world.clock.set(world.clock.now() + timedelta(days=14))
    again = await world.login(root.email)
    assert await tokens(again) == {"active": 1, "revoked": 0, "expired": 3}


async def tokens(admin: Person) -> Any:
    return assert_json(await admin.get("/admin/stats"))["tokens"]
