"""Caps: of a user, a key and the house; they hold however many ask at once."""

import asyncio
from datetime import UTC, datetime
from typing import Any

import httpx
import pytest
import pytest_asyncio

from aigen.domain.model.users import Role
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.money import (
    IMAGE,
    OFFERED,
    TEXT,
    UNPRICED,
    VIDEO,
    answer,
    assert_over,
    cap,
    cap_house,
    later,
    look_up,
    spent_and_reserved,
    usage_of,
)
from tests.api.world import PASSWORD, UNKNOWN_ID, Person, World

MIDNIGHT, NEXT_MONTH = "2026-03-16T00:00:00Z", "2026-04-01T00:00:00Z"
NONE = {"usd_day": None, "usd_month": None}


@pytest_asyncio.fixture(loop_scope="package")
async def world(world: World) -> World:
    world.provider.offered = OFFERED
    return world


async def a_key(person: Person, usd_month: float | None = None) -> str:
    said = {"name": "a script", "usd_month": usd_month}
    text: str = assert_json(await person.post("/keys", said), 201)["key"]
    return text


# --- setting them -----------------------------------------------------------------------------


async def test_a_user_has_no_limits_until_an_admin_sets_some(root: Person, ann: Person) -> None:
    path = f"/users/{ann.id}/limits"
    assert assert_json(await root.get(path)) == NONE
    for limits in (
        {"usd_day": 1.5, "usd_month": 20},
        {"usd_day": 0, "usd_month": None},
        {"usd_day": None, "usd_month": 1_000_000},
        NONE,
    ):
        assert assert_json(await root.put(path, limits)) == limits
        assert assert_json(await root.get(path)) == limits
        found = await usage_of(ann)
        assert (found["day"]["limit_usd"], found["month"]["limit_usd"]) == tuple(limits.values())


async def test_nobody_can_be_limited_who_is_not_there(root: Person) -> None:
    path = f"/users/{UNKNOWN_ID}/limits"
    assert_problem(await root.get(path), 404, "not_found")
    assert_problem(await root.put(path, NONE), 404, "not_found")
    for owner in ("house", "newcomers"):  # names that the store uses for others
        assert_problem(await root.get(f"/users/{owner}/limits"), 404, "not_found")
        assert_problem(await root.put(f"/users/{owner}/limits", NONE), 404, "not_found")


@pytest.mark.parametrize("name", ["usd_day", "usd_month", "default_usd_day", "default_usd_month"])
@pytest.mark.parametrize("amount", [-0.01, 1_000_000.01, "5", True, [1], 1e308])
async def test_a_limit_is_an_amount_or_null(
    still: World, asker: Person, name: str, amount: Any
) -> None:
    assert_problem(await asker.put("/admin/limits", NONE | {name: amount}), 422, "invalid_request")
    if not name.startswith("default"):
        path = f"/users/{asker.id}/limits"
        assert_problem(await asker.put(path, NONE | {name: amount}), 422, "invalid_request")


@pytest.mark.parametrize("body", [{}, {"usd_day": 1}, NONE | {"usd_year": 1}])
async def test_limits_are_said_whole(still: World, asker: Person, body: Any) -> None:
    for path in (f"/users/{asker.id}/limits", "/admin/limits"):
        assert_problem(await asker.put(path, body), 422, "invalid_request")


async def test_an_amount_is_kept_to_ten_decimals(root: Person, ann: Person) -> None:
    said = {"usd_day": 0.1 + 0.2, "usd_month": 1e-11}
    assert assert_json(await root.put(f"/users/{ann.id}/limits", said)) == {
        "usd_day": 0.3,
        "usd_month": 0,
    }


async def test_who_changed_which_limit_is_written_down(root: Person, ann: Person) -> None:
    await cap(root, ann.id, 1.5, 20)
    await cap_house(root, 99)
    entries = assert_json(await root.get("/admin/audit"))["items"]
    house, _, user = [entry for entry in entries if entry["action"] == "limits_changed"]
    assert (user["actor_id"], user["target_id"]) == (root.id, ann.id)
    assert user["details"] == {"usd_day": "1.5", "usd_month": "20.0"}
    assert (house["target_id"], house["details"]) == (None, {"of": "house", "usd_day": "99.0"})


