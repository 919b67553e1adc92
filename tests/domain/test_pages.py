"""Lists cut into pages, and the instants from which spending counts."""

from datetime import UTC, datetime

from hypothesis import given

from aigen.domain.model.pages import Page, PageRequest
from aigen.domain.model.statistics import SpendSince
from tests.strategies import instants


def test_a_page_that_nobody_described_is_the_newest_twenty() -> None:
    assert PageRequest() == PageRequest(limit=20, before=None)


def test_the_last_page_leads_nowhere() -> None:
    assert Page(items=(1, 2)).next_before is None


def test_days_and_months_begin_at_midnight_utc() -> None:
    since = SpendSince.of(datetime(2026, 3, 15, 23, 59, 59, 999_999, tzinfo=UTC))
    assert since.day == datetime(2026, 3, 15, tzinfo=UTC)
    assert since.month == datetime(2026, 3, 1, tzinfo=UTC)


@given(instants())
def test_spending_of_the_day_is_spending_of_the_month(now: datetime) -> None:
    since = SpendSince.of(now)
    assert since.month <= since.day <= now
    assert (since.day.year, since.day.month, since.day.day) == (now.year, now.month, now.day)
    assert SpendSince.of(since.day).day == since.day
