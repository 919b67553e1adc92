"""What every codec of tokens must do; the fixture `tokens` is one that goes by the fixture
`clock`, a ManualClock."""

from datetime import timedelta
from typing import Any

import pytest

from aigen.adapters.memory.clock import ManualClock
from aigen.domain.model.errors import TokenExpired, TokenInvalid
from aigen.domain.model.sessions import Claims, TokenKind
from aigen.ports.security import TokenCodec
from aigen.testing.samples import new_id

_TTL = timedelta(minutes=15)


def claims_at(clock: ManualClock, kind: TokenKind = TokenKind.ACCESS, **fields: Any) -> Claims:
    usual: dict[str, Any] = {name: new_id() for name in ("user_id", "session_id", "jti")}
    times = {"issued_at": clock.now(), "expires_at": clock.now() + _TTL}
    return Claims(kind=kind, **usual | times | fields)


@pytest.mark.parametrize("kind", TokenKind)
def test_what_is_encoded_is_decoded(
    tokens: TokenCodec, clock: ManualClock, kind: TokenKind
) -> None:
    claims = claims_at(clock, kind)
    token = tokens.encode(claims)
    assert tokens.decode(token, kind) == claims
    assert tokens.encode(claims) == token


def test_a_token_is_accepted_only_as_what_it_is(tokens: TokenCodec, clock: ManualClock) -> None:
    for kind, other in (tuple(TokenKind), tuple(reversed(TokenKind))):
        with pytest.raises(TokenInvalid):
            tokens.decode(tokens.encode(claims_at(clock, kind)), other)


def test_a_token_ends_at_its_time(tokens: TokenCodec, clock: ManualClock) -> None:
    claims = claims_at(clock)
    token = tokens.encode(claims)
    clock.set(claims.expires_at - timedelta(microseconds=1))
    assert tokens.decode(token, TokenKind.ACCESS) == claims
    clock.set(claims.expires_at)
    with pytest.raises(TokenExpired):
        tokens.decode(token, TokenKind.ACCESS)
    assert tokens.decode(token, TokenKind.ACCESS, may_be_expired=True) == claims


def test_what_was_changed_is_not_ours(tokens: TokenCodec, clock: ManualClock) -> None:
    mine, theirs = (tokens.encode(claims_at(clock)) for _ in range(2))
    half = len(mine) // 2
    for forged in ("", "x", mine[:-2], mine + "x", mine[1:], mine[:half] + theirs[half:]):
        for may_be_expired in (False, True):
            with pytest.raises(TokenInvalid):
                tokens.decode(forged, TokenKind.ACCESS, may_be_expired=may_be_expired)