async def test_new_users_begin_with_the_default(world: World, root: Person, ann: Person) -> None:
    said = NONE | {"default_usd_day": 1, "default_usd_month": 10}
    assert assert_json(await root.put("/admin/limits", said)) == said
    assert assert_json(await root.get("/admin/limits")) == said
    added = {"email": "new@example.org", "password": PASSWORD}
    new = assert_json(await root.post("/users", added), 201)
    limits = assert_json(await root.get(f"/users/{new['id']}/limits"))
    assert limits == {"usd_day": 1, "usd_month": 10}
    assert assert_json(await root.get(f"/users/{ann.id}/limits")) == NONE
    assert_json(await root.put("/admin/limits", NONE))  # those who are there keep theirs
    assert assert_json(await root.get(f"/users/{new['id']}/limits")) == limits
    assert (await usage_of(await world.bob()))["day"]["limit_usd"] is None


# --- over them --------------------------------------------------------------------------------


async def test_over_a_days_cap_nothing_is_sent(world: World, root: Person, ann: Person) -> None:
    await cap(root, ann.id, 0.15, 5)
    world.provider.texts.add(answer("0.1"))
    assert_json(await ann.post("/generate/text", TEXT))
    for path, body in (
        ("/generate/text", TEXT),
        ("/generate/text", TEXT | {"stream": True}),
        ("/generate/image", IMAGE | {"n": 2}),
        ("/generate/video", VIDEO),
    ):
        response = await ann.post(path, body)
        budget = {"limit_usd": 0.15, "left_usd": 0.05, "renews_at": MIDNIGHT}
        assert_over(response, "user_day", **budget)
        assert "$0.05 of $0.15" in response.json()["detail"]
    assert len(world.provider.text_requests) == 1
    assert not world.provider.image_requests
    assert await spent_and_reserved(ann) == (0.1, 0)
    assert_json(await ann.post("/generate/image", IMAGE))  # this one fits


async def test_the_cap_with_the_least_left_is_named(world: World, root: Person) -> None:
    ann = await world.ann()
    await cap(root, ann.id, 5, 0.05)
    budget = {"limit_usd": 0.05, "left_usd": 0.05, "renews_at": NEXT_MONTH}
    assert_over(await ann.post("/generate/text", TEXT), "user_month", **budget)
    await cap(root, ann.id, 0.02, 0.05)
    budget = {"limit_usd": 0.02, "left_usd": 0.02, "renews_at": MIDNIGHT}
    assert_over(await ann.post("/generate/text", TEXT), "user_day", **budget)


async def test_a_key_has_a_cap_of_its_own(world: World, ann: Person) -> None:
    capped, other = world.bearing(await a_key(ann, 0.15)), world.bearing(await a_key(ann))
    world.provider.texts.add(*[answer("0.1")] * 3)
    assert_json(await capped.post("/generate/text", TEXT))
    budget = {"limit_usd": 0.15, "left_usd": 0.05, "renews_at": NEXT_MONTH}
    assert_over(await capped.post("/generate/text", TEXT), "key", **budget)
    assert_json(await other.post("/generate/text", TEXT))
    assert_json(await ann.post("/generate/text", TEXT))
    assert await spent_and_reserved(ann) == (0.3, 0)


async def test_what_a_key_spends_counts_for_its_user(
    world: World, root: Person, ann: Person
) -> None:
    key = world.bearing(await a_key(ann, 5))
    await cap(root, ann.id, 0.1)
    world.provider.texts.add(answer("0.1"))
    assert_json(await key.post("/generate/text", TEXT))
    budget = {"limit_usd": 0.1, "left_usd": 0, "renews_at": MIDNIGHT}
    assert_over(await key.post("/generate/text", TEXT), "user_day", **budget)
    assert_over(await ann.post("/generate/text", TEXT), "user_day", **budget)


async def test_the_house_says_only_that_its_cap_is_reached(
    world: World, root: Person, ann: Person, bob: Person
) -> None:
    await cap_house(root, 0.15, 9)
    world.provider.texts.add(answer("0.1"))
    assert_json(await ann.post("/generate/text", TEXT))
    response = await bob.post("/generate/text", TEXT)
    assert_over(response, "house", limit_usd=None, left_usd=None, renews_at=MIDNIGHT)
    assert "$" not in response.json()["detail"]


