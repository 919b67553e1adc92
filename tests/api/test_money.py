"""The money of a generation: reserved, settled once, found when nobody has said it."""

import asyncio
from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest
import pytest_asyncio

from aigen.domain.model.ledger import Charge, ChargeState
from aigen.domain.model.media import MediaType, Picture, StoredMedia
from aigen.domain.model.videos import VideoError
from aigen.ports.jobs import Claim, Film, NoFilm
from aigen.ports.provider import (
    Accepted,
    BadAnswer,
    Failure,
    ImageAnswer,
    Misconfigured,
    NotSent,
    Refused,
    Unknown,
    Unreachable,
)
from aigen.testing import PNG
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.money import (
    IMAGE,
    OFFERED,
    TEXT,
    UNPRICED,
    VIDEO,
    Told,
    answer,
    later,
    look_up,
    spent_and_reserved,
    usage_of,
)
from tests.api.test_videos import claims
from tests.api.world import Person, World

POSTS = {
    "text": ("/generate/text", TEXT, 0.1),
    "stream": ("/generate/text", TEXT | {"stream": True}, 0.1),
    "image": ("/generate/image", IMAGE, 0.04),
}
posts = pytest.mark.parametrize(("path", "body", "estimate"), POSTS.values(), ids=POSTS.keys())


@pytest_asyncio.fixture(loop_scope="package")
async def world(world: World) -> World:
    world.provider.offered = OFFERED
    return world


async def charge_of(world: World, generation_id: str) -> Charge:
    found = await world.look(lambda records: records.charges.get(generation_id))
    assert found is not None
    return found


async def the_charge(world: World, user: Person) -> Charge:
    """The one open charge of somebody."""

    some_day = world.clock.now() + timedelta(days=1)
    charges = await world.look(lambda records: records.charges.due(some_day))
    (found,) = [charge for charge in charges if charge.user_id == user.id]
    return found


# --- texts and images -------------------------------------------------------------------------


@posts
async def test_an_estimate_is_reserved_while_it_runs_and_the_cost_is_spent_then(
    world: World, ann: Person, path: str, body: Any, estimate: float
) -> None:
    world.provider.gate.clear()
    world.provider.texts.add(answer("0.03"))
    running = asyncio.create_task(ann.post(path, body))
    await world.provider.asked.wait()
    assert await spent_and_reserved(ann) == (0, estimate)
    world.provider.gate.set()
    assert (await running).status_code == 200
    cost = 0.04 if path == "/generate/image" else 0.03
    assert await spent_and_reserved(ann) == (cost, 0)
    (line,) = (await usage_of(ann))["by_model"]
    assert (line["model"], line["count"], line["cost_usd"]) == (body["model"], 1, cost)


async def test_a_deferred_image_keeps_its_reservation_until_it_is_done(
    world: World, ann: Person
) -> None:
    world.provider.gate.clear()
    later_ = {"Prefer": "respond-async"}
    image = assert_json(await ann.post("/generate/image", IMAGE | {"n": 2}, headers=later_), 202)
    assert await spent_and_reserved(ann) == (0, 0.08)
    world.provider.images.add(_pictures("0.07"))
    world.provider.gate.set()
    await world.aigen.background.drain()
    assert await spent_and_reserved(ann) == (0.07, 0)
    assert assert_json(await ann.get(f"/generate/image/{image['id']}"))["cost_usd"] == 0.07


FREE: list[Failure] = [Refused(reason="no"), NotSent(reason="busy"), Misconfigured(reason="no")]


@posts
@pytest.mark.parametrize("failure", FREE, ids=lambda failure: type(failure).__name__)
async def test_what_was_surely_not_bought_is_released(
    world: World, ann: Person, path: str, body: Any, estimate: float, failure: Any
) -> None:
    world.provider.texts.add(failure)
    world.provider.images.add(failure)
    assert (await ann.post(path, body)).status_code >= 400
    assert await spent_and_reserved(ann) == (0, 0)
    assert (await usage_of(ann))["by_model"] == []


@posts
async def test_an_unknown_outcome_is_settled_at_the_estimate_after_ten_minutes(
    world: World, ann: Person, path: str, body: Any, estimate: float
) -> None:
    world.provider.texts.add(Unknown(reason="reset"))
    world.provider.images.add(Unknown(reason="reset"))
    assert_problem(await ann.post(path, body), 504, "provider_outcome_unknown")
    charge = await the_charge(world, ann)
    later(world, minutes=9, seconds=59)
    await look_up(world)
    assert await spent_and_reserved(ann) == (0, estimate)
    later(world, seconds=1)
    await look_up(world)
    assert await spent_and_reserved(ann) == (estimate, 0)
    settled = await charge_of(world, charge.id)
    assert (settled.state, settled.is_estimated) == (ChargeState.SETTLED, True)


