"""What each answer to a poll leads to, and when patience ends."""

from datetime import datetime, timedelta
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.videos import VideoError
from aigen.domain.services.polling import Again, Fetch, Watch
from aigen.ports.jobs import Claim, NoFilm
from aigen.ports.provider import (
    Done,
    Ended,
    InProgress,
    Misconfigured,
    Missing,
    PollOutcome,
    Unreachable,
)
from aigen.testing.samples import LATER, NOW
from tests.domain import jobs
from tests.strategies import durations, polls

INTERVAL = timedelta(seconds=15)
LONGEST = timedelta(minutes=5)
CENT = Decimal("0.01")
SECOND = timedelta(seconds=1)
NO_REPLY = Unreachable(reason="cut off")
FILM = Done(addresses=("film", "mirror"), cost_usd=CENT)
NO_ADDRESS = Done(cost_usd=CENT)
NO_CREDIT = Misconfigured(reason="no credit")


def a_watch(deadline_at: datetime = LATER) -> Watch:
    job = jobs.processing(deadline_at=deadline_at)
    return Watch(Claim.of(job, folder="ann/1/", callback_url=None), INTERVAL)


def pauses(watch: Watch, outcome: PollOutcome, times: int) -> list[timedelta]:
    """How long to wait after each of so many answers of the same kind."""
    steps = [watch.after(outcome, NOW) for _ in range(times)]
    return [step.pause for step in steps if isinstance(step, Again)]


# --- one answer -------------------------------------------------------------------------------


def test_a_job_in_progress_is_asked_again_after_the_interval() -> None:
    assert pauses(a_watch(), InProgress(), 100) == [INTERVAL] * 100


def test_a_finished_film_is_fetched_from_the_addresses_in_turn() -> None:
    assert a_watch().after(FILM, NOW) == Fetch(addresses=("film", "mirror"), done=FILM)


@pytest.mark.parametrize(
    ("how", "code"),
    [
        ("failed", VideoError.PROVIDER_FAILED),
        ("cancelled", VideoError.PROVIDER_CANCELLED),
        ("expired", VideoError.PROVIDER_EXPIRED),
        ("something new", VideoError.PROVIDER_FAILED),
    ],
)
def test_a_job_that_the_provider_gave_up_has_failed(how: str, code: VideoError) -> None:
    ended = Ended(how=how, reason="too many foxes", cost_usd=CENT, generation_ids=("gen-1",))
    step = a_watch().after(ended, NOW)
    assert isinstance(step, NoFilm)
    assert (step.code, step.cost_usd, step.generation_ids) == (code, CENT, ("gen-1",))
    assert step.reason.endswith(": too many foxes")


def test_a_provider_that_gives_no_reason_is_quoted_without_one() -> None:
    step = a_watch().after(Ended(how="failed", reason=""), NOW)
    assert isinstance(step, NoFilm)
    assert step.reason == "The provider could not make the video."


def test_a_refused_key_is_no_jobs_fault() -> None:
    assert pauses(a_watch(), NO_CREDIT, 20) == [INTERVAL] * 20


# --- no answer --------------------------------------------------------------------------------


def test_a_provider_that_does_not_answer_is_asked_less_and_less_often() -> None:
    expected = [15, 30, 60, 120, 240, 300, 300]
    assert pauses(a_watch(), NO_REPLY, 7) == [seconds * SECOND for seconds in expected]


def test_it_is_asked_as_late_as_it_wishes_within_five_minutes() -> None:
    soon, later, much_later = (
        Unreachable(reason="busy", retry_after=seconds * SECOND) for seconds in (1, 90, 3600)
    )
    assert pauses(a_watch(), soon, 1) == [INTERVAL]
    assert pauses(a_watch(), later, 1) == [90 * SECOND]
    assert pauses(a_watch(), much_later, 1) == [LONGEST]


def test_an_answer_ends_the_backing_off() -> None:
    watch = a_watch()
    assert pauses(watch, NO_REPLY, 3)[-1] > INTERVAL
    watch.after(InProgress(), NOW)
    assert pauses(watch, NO_REPLY, 1) == [INTERVAL]


# --- a job that the provider does not know ----------------------------------------------------


def missing_at(watch: Watch, seconds: int) -> NoFilm | None:
    step = watch.after(Missing(), NOW + seconds * SECOND)
    return step if isinstance(step, NoFilm) else None


def test_a_job_is_lost_when_it_was_missing_three_times_over_two_minutes() -> None:
    watch = a_watch()
    assert missing_at(watch, 0) is None
    assert missing_at(watch, 60) is None
    lost = missing_at(watch, 120)
    assert lost is not None
    assert lost.code is VideoError.PROVIDER_LOST