async def test_a_cap_of_the_house_counts_what_was_spent_before_it_was_set(
    world: World, root: Person, ann: Person, bob: Person
) -> None:
    world.provider.texts.add(answer("0.1"))
    assert_json(await ann.post("/generate/text", TEXT))
    assert_json(await bob.post("/generate/video", VIDEO), 202)
    await cap_house(root, 0.35)
    response = await bob.post("/generate/text", TEXT)
    assert_over(response, "house", limit_usd=None, left_usd=None, renews_at=MIDNIGHT)
    await cap_house(root, None)
    await cap_house(root, 0.45)
    world.provider.texts.add(answer("0.1"))
    assert_json(await bob.post("/generate/text", TEXT))


async def test_a_cap_below_what_is_spent_leaves_nothing_and_not_less(
    world: World, root: Person, ann: Person
) -> None:
    world.provider.texts.add(answer("0.1"))
    assert_json(await ann.post("/generate/text", TEXT))
    await cap(root, ann.id, 0.04)
    budget = {"limit_usd": 0.04, "left_usd": 0, "renews_at": MIDNIGHT}
    assert_over(await ann.post("/generate/text", TEXT), "user_day", **budget)


async def test_what_has_no_price_takes_all_that_is_left_while_it_runs(
    world: World, root: Person, ann: Person
) -> None:
    await cap(root, ann.id, 0.5)
    world.provider.gate.clear()
    running = asyncio.create_task(ann.post("/generate/text", UNPRICED))
    await world.provider.asked.wait()
    assert await spent_and_reserved(ann) == (0, 0.5)
    budget = {"limit_usd": 0.5, "left_usd": 0, "renews_at": MIDNIGHT}
    for body in (UNPRICED, TEXT):
        assert_over(await ann.post("/generate/text", body), "user_day", **budget)
    world.provider.texts.add(answer("0.03"))
    world.provider.gate.set()
    assert_json(await running)
    assert await spent_and_reserved(ann) == (0.03, 0)
    assert_json(await ann.post("/generate/image", IMAGE))


async def test_a_repeat_is_answered_whatever_is_left(
    world: World, root: Person, ann: Person
) -> None:
    await cap(root, ann.id, 0.1)
    headers = {"Idempotency-Key": "a-key"}
    world.provider.texts.add(answer("0.1"))
    first = assert_json(await ann.post("/generate/text", TEXT, headers=headers))
    assert assert_json(await ann.post("/generate/text", TEXT, headers=headers)) == first
    refused = {"Idempotency-Key": "another"}
    for _ in range(2):  # what was refused may be tried again with the same key
        response = await ann.post("/generate/text", TEXT, headers=refused)
        assert response.status_code == 402
    await cap(root, ann.id, 1)
    assert_json(await ann.post("/generate/text", TEXT, headers=refused))


async def test_a_refused_image_leaves_no_trace(world: World, root: Person, ann: Person) -> None:
    await cap(root, ann.id, 0)
    body = IMAGE | {"image_url": "https://example.org/fox.png"}
    assert (await ann.post("/generate/image", body)).status_code == 402
    for kind in ("text", "image", "video"):
        assert assert_json(await ann.get(f"/generate/{kind}"))["items"] == []
    assert not [path for path in world.aigen.settings.media_dir.rglob("*") if path.is_file()]


# --- renewal ----------------------------------------------------------------------------------


async def test_a_days_cap_renews_at_midnight_utc_and_a_months_on_the_first(
    world: World, root: Person
) -> None:
    ann = await world.ann()
    await cap(root, ann.id, 0.1, 0.2)

    async def buys() -> httpx.Response:
        world.provider.texts.add(answer("0.1"))
        return await (await world.login(ann.email)).post("/generate/text", TEXT)

    assert_json(await buys())
    world.clock.set(datetime(2026, 3, 15, 23, 59, 59, 999999, tzinfo=UTC))
    budget = {"limit_usd": 0.1, "left_usd": 0, "renews_at": MIDNIGHT}
    assert_over(await buys(), "user_day", **budget)
    world.clock.set(datetime(2026, 3, 16, tzinfo=UTC))
    assert_json(await buys())
    world.clock.set(datetime(2026, 3, 31, 23, 59, 59, tzinfo=UTC))
    budget = {"limit_usd": 0.2, "left_usd": 0, "renews_at": NEXT_MONTH}
    assert_over(await buys(), "user_month", **budget)
    world.clock.set(datetime(2026, 4, 1, tzinfo=UTC))
    assert_json(await buys())
    found = await usage_of(await world.login(ann.email))
    assert (found["day"]["spent_usd"], found["month"]["spent_usd"]) == (0.1, 0.1)
    assert found["day"]["renews_at"] == "2026-04-02T00:00:00Z"
    assert found["month"]["renews_at"] == "2026-05-01T00:00:00Z"


