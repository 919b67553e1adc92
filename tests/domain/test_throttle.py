"""Failed logins: ten are free, then the wait doubles; nobody is locked out for good."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.throttle import LONGEST_WAIT, WINDOW, FailedLogins
from aigen.testing.samples import NOW
from tests.strategies import durations

LIMIT = 10
TICK = timedelta(microseconds=1)


def nobody(now: datetime = NOW) -> FailedLogins:
    return FailedLogins(subject="account:ann", count=0, since=now)


def failed_times(times: int) -> tuple[FailedLogins, datetime]:
    """So many failures, each as soon as it was allowed; and the instant of the last."""
    failed, now = nobody(), NOW
    for _ in range(times):
        now += failed.wait(now)
        failed = failed.failed(limit=LIMIT, now=now)
    return failed, now


@pytest.mark.parametrize("times", range(LIMIT))
def test_the_first_failures_cost_no_wait(times: int) -> None:
    failed, now = failed_times(times)
    assert failed.wait(now) == timedelta(0)


@pytest.mark.parametrize(
    ("times", "seconds"),
    [(10, 1), (11, 2), (12, 4), (15, 32), (19, 512), (20, 900), (21, 900), (200, 900)],
)
def test_from_the_tenth_failure_on_the_wait_doubles_to_fifteen_minutes(
    times: int, seconds: int
) -> None:
    failed, now = failed_times(times)
    assert failed.wait(now) == timedelta(seconds=seconds)


def test_a_wait_passes() -> None:
    failed, now = failed_times(12)
    assert failed.wait(now + timedelta(seconds=3)) == timedelta(seconds=1)
    assert failed.wait(now + timedelta(seconds=4)) == timedelta(0)


def test_failures_are_forgotten_after_a_quarter_of_an_hour() -> None:
    failed, _ = failed_times(LIMIT - 1)
    assert not failed.is_forgotten(NOW + WINDOW - TICK)
    assert failed.is_forgotten(NOW + WINDOW)
    again = failed.failed(limit=LIMIT, now=NOW + WINDOW)
    assert (again.count, again.since, again.blocked_until) == (1, NOW + WINDOW, None)


def test_what_has_waited_is_forgotten_a_quarter_of_an_hour_after_the_wait() -> None:
    failed, now = failed_times(20)
    free_at = now + LONGEST_WAIT
    assert not failed.is_forgotten(free_at + WINDOW - TICK)
    assert failed.is_forgotten(free_at + WINDOW)


def test_a_limit_of_one_makes_every_failure_wait() -> None:
    assert nobody().failed(limit=1, now=NOW).wait(NOW) == timedelta(seconds=1)


@given(limit=st.integers(1, 200), gaps=st.lists(durations(timedelta(hours=1)), max_size=60))
def test_no_wait_is_ever_longer_than_fifteen_minutes_and_all_pass(
    limit: int, gaps: list[timedelta]
) -> None:
    failed, now = nobody(), NOW
    for gap in gaps:
        now += gap
        failed = failed.failed(limit=limit, now=now)
        assert failed.wait(now) <= LONGEST_WAIT
        assert failed.wait(now + LONGEST_WAIT) == timedelta(0)
        assert bool(failed.wait(now)) is (failed.count >= limit)


@given(limit=st.integers(1, 200), times=st.integers(0, 400))
def test_no_more_than_the_limit_gets_through_in_an_instant(limit: int, times: int) -> None:
    failed, taken = nobody(), 0
    for _ in range(times):
        if failed.wait(NOW):
            break
        failed, taken = failed.failed(limit=limit, now=NOW), taken + 1
    assert taken == min(limit, times)
