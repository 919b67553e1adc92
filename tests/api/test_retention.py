"""What was kept long enough: shown to administrators, removed for the operator, told to all."""

from datetime import timedelta
from typing import Any

import pytest
import pytest_asyncio

from tests.api.answers import assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.test_archives import image_of
from tests.api.test_history import have
from tests.api.world import Person, World

NOTHING = {"texts": 0, "images": 0, "videos": 0, "files": 0, "bytes": 0}
LONG = timedelta(days=31)


@pytest_asyncio.fixture(loop_scope="package")
async def world(open_world: OpenWorld) -> World:
    return await open_world(retention_days=30, retention_bytes_per_user="1 GiB")


async def old_things(world: World, ann: Person, bob: Person) -> None:
    """Two pictures and a text of ann's, a text of bob's; all of them a month old."""
    await image_of(ann, n=2)
    at = {"created_at": world.clock.now()}
    await have(world, ann, "text", at)
    await have(world, bob, "text", at)
    world.clock.set(world.clock.now() + LONG)


async def test_administrators_see_what_would_go_and_whose_it_is(
    world: World, ann: Person, bob: Person
) -> None:
    await old_things(world, ann, bob)
    root = await world.root()
    found = assert_json(await root.get("/admin/retention"))
    size = found["items"][0]["bytes"]
    assert size > 0
    assert found == {
        "days": 30,
        "bytes_per_user": 2**30,
        "total": {"texts": 2, "images": 1, "videos": 0, "files": 2, "bytes": size},
        "items": [
            {"texts": 1, "images": 1, "videos": 0, "files": 2, "bytes": size}
            | {"user_id": ann.id, "email": ann.email},
            NOTHING | {"texts": 1, "user_id": bob.id, "email": bob.email},
        ],
    }
    assert assert_json(await root.get("/admin/retention")) == found


async def test_they_can_ask_what_another_policy_would_do(
    world: World, ann: Person, bob: Person
) -> None:
    await old_things(world, ann, bob)
    root = await world.root()
    asked: dict[str, Any]
    for asked, policy, total in (
        ({"days": 32}, (32, None), NOTHING),
        ({"days": 31}, (31, None), NOTHING),
        ({"bytes_per_user": 1}, (None, 1), NOTHING | {"images": 1, "files": 2}),
        ({"days": 3, "bytes_per_user": 1}, (3, 1), NOTHING | {"texts": 2, "images": 1, "files": 2}),
    ):
        found = assert_json(await root.get("/admin/retention", params=asked))
        assert (found["days"], found["bytes_per_user"]) == policy
        assert found["total"] | {"bytes": 0} == total, asked
    for asked in ({"days": 0}, {"days": "x"}, {"bytes_per_user": -1}, {"days": 10**9}):
        response = await root.get("/admin/retention", params=asked)
        assert_problem(response, 422, "invalid_request")


async def test_the_operator_prunes_until_nothing_goes(
    world: World, ann: Person, bob: Person
) -> None:
    await old_things(world, ann, bob)
    root = await world.root()
    total = assert_json(await root.get("/admin/retention"))["total"]
    pruned = assert_json(await world.operator.post("/maintenance/prune", {}))
    assert pruned == total
    assert assert_json(await world.operator.post("/maintenance/prune", {})) == NOTHING
    assert list(world.aigen.settings.media_dir.rglob("*.png")) == []
    entry = assert_json(await root.get("/admin/audit"))["items"][0]
    assert (entry["action"], entry["actor_id"], entry["target_id"]) == (
        "history_pruned",
        None,
        None,
    )
    counts = {name: str(count) for name, count in total.items()}
    assert entry["details"] == counts | {"days": "30", "bytes_per_user": str(2**30)}


async def test_the_operator_prunes_by_another_policy(
    world: World, ann: Person, bob: Person
) -> None:
    await old_things(world, ann, bob)
    pruned = assert_json(await world.operator.post("/maintenance/prune", {"days": 32}))
    assert pruned == NOTHING
    pruned = assert_json(await world.operator.post("/maintenance/prune", {"bytes_per_user": 1}))
    assert (pruned["texts"], pruned["images"]) == (0, 1)
    for body in ({"days": 0}, {"days": "1"}, {"bytes_per_user": 0}, {"hours": 1}):
        response = await world.operator.post("/maintenance/prune", body)
        assert_problem(response, 422, "invalid_request")


@pytest.mark.parametrize(
    ("settings", "days", "bytes_per_user"),
    [
        ({}, None, None),
        ({"retention_days": 0, "retention_bytes_per_user": 0}, None, None),
        ({"retention_days": 30}, 30, None),
        ({"retention_bytes_per_user": "5 GiB"}, None, 5 * 2**30),
    ],
    ids=str,
)
async def test_everybody_may_know_how_long_things_are_kept(
    open_world: OpenWorld, settings: dict[str, Any], days: int | None, bytes_per_user: int | None
) -> None:
    world = await open_world(**settings)
    about = assert_json(await world.anonymous.get("/about"))
    assert (about["retention_days"], about["retention_bytes_per_user"]) == (days, bytes_per_user)
    if not settings:
        found = assert_json(await (await world.root()).get("/admin/retention"))
        assert (found["total"], found["items"]) == (NOTHING, [])
