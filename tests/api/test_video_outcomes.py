"""What becomes of a video job, and how its owner learns why."""

from datetime import timedelta
from decimal import Decimal

import pytest

from aigen.domain.model.videos import VideoError
from aigen.ports.provider import (
    Accepted,
    ContentMissing,
    ContentUnavailable,
    Ended,
    InProgress,
    Refused,
    SubmitOutcome,
    Unknown,
)
from tests.api.answers import assert_time
from tests.api.conftest import OpenWorld
from tests.api.test_videos import claims, ended, status_of, submit
from tests.api.world import World


async def test_a_worker_makes_the_film(busy: World) -> None:
    ann = await busy.ann()
    job = await submit(ann)
    async with busy.aigen.worker():
        done = await ended(busy, ann, job)
    assert (done["status"], done["error"], done["cost_usd"]) == ("completed", None, 0.25)
    assert done["may_be_charged"] is True
    for instant in ("submitted_at", "updated_at", "finished_at"):
        assert_time(done[instant])
    assert job["created_at"] < done["submitted_at"] < done["finished_at"]
    film = await busy.anonymous.get(done["video_url"])
    assert (film.status_code, film.headers["content-type"]) == (200, "video/mp4")


SUBMISSIONS: list[tuple[SubmitOutcome, str, bool]] = [
    (Refused(reason="no such model"), "provider_refused", False),
    (Unknown(reason="reset"), "submission_outcome_unknown", True),
]


@pytest.mark.parametrize(("outcome", "code", "may_be_charged"), SUBMISSIONS)
async def test_why_a_submission_failed_and_whether_it_may_cost_is_said(
    busy: World, outcome: SubmitOutcome, code: str, may_be_charged: bool
) -> None:
    busy.provider.submits.add(outcome)
    ann = await busy.ann()
    job = await submit(ann)
    async with busy.aigen.worker():
        failed = await ended(busy, ann, job)
    assert (failed["status"], failed["error_code"]) == ("failed", code)
    assert failed["error"]
    assert failed["may_be_charged"] is may_be_charged
    assert failed["video_url"] is None
    assert_time(failed["finished_at"])
    assert len(busy.provider.submissions) == 1


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("failed", "provider_failed"),
        ("cancelled", "provider_cancelled"),
        ("expired", "provider_expired"),
    ],
)
async def test_why_the_provider_gave_up_is_said(busy: World, how: str, code: str) -> None:
    busy.provider.polls.add(InProgress(), Ended(how=how, reason="too foxy", cost_usd=Decimal(0)))
    ann = await busy.ann()
    job = await submit(ann)
    async with busy.aigen.worker():
        failed = await ended(busy, ann, job)
    assert (failed["status"], failed["error_code"]) == ("failed", code)
    assert "too foxy" in failed["error"]
    assert (failed["may_be_charged"], failed["cost_usd"]) == (False, 0)


async def test_an_id_that_another_job_has_is_no_acceptance(busy: World) -> None:
    busy.provider.submits.add(Accepted(provider_job_id="one"), Accepted(provider_job_id="one"))
    ann = await busy.ann()
    first = await submit(ann)
    async with busy.aigen.worker():
        assert (await ended(busy, ann, first))["status"] == "completed"
        second = await ended(busy, ann, await submit(ann))
    assert (second["status"], second["error_code"]) == ("failed", "provider_duplicate")


@pytest.mark.parametrize(
    ("film", "times", "code"),
    [
        (b"<html>not a film</html>", 1, "media_rejected"),
        (ContentUnavailable("503"), 5, "media_unavailable"),
        (ContentMissing("404"), 5, "no_content"),
    ],
)
async def test_why_there_is_no_film_is_said_after_so_many_downloads(
    busy: World, film: bytes | Exception, times: int, code: str
) -> None:
    busy.provider.films.add(*[film] * times)
    ann = await busy.ann()
    job = await submit(ann)
    async with busy.aigen.worker():
        failed = await ended(busy, ann, job)
    assert (failed["status"], failed["error_code"]) == ("failed", code)
    assert (failed["video_url"], failed["may_be_charged"]) == (None, True)
    assert len(busy.provider.fetched) == len(busy.provider.polled) == times


async def test_a_job_that_nobody_takes_times_out(open_world: OpenWorld) -> None:
    world = await open_world()
    job = await submit(ann := await world.ann())
    world.clock.set(world.clock.now() + timedelta(hours=2))
    assert await claims(world) == ()
    ann = await world.login(ann.email)
    failed = await status_of(ann, job)
    assert (failed["status"], failed["error_code"]) == ("failed", "queue_timeout")
    assert failed["may_be_charged"] is False


def test_the_error_codes_are_those_that_the_interface_lists() -> None:
    assert {code.value for code in VideoError} == set(
        """provider_refused provider_failed provider_cancelled provider_expired provider_lost
        no_content provider_duplicate media_unavailable media_rejected queue_timeout deadline
        submission_outcome_unknown submission_settled held_after_restore""".split()
    )
