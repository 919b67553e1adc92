"""Hypothesis strategies for the values of the domain."""

from datetime import UTC, datetime, timedelta
from decimal import Decimal

from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy

from aigen.ports.provider import (
    Accepted,
    Done,
    Ended,
    InProgress,
    Misconfigured,
    Missing,
    NotSent,
    PollOutcome,
    Refused,
    SubmitOutcome,
    Unknown,
    Unreachable,
)
from tests.domain import jobs
from tests.domain.jobs import Change

CHANGES: tuple[Change, ...] = (
    jobs.claim,
    jobs.accept,
    jobs.requeue,
    jobs.refuse,
    jobs.lose,
    jobs.cancel,
    jobs.complete,
    jobs.fail,
    jobs.time_out,
    jobs.adopt,
    jobs.settle_as_charged,
    jobs.settle_as_free,
)


def histories() -> SearchStrategy[list[Change]]:
    """What may be tried on a job, one after the other, sensible or not."""
    return st.lists(st.sampled_from(CHANGES), max_size=12)


def instants() -> SearchStrategy[datetime]:
    return st.datetimes(
        min_value=datetime(2020, 1, 1), max_value=datetime(2040, 1, 1), timezones=st.just(UTC)
    )


def durations(longest: timedelta) -> SearchStrategy[timedelta]:
    return st.timedeltas(min_value=timedelta(0), max_value=longest)


def costs() -> SearchStrategy[Decimal | None]:
    """In dollars, as providers report them, or not at all."""
    return st.none() | st.decimals(min_value=0, max_value=100, places=10)


def storable_text(**sizes: int) -> SearchStrategy[str]:
    """Text that every database takes: no NUL, no half surrogate pair."""
    return st.text(st.characters(exclude_categories=["Cs"], exclude_characters="\0"), **sizes)


def polls() -> SearchStrategy[PollOutcome]:
    pauses = st.none() | durations(timedelta(hours=1))
    return st.one_of(
        st.just(InProgress()),
        st.builds(Done, addresses=st.sampled_from([(), ("film",)]), cost_usd=costs()),
        st.builds(
            Ended,
            how=st.sampled_from(["failed", "cancelled", "expired", "exploded"]),
            reason=st.sampled_from(["", "too many foxes"]),
            cost_usd=costs(),
        ),
        st.just(Missing()),
        st.builds(Unreachable, reason=st.just("cut off"), retry_after=pauses),
        st.just(Misconfigured(reason="no credit")),
    )


def submits() -> SearchStrategy[SubmitOutcome | None]:
    """What a provider answers to a submission; None is what it usually does, taking it."""
    pauses = st.none() | durations(timedelta(minutes=2))
    return st.one_of(
        st.none(),
        st.just(Refused(reason="no foxes")),
        st.builds(NotSent, reason=st.just("busy"), retry_after=pauses),
        st.just(Misconfigured(reason="no credit")),
        st.just(Unknown(reason="cut off")),
        st.just(Accepted(provider_job_id="the same for many")),
    )
