"""What was spent: one's own, and everybody's by user, model and day, as JSON, CSV and Parquet."""

import csv
import io
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import duckdb
import pytest
import pytest_asyncio

from aigen.domain.model.ledger import Kind
from aigen.domain.model.users import User
from aigen.testing.samples import a_charge, a_user, stored
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.money import OFFERED, TEXT, VIDEO, answer, usage_of
from tests.api.world import Person, World

CSV, PARQUET = "text/csv", "application/vnd.apache.parquet"
CRUMB = Decimal("0.0000000001")
MARCH_14 = datetime(2026, 3, 14, 23, 59, 59, 999999, tzinfo=UTC)
MARCH_15 = datetime(2026, 3, 15, tzinfo=UTC)


@pytest_asyncio.fixture(loop_scope="package")
async def world(world: World) -> World:
    world.provider.offered = OFFERED
    return world


async def bought(world: World, user: User, usd: Any, made: datetime = MARCH_15, **on: Any) -> None:
    charge = a_charge(user, created_at=made, **on)
    await stored(world.aigen.store, charge.settled(Decimal(usd), made))


@pytest_asyncio.fixture(loop_scope="package")
async def spenders(world: World) -> tuple[User, User]:
    """One spent 30 cents on two models and days, the other 70 and a crumb."""
    one, other = a_user(email="one@example.org"), a_user(email="=cmd()@example.org")
    await stored(world.aigen.store, one, other)
    await bought(world, one, "0.1", MARCH_14, model="a")
    await bought(world, one, "0.2", model="=b")
    await bought(world, other, Decimal("0.7") + CRUMB, model="a", kind=Kind.VIDEO)
    await stored(world.aigen.store, a_charge(other, created_at=MARCH_15).released(MARCH_15))
    return one, other


async def report(admin: Person, **query: str) -> Any:
    found = assert_json(await admin.get("/admin/usage", params=query))
    assert found.keys() == {"items"}
    return found["items"]


def line(key: str, label: str | None, count: int, cost_usd: float) -> dict[str, Any]:
    return {"key": key, "label": label, "count": count, "cost_usd": cost_usd}


# --- one's own --------------------------------------------------------------------------------


async def test_one_sees_ones_own_day_month_and_models(
    world: World, ann: Person, bob: Person
) -> None:
    assert await usage_of(ann) == {
        "day": {
            "spent_usd": 0,
            "reserved_usd": 0,
            "limit_usd": None,
            "renews_at": "2026-03-16T00:00:00Z",
        },
        "month": {
            "spent_usd": 0,
            "reserved_usd": 0,
            "limit_usd": None,
            "renews_at": "2026-04-01T00:00:00Z",
        },
        "by_model": [],
    }
    world.provider.texts.add(answer("0.03"), answer("0.04"))
    for _ in range(2):
        assert_json(await ann.post("/generate/text", TEXT))
    assert_json(await ann.post("/generate/video", VIDEO), 202)
    found = await usage_of(ann)
    assert (found["day"]["spent_usd"], found["day"]["reserved_usd"]) == (0.07, 0.2)
    assert found["by_model"] == [
        {"kind": "text", "model": TEXT["model"], "count": 2, "cost_usd": 0.07},
        {"kind": "video", "model": VIDEO["model"], "count": 1, "cost_usd": 0},
    ]
    assert (await usage_of(bob))["by_model"] == []


# --- everybody's ------------------------------------------------------------------------------


async def test_everybodys_spending_is_told_by_user_model_and_day(
    root: Person, spenders: tuple[User, User]
) -> None:
    one, other = spenders
    dearest = float(Decimal("0.7") + CRUMB)
    assert await report(root) == await report(root, group="user")
    assert await report(root, group="user") == [
        line(other.id, other.email, 1, dearest),
        line(one.id, one.email, 2, 0.3),
    ]
    assert await report(root, group="model") == [
        line("a", "a", 2, float(Decimal("0.8") + CRUMB)),
        line("=b", "=b", 1, 0.2),
    ]
    assert await report(root, group="day") == [
        line("2026-03-15", "2026-03-15", 2, float(Decimal("0.9") + CRUMB)),
        line("2026-03-14", "2026-03-14", 1, 0.1),
    ]