async def test_an_answer_without_use_costs_what_the_provider_says(
    world: World, ann: Person
) -> None:
    world.provider.texts.add(BadAnswer(reason="Only words.", cost_usd=Decimal("0.02")))
    assert_problem(await ann.post("/generate/text", TEXT), 502, "provider_bad_answer")
    assert await spent_and_reserved(ann) == (0.02, 0)


async def test_a_text_without_price_reserves_nothing_where_there_is_no_cap(
    world: World, ann: Person
) -> None:
    world.provider.texts.add(answer("0.5"))
    assert_json(await ann.post("/generate/text", UNPRICED))
    assert await spent_and_reserved(ann) == (0.5, 0)


async def test_a_repeat_is_paid_once(world: World, ann: Person) -> None:
    world.provider.texts.add(answer("0.03"))
    for _ in range(3):
        assert_json(await ann.post("/generate/text", TEXT, headers={"Idempotency-Key": "k"}))
    assert await spent_and_reserved(ann) == (0.03, 0)


# --- costs that were not told -----------------------------------------------------------------


async def test_a_cost_that_was_not_told_is_found_and_shown_with_what_it_bought(
    world: World, ann: Person
) -> None:
    told = Told()
    world.provider.texts.add(answer(None, "gen-1"))
    text = assert_json(await ann.post("/generate/text", TEXT))
    assert text["cost_usd"] is None
    await look_up(world, told)  # it does not know yet
    assert await spent_and_reserved(ann) == (0, 0.1)
    told.costs["gen-1"] = Unreachable(reason="away")
    await look_up(world, told)
    assert await spent_and_reserved(ann) == (0, 0.1)
    told.costs["gen-1"] = Decimal("0.0123")
    await look_up(world, told)
    assert await spent_and_reserved(ann) == (0.0123, 0)
    assert assert_json(await ann.get(f"/generate/text/{text['id']}"))["cost_usd"] == 0.0123
    told.costs["gen-1"] = Decimal(5)  # settled once, whatever is said later
    await look_up(world, told)
    assert await spent_and_reserved(ann) == (0.0123, 0)


async def test_the_parts_of_a_cost_are_added_when_all_are_known(world: World, ann: Person) -> None:
    told = Told()
    told.costs["gen-2"] = Decimal("0.01")
    world.provider.images.add(_pictures("0.04", "gen-2", "gen-3"))
    image = assert_json(await ann.post("/generate/image", IMAGE | {"n": 3}))
    await look_up(world, told)
    assert await spent_and_reserved(ann) == (0, 0.12)
    told.costs["gen-3"] = Decimal("0.02")
    await look_up(world, told)
    assert await spent_and_reserved(ann) == (0.07, 0)
    assert assert_json(await ann.get(f"/generate/image/{image['id']}"))["cost_usd"] == 0.07


async def test_a_cost_that_is_never_told_is_estimated_and_not_shown_as_told(
    world: World, ann: Person
) -> None:
    world.provider.texts.add(answer(None, "gen-1"))
    text = assert_json(await ann.post("/generate/text", TEXT))
    later(world, minutes=10)
    await look_up(world)
    assert await spent_and_reserved(ann) == (0.1, 0)
    assert (await charge_of(world, text["id"])).is_estimated
    assert assert_json(await ann.get(f"/generate/text/{text['id']}"))["cost_usd"] is None


async def test_a_cost_is_found_for_what_has_been_deleted_meanwhile(
    world: World, ann: Person
) -> None:
    told = Told()
    world.provider.texts.add(answer(None, "gen-1"))
    text = assert_json(await ann.post("/generate/text", TEXT))
    assert_done(await ann.delete(f"/generate/text/{text['id']}"))
    told.costs["gen-1"] = Decimal("0.0123")
    await look_up(world, told)
    assert await spent_and_reserved(ann) == (0.0123, 0)


# --- videos -----------------------------------------------------------------------------------


async def submitted(world: World, person: Person, outcome: Any = None) -> tuple[str, Claim]:
    """A video that a worker has handed to the provider, with this outcome."""
    job = assert_json(await person.post("/generate/video", VIDEO), 202)
    assert await spent_and_reserved(person) == (0, 0.2)
    (claim,) = await claims(world)
    outcome = outcome or Accepted(provider_job_id="job-1")
    polling = await world.aigen.work.record(claim.video_id, claim.nonce or "", outcome)
    return job["id"], polling or claim