async def test_a_charge_counts_in_the_day_in_which_it_began(
    world: World, root: Person, ann: Person
) -> None:
    await cap(root, ann.id, 0.3)
    assert_json(await ann.post("/generate/video", VIDEO), 202)
    later(world, days=1)
    ann = await world.login(ann.email)
    found = await usage_of(ann)
    assert (found["day"]["reserved_usd"], found["month"]["reserved_usd"]) == (0, 0.2)
    (job,) = assert_json(await ann.get("/generate/video"))["items"]
    assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
    found = await usage_of(ann)
    assert (found["day"]["reserved_usd"], found["month"]["reserved_usd"]) == (0, 0)


# --- races ------------------------------------------------------------------------------------


@pytest.mark.parametrize("scope", ["user_day", "user_month", "key", "house"])
@pytest.mark.parametrize("path", ["/generate/text", "/generate/video"])
async def test_fifty_at_once_cannot_exceed_a_cap(
    world: World, root: Person, ann: Person, scope: str, path: str
) -> None:
    """Fifteen fit into the cap; the provider holds them all until the last was refused."""
    body, price = (TEXT, 0.1) if path == "/generate/text" else (VIDEO, 0.2)
    limit = round(15.5 * price, 2)
    caller: Any = ann
    match scope:
        case "user_day":
            await cap(root, ann.id, limit)
        case "user_month":
            await cap(root, ann.id, None, limit)
        case "key":
            caller = world.bearing(await a_key(ann, limit))
        case "house":
            await cap_house(root, limit)
    world.provider.gate.clear()
    world.provider.texts.add(*[answer("0.1")] * 15)
    asking = [asyncio.create_task(caller.post(path, body)) for _ in range(50)]
    refused = 0
    for answered in asyncio.as_completed(asking):
        refused += (await answered).status_code == 402
        if refused == 35:
            break
    _, reserved = await spent_and_reserved(ann)
    assert reserved <= limit
    world.provider.gate.set()
    statuses = sorted([(await task).status_code for task in asking])
    assert statuses == [200 if path == "/generate/text" else 202] * 15 + [402] * 35
    spent, reserved = await spent_and_reserved(ann)
    assert round(spent + reserved, 10) == round(15 * price, 10)


async def test_a_cap_of_the_house_holds_for_those_who_ask_while_it_is_set(
    world: World, root: Person, ann: Person
) -> None:
    """Whatever is reserved before, in and after the change that sets it is counted."""
    world.provider.gate.clear()
    before = [asyncio.create_task(ann.post("/generate/text", TEXT)) for _ in range(20)]
    setting = asyncio.create_task(cap_house(root, 2.05))
    after = [asyncio.create_task(ann.post("/generate/text", TEXT)) for _ in range(20)]
    await setting
    _, reserved = await spent_and_reserved(ann)
    response = await ann.post("/generate/video", VIDEO | {"duration": 8, "resolution": "1080p"})
    assert reserved <= 2.05 or response.status_code == 402
    world.provider.gate.set()
    for task in (*before, *after):
        await task
    tally = await world.look(lambda records: records.tallies.get("house"))
    start = world.clock.now().replace(hour=0)
    total = await world.look(lambda records: records.charges.total(start))
    assert tally is not None
    assert tally.of_day() == total


async def test_a_user_who_goes_takes_the_limits_along_and_the_costs_stay(
    world: World, root: Person, ann: Person
) -> None:
    await cap_house(root, 0.25)
    await cap(root, ann.id, 5)
    assert_json(await ann.post("/generate/video", VIDEO), 202)
    assert_done(await root.delete(f"/users/{ann.id}"))
    assert await world.look(lambda records: records.limits.get(ann.id)) is None
    bob = await world.person("bob@example.org", Role.USER)
    world.provider.texts.add(answer("0.2"))
    assert_json(await bob.post("/generate/text", TEXT))  # the queued film was never bought
    response = await bob.post("/generate/text", TEXT)
    assert_over(response, "house", limit_usd=None, left_usd=None, renews_at=MIDNIGHT)
    await look_up(world)