@pytest.mark.parametrize(
    ("query", "days"),
    [
        ({"from": "2026-03-15"}, ["2026-03-15"]),
        ({"to": "2026-03-15"}, ["2026-03-14"]),
        ({"from": "2026-03-14", "to": "2026-03-16"}, ["2026-03-15", "2026-03-14"]),
        ({"from": "2026-03-16"}, []),
        ({"from": "0001-01-01", "to": "9999-12-31"}, ["2026-03-15", "2026-03-14"]),
    ],
)
async def test_a_report_is_from_a_day_on_and_before_another(
    root: Person, spenders: Any, query: dict[str, str], days: list[str]
) -> None:
    assert [found["key"] for found in await report(root, group="day", **query)] == days


@pytest.mark.parametrize(
    "query",
    [
        {"group": "prompt"},
        {"from": "yesterday"},
        {"from": "2026-02-30"},
        {"from": "2026-03-15", "to": "2026-03-15"},
        {"from": "2026-03-15", "to": "2026-03-14"},
    ],
)
async def test_a_report_that_makes_no_sense_is_refused(
    still: World, asker: Person, query: dict[str, str]
) -> None:
    response = await asker.get("/admin/usage", params=query)
    assert_problem(response, 422, "invalid_request")


async def test_costs_stay_when_their_user_goes(root: Person, spenders: tuple[User, User]) -> None:
    one, _ = spenders
    assert_done(await root.delete(f"/users/{one.id}"))
    assert (await report(root))[1] == line(one.id, None, 2, 0.3)
    stats = assert_json(await root.get("/admin/stats"))
    assert stats["spend_usd"]["total"] == float(Decimal(1) + CRUMB)


# --- downloads --------------------------------------------------------------------------------


async def test_a_report_is_downloaded_as_csv_without_formulas(
    root: Person, spenders: tuple[User, User]
) -> None:
    one, other = spenders
    response = await root.get("/admin/usage", headers={"Accept": CSV})
    assert response.status_code == 200
    assert response.headers["content-type"] == f"{CSV}; charset=utf-8"
    disposition = response.headers["content-disposition"]
    assert disposition == 'attachment; filename="usage-by-user.csv"'
    assert list(csv.reader(io.StringIO(response.text))) == [
        ["key", "label", "count", "cost_usd"],
        [other.id, f"'{other.email}", "1", "0.7000000001"],
        [one.id, one.email, "2", "0.3000000000"],
    ]
    models = await root.get("/admin/usage?group=model", headers={"Accept": CSV})
    assert "\r\n'=b,'=b,1,0.2000000000\r\n" in models.text


async def test_the_smallest_amount_is_not_written_as_a_power_of_ten(
    world: World, root: Person
) -> None:
    await stored(world.aigen.store, user := a_user())
    await bought(world, user, CRUMB)
    response = await root.get("/admin/usage", headers={"Accept": CSV})
    assert response.text.endswith(",1,0.0000000001\r\n")


@pytest.mark.parametrize("group", ["user", "model", "day"])
async def test_a_report_is_downloaded_as_parquet(
    root: Person, spenders: tuple[User, User], tmp_path: Path, group: str
) -> None:
    one, _ = spenders
    assert_done(await root.delete(f"/users/{one.id}"))
    path = f"/admin/usage?group={group}"
    response = await root.get(path, headers={"Accept": PARQUET})
    assert response.headers["content-type"] == PARQUET
    (file := tmp_path / "report.parquet").write_bytes(response.content)
    with duckdb.connect() as memory:
        found = memory.execute(f"SELECT * FROM '{file}'")
        names = [column[0] for column in found.description or ()]
        rows = [dict(zip(names, row, strict=True)) for row in found.fetchall()]
    assert all(isinstance(row["cost_usd"], Decimal) for row in rows)
    exact = [row | {"cost_usd": float(row["cost_usd"])} for row in rows]
    assert exact == await report(root, group=group)


@pytest.mark.parametrize("accept", [CSV, PARQUET])
async def test_a_report_without_lines_can_be_downloaded(
    still: World, asker: Person, accept: str
) -> None:
    response = await asker.get("/admin/usage", headers={"Accept": accept})
    assert response.status_code == 200
    assert response.content


async def test_a_download_is_for_admins_alone(still: World) -> None:
    bob = await still.bob()
    response = await bob.get("/admin/usage", headers={"Accept": CSV})
    assert_problem(response, 403, "forbidden")