def film(claim: Claim, cost_usd: str | None, *generation_ids: str) -> Film:
    media = StoredMedia(
        key=f"{claim.folder}video.mp4", media_type=MediaType.MP4, size=24, sha256="0" * 64
    )
    cost = None if cost_usd is None else Decimal(cost_usd)
    return Film(media=media, cost_usd=cost, generation_ids=generation_ids)


async def test_a_video_is_reserved_when_queued_and_settled_with_its_film(
    world: World, ann: Person
) -> None:
    video_id, claim = await submitted(world, ann)
    assert await spent_and_reserved(ann) == (0, 0.2)
    assert await world.aigen.work.finish(video_id, claim.epoch, film(claim, "0.15"))
    assert await spent_and_reserved(ann) == (0.15, 0)


async def test_a_film_whose_cost_was_not_told_gets_it_later(world: World, ann: Person) -> None:
    told = Told()
    video_id, claim = await submitted(world, ann)
    await world.aigen.work.finish(video_id, claim.epoch, film(claim, None, "gen-1"))
    assert await spent_and_reserved(ann) == (0, 0.2)
    told.costs["gen-1"] = Decimal("0.18")
    await look_up(world, told)
    assert await spent_and_reserved(ann) == (0.18, 0)
    status = assert_json(await ann.get(f"/generate/video/{video_id}/status"))
    assert (status["status"], status["cost_usd"]) == ("completed", 0.18)


async def test_a_refused_or_cancelled_video_is_released(world: World, ann: Person) -> None:
    await submitted(world, ann, Refused(reason="no"))
    assert await spent_and_reserved(ann) == (0, 0)
    job = assert_json(await ann.post("/generate/video", VIDEO), 202)
    assert await spent_and_reserved(ann) == (0, 0.2)
    assert_json(await ann.post(f"/generate/video/{job['id']}/cancel"))
    assert await spent_and_reserved(ann) == (0, 0)


async def test_a_video_cancelled_too_late_is_settled_at_the_estimate(
    world: World, ann: Person
) -> None:
    video_id, _ = await submitted(world, ann)
    assert_json(await ann.post(f"/generate/video/{video_id}/cancel"))
    assert await spent_and_reserved(ann) == (0, 0.2)
    later(world, minutes=10)
    await look_up(world)
    assert await spent_and_reserved(ann) == (0.2, 0)


@pytest.mark.parametrize(
    ("code", "spent"), [(VideoError.PROVIDER_FAILED, 0), (VideoError.DEADLINE, 0.2)]
)
async def test_only_what_the_provider_says_has_failed_is_free_in_the_end(
    world: World, ann: Person, code: VideoError, spent: float
) -> None:
    video_id, claim = await submitted(world, ann)
    await world.aigen.work.finish(video_id, claim.epoch, NoFilm(code=code, reason="why"))
    assert await spent_and_reserved(ann) == (0, 0.2)
    later(world, minutes=10)
    await look_up(world)
    assert await spent_and_reserved(ann) == (spent, 0)


@pytest.mark.parametrize(("was_charged", "spent"), [(True, 0.2), (False, 0)])
async def test_an_unknown_video_stays_reserved_until_an_admin_settles_it(
    world: World, root: Person, ann: Person, was_charged: bool, spent: float
) -> None:
    video_id, _ = await submitted(world, ann, Unknown(reason="reset"))
    later(world, hours=1)
    await look_up(world)
    ann, root = await world.login(ann.email), await world.login(root.email)
    assert await spent_and_reserved(ann) == (0, 0.2)
    (listed,) = assert_json(await root.get("/admin/videos"))["items"]
    assert (listed["id"], listed["estimate_usd"]) == (video_id, 0.2)
    said = {"charged": was_charged}
    assert_json(await root.post(f"/admin/videos/{video_id}/resolve", said))
    assert await spent_and_reserved(ann) == (spent, 0)


async def test_an_unknown_video_that_is_adopted_costs_what_it_costs(
    world: World, root: Person, ann: Person
) -> None:
    video_id, _ = await submitted(world, ann, Unknown(reason="reset"))
    said = {"provider_job_id": "job-9"}
    assert_json(await root.post(f"/admin/videos/{video_id}/resolve", said))
    assert await spent_and_reserved(ann) == (0, 0.2)
    (claim,) = await claims(world)
    assert await world.aigen.work.finish(video_id, claim.epoch, film(claim, "0.19"))
    assert await spent_and_reserved(ann) == (0.19, 0)


def _pictures(cost_usd: str | None, *generation_ids: str) -> ImageAnswer:
    cost = None if cost_usd is None else Decimal(cost_usd)
    return ImageAnswer(
        pictures=(Picture(content=PNG),), cost_usd=cost, generation_ids=generation_ids
    )