def test_three_times_within_two_minutes_are_not_enough() -> None:
    watch = a_watch()
    assert [missing_at(watch, seconds) for seconds in (0, 40, 80, 119)] == [None] * 4
    assert missing_at(watch, 120) is not None


def test_twice_over_a_long_time_are_not_enough() -> None:
    watch = a_watch()
    assert [missing_at(watch, seconds) for seconds in (0, 3600)] == [None] * 2


@pytest.mark.parametrize("found", [InProgress(), NO_ADDRESS])
def test_a_provider_that_knows_the_job_after_all_begins_anew(found: PollOutcome) -> None:
    watch = a_watch()
    assert [missing_at(watch, seconds) for seconds in (0, 60)] == [None] * 2
    watch.after(found, NOW + 90 * SECOND)
    assert [missing_at(watch, seconds) for seconds in (120, 180)] == [None] * 2
    assert missing_at(watch, 240) is not None


def test_no_answer_says_nothing_about_the_job() -> None:
    watch = a_watch()
    assert [missing_at(watch, seconds) for seconds in (0, 60)] == [None] * 2
    watch.after(NO_REPLY, NOW + 90 * SECOND)
    assert missing_at(watch, 120) is not None


# --- finished, but where? ---------------------------------------------------------------------


def test_a_film_without_address_is_asked_for_three_more_times_then_fetched_by_route() -> None:
    watch = a_watch()
    assert pauses(watch, NO_ADDRESS, 3) == [INTERVAL] * 3
    assert watch.after(NO_ADDRESS, NOW) == Fetch(addresses=(None,), done=NO_ADDRESS)


def test_an_address_that_comes_late_is_used() -> None:
    watch = a_watch()
    pauses(watch, NO_ADDRESS, 2)
    assert watch.after(FILM, NOW) == Fetch(addresses=("film", "mirror"), done=FILM)


@pytest.mark.parametrize(
    ("is_missing", "code"), [(True, VideoError.NO_CONTENT), (False, VideoError.MEDIA_UNAVAILABLE)]
)
def test_the_fifth_download_that_fails_is_the_last(is_missing: bool, code: VideoError) -> None:
    watch = a_watch()
    steps = [watch.after_failed_download(NOW, is_missing=is_missing, done=FILM) for _ in range(5)]
    waits = [step.pause for step in steps if isinstance(step, Again)]
    assert waits == [seconds * SECOND for seconds in (15, 30, 60, 120)]
    assert isinstance(steps[-1], NoFilm)
    assert (steps[-1].code, steps[-1].cost_usd) == (code, CENT)


# --- the deadline -----------------------------------------------------------------------------


@pytest.mark.parametrize("outcome", [InProgress(), NO_REPLY, Missing(), NO_ADDRESS, NO_CREDIT])
def test_at_the_deadline_there_is_no_other_poll(outcome: PollOutcome) -> None:
    assert isinstance(a_watch().after(outcome, LATER - SECOND), Again)
    step = a_watch().after(outcome, LATER)
    assert isinstance(step, NoFilm)
    assert step.code is VideoError.DEADLINE


def test_a_film_that_is_ready_at_the_deadline_is_fetched_all_the_same() -> None:
    assert isinstance(a_watch().after(FILM, LATER), Fetch)


def test_an_end_that_the_provider_tells_at_the_deadline_is_that_end() -> None:
    step = a_watch().after(Ended(how="failed", reason="no"), LATER)
    assert isinstance(step, NoFilm)
    assert step.code is VideoError.PROVIDER_FAILED


def test_a_download_that_fails_at_the_deadline_is_the_last() -> None:
    step = a_watch().after_failed_download(LATER, is_missing=False, done=FILM)
    assert isinstance(step, NoFilm)
    assert step.code is VideoError.MEDIA_UNAVAILABLE


def test_trouble_of_our_own_is_waited_for_until_the_deadline() -> None:
    watch = a_watch()
    assert watch.after_accident(NOW) == Again(pause=INTERVAL)
    assert isinstance(watch.after_full_disk(NOW), Again)
    for step in (watch.after_accident(LATER), watch.after_full_disk(LATER)):
        assert isinstance(step, NoFilm)
        assert step.code is VideoError.DEADLINE


# --- whatever the provider says ---------------------------------------------------------------


@given(st.lists(st.tuples(polls(), durations(timedelta(minutes=20))), max_size=30))
def test_every_pause_is_short_and_nothing_outlives_the_deadline(
    answers: list[tuple[PollOutcome, timedelta]],
) -> None:
    watch, now = a_watch(), NOW
    for outcome, gap in answers:
        now += gap
        step = watch.after(outcome, now)
        if isinstance(step, Fetch):
            assert step.addresses
            step = watch.after_failed_download(now, is_missing=False, done=step.done)
        if not isinstance(step, Again):
            assert step.reason.strip()
            return
        assert INTERVAL <= step.pause <= LONGEST
        assert now < LATER
