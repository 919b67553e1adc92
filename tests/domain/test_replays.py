"""A refresh token that is shown again: the same client, two tabs, or a thief."""

from datetime import timedelta

import pytest
from attrs import evolve
from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.sessions import (
    RefreshToken,
    Replay,
    Session,
    SessionPolicy,
    judge_replay,
)
from aigen.testing.samples import LATER, NOW, a_refresh_token, a_session, a_user, new_id
from tests.strategies import durations

POLICY = SessionPolicy()
STRICT = SessionPolicy(reuse_window=timedelta(0))
SESSION = a_session(a_user())
SUCCESSOR = a_refresh_token(SESSION, jti=new_id())
USED_SUCCESSOR = SUCCESSOR.rotated(by=new_id(), at=NOW, key=None)
TOKEN = a_refresh_token(SESSION)
USED = TOKEN.rotated(by=SUCCESSOR.jti, at=NOW, key="tab 1")

SAME, OTHER, NONE = "tab 1", "tab 2", None
SECOND = timedelta(seconds=1)
TICK = timedelta(microseconds=1)


@pytest.mark.parametrize(
    ("key", "age", "successor", "verdict"),
    [
        # the same key within 30 s and the successor unused: the same successor
        (SAME, 0 * SECOND, SUCCESSOR, Replay.REPEAT),
        (SAME, 10 * SECOND, SUCCESSOR, Replay.REPEAT),
        (SAME, 30 * SECOND, SUCCESSOR, Replay.REPEAT),
        # the window is over
        (SAME, 30 * SECOND + TICK, SUCCESSOR, Replay.REVOKE),
        # the successor was used: forgiven within 10 s, else somebody has two of them
        (SAME, 0 * SECOND, USED_SUCCESSOR, Replay.REFUSE),
        (SAME, 10 * SECOND, USED_SUCCESSOR, Replay.REFUSE),
        (SAME, 10 * SECOND + TICK, USED_SUCCESSOR, Replay.REVOKE),
        (SAME, 30 * SECOND, USED_SUCCESSOR, Replay.REVOKE),
        # another client, or one that cannot be told
        (OTHER, 0 * SECOND, SUCCESSOR, Replay.REFUSE),
        (OTHER, 10 * SECOND, SUCCESSOR, Replay.REFUSE),
        (OTHER, 10 * SECOND + TICK, SUCCESSOR, Replay.REVOKE),
        (OTHER, 3600 * SECOND, USED_SUCCESSOR, Replay.REVOKE),
        (NONE, 0 * SECOND, SUCCESSOR, Replay.REFUSE),
        (NONE, 10 * SECOND, USED_SUCCESSOR, Replay.REFUSE),
        (NONE, 10 * SECOND + TICK, SUCCESSOR, Replay.REVOKE),
    ],
)
def test_a_replay_is_judged_by_key_age_and_successor(
    key: str | None, age: timedelta, successor: RefreshToken, verdict: Replay
) -> None:
    assert judge_replay(USED, successor, now=NOW + age, key=key, policy=POLICY) is verdict


@pytest.mark.parametrize("key", [OTHER, NONE])
def test_a_window_of_zero_forgives_not_even_a_replay_at_once(key: str | None) -> None:
    assert judge_replay(USED, SUCCESSOR, now=NOW, key=key, policy=STRICT) is Replay.REVOKE


def test_a_window_of_zero_still_lets_the_same_client_ask_again() -> None:
    assert judge_replay(USED, SUCCESSOR, now=NOW, key=SAME, policy=STRICT) is Replay.REPEAT


def test_who_rotated_without_a_key_is_never_taken_for_the_same_client() -> None:
    anonymous = evolve(USED, rotation_key=None)
    assert judge_replay(anonymous, SUCCESSOR, now=NOW, key=None, policy=POLICY) is Replay.REFUSE


def test_what_was_revoked_without_a_successor_is_only_refused() -> None:
    revoked = TOKEN.revoked(NOW)
    later = NOW + timedelta(days=1)
    assert judge_replay(revoked, None, now=later, key=SAME, policy=POLICY) is Replay.REFUSE


@given(
    key=st.sampled_from([SAME, OTHER, NONE]),
    age=durations(timedelta(minutes=2)),
    is_used=st.booleans(),
    reuse=durations(timedelta(minutes=1)),
    retry=durations(timedelta(minutes=1)),
)
def test_nobody_but_the_same_client_is_ever_given_a_token(
    key: str | None, age: timedelta, is_used: bool, reuse: timedelta, retry: timedelta
) -> None:
    successor = USED_SUCCESSOR if is_used else SUCCESSOR
    policy = SessionPolicy(reuse_window=reuse, retry_window=retry)
    verdict = judge_replay(USED, successor, now=NOW + age, key=key, policy=policy)
    assert (verdict is Replay.REPEAT) is (key == SAME and not is_used and age <= retry)
    if verdict is Replay.REFUSE:
        assert age <= reuse != timedelta(0)


# --- the values -------------------------------------------------------------------------------


def test_a_session_lives_until_it_is_ended_or_its_time_is_over() -> None:
    session: Session = a_session(a_user())
    assert session.is_live(LATER - TICK)
    assert not session.is_live(LATER)
    assert not session.ended(NOW).is_live(NOW)


def test_a_rotated_token_remembers_its_successor_and_who_asked() -> None:
    assert (USED.revoked_at, USED.replaced_by, USED.rotation_key) == (NOW, SUCCESSOR.jti, SAME)
    assert SESSION.rotated(SUCCESSOR.jti).current_jti == SUCCESSOR.jti


def test_revoking_again_keeps_the_first_instant() -> None:
    assert TOKEN.revoked(NOW).revoked(LATER).revoked_at == NOW


def test_the_same_token_always_makes_the_same_claims() -> None:
    assert TOKEN.claims() == TOKEN.revoked(LATER).claims()
