"""The first request with a key: what a repeat of it finds."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.errors import IdempotencyConflict
from aigen.domain.model.idempotency import KEPT_FOR, Attempt, IdempotencyKey
from aigen.testing.samples import LATER, NOW, a_remembered_request, a_user
from tests.strategies import instants

FIRST = a_remembered_request(a_user(), key="k", fingerprint="f", gives_up_at=LATER)


def test_keys_are_kept_for_a_day() -> None:
    assert timedelta(hours=24) == KEPT_FOR


def test_the_same_request_matches_and_another_one_does_not() -> None:
    FIRST.matches(IdempotencyKey(key="k", fingerprint="f"))
    with pytest.raises(IdempotencyConflict):
        FIRST.matches(IdempotencyKey(key="k", fingerprint="another"))


def test_a_request_that_takes_too_long_was_cut_off_and_nobody_knows() -> None:
    assert FIRST.attempt_at(NOW) is Attempt.RUNNING
    assert FIRST.attempt_at(LATER - timedelta(microseconds=1)) is Attempt.RUNNING
    assert FIRST.attempt_at(LATER) is Attempt.UNKNOWN


@given(st.sampled_from([Attempt.DONE, Attempt.UNKNOWN]), instants())
def test_what_has_ended_stays_ended_for_ever(attempt: Attempt, now: datetime) -> None:
    assert FIRST.ended(attempt).attempt_at(now) is attempt
