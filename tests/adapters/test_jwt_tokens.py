"""Tokens as JWTs: what is signed comes back, everything else is refused."""

import base64
import json
from datetime import UTC, datetime, timedelta
from typing import Any

import jwt
import pytest
from hypothesis import given
from hypothesis import strategies as st

from aigen.adapters.jwt_tokens import JwtTokens
from aigen.adapters.memory.clock import ManualClock
from aigen.domain.model.errors import TokenExpired, TokenInvalid
from aigen.domain.model.sessions import Claims, TokenKind
from aigen.testing.samples import NOW, new_id

KEY = "0123456789abcdefghijklmnopqrstuvwxyz"
OLD_KEY = "zyxwvutsrqponmlkjihgfedcba9876543210"
INSTANTS = st.datetimes(
    datetime(2020, 1, 1),
    datetime(2100, 1, 1),
    timezones=st.just(UTC),
)


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock(NOW)


@pytest.fixture
def tokens(clock: ManualClock) -> JwtTokens:
    return JwtTokens([KEY], clock)


def claims(kind: TokenKind = TokenKind.ACCESS, **fields: Any) -> Claims:
    defaults: dict[str, Any] = {
        "kind": kind,
        "user_id": new_id(),
        "session_id": new_id(),
        "jti": new_id(),
        "issued_at": NOW,
        "expires_at": NOW + timedelta(minutes=15),
    }
    return Claims(**defaults | fields)


@given(INSTANTS, st.timedeltas(timedelta(microseconds=1), timedelta(days=90)))
def test_what_is_encoded_is_decoded_to_the_microsecond(now: datetime, ttl: timedelta) -> None:
    tokens = JwtTokens([KEY], ManualClock(now))
    said = claims(issued_at=now, expires_at=now + ttl)
    assert tokens.decode(tokens.encode(said), TokenKind.ACCESS) == said
    assert tokens.encode(said) == tokens.encode(said)


def test_the_claims_are_those_that_are_promised(tokens: JwtTokens) -> None:
    said = claims()
    token = tokens.encode(said)
    assert jwt.get_unverified_header(token)["typ"] == "at+jwt"
    found = jwt.decode(token, KEY, ["HS256"], audience="aigen", options={"verify_exp": False})
    assert found["sub"] == said.user_id
    assert found["sid"] == said.session_id
    assert found["exp"] - found["iat"] == 900


def test_each_kind_is_accepted_only_where_it_belongs(tokens: JwtTokens) -> None:
    for kind, other in (
        (TokenKind.ACCESS, TokenKind.REFRESH),
        (TokenKind.REFRESH, TokenKind.ACCESS),
    ):
        with pytest.raises(TokenInvalid):
            tokens.decode(tokens.encode(claims(kind)), other)


def test_expiry_is_exact(tokens: JwtTokens, clock: ManualClock) -> None:
    said = claims()
    token = tokens.encode(said)
    clock.set(said.expires_at - timedelta(microseconds=1))
    assert tokens.decode(token, TokenKind.ACCESS) == said
    clock.set(said.expires_at)
    with pytest.raises(TokenExpired):
        tokens.decode(token, TokenKind.ACCESS)
    assert tokens.decode(token, TokenKind.ACCESS, may_be_expired=True) == said


def test_a_token_from_the_future_is_refused_beyond_five_seconds(
    tokens: JwtTokens, clock: ManualClock
) -> None:
    token = tokens.encode(claims())
    clock.set(NOW - timedelta(seconds=5))
    tokens.decode(token, TokenKind.ACCESS)
    clock.set(NOW - timedelta(seconds=5, microseconds=1))
    with pytest.raises(TokenInvalid):
        tokens.decode(token, TokenKind.ACCESS)


def test_keys_are_rotated(clock: ManualClock) -> None:
    before, during, after = (JwtTokens(k, clock) for k in ([OLD_KEY], [KEY, OLD_KEY], [KEY]))
    said = claims()
    assert during.decode(before.encode(said), TokenKind.ACCESS) == said
    assert after.decode(during.encode(said), TokenKind.ACCESS) == said
    with pytest.raises(TokenInvalid):
        after.decode(before.encode(said), TokenKind.ACCESS)


def forged(token: str, header: dict[str, Any] | None = None, **changes: Any) -> str:
    """The token with another header or other claims, under its old signature."""

    def read(part: str) -> dict[str, Any]:
        read: dict[str, Any] = json.loads(base64.urlsafe_b64decode(part + "=="))
        return read

    def write(part: dict[str, Any]) -> str:
        return base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=")

    head, body, signature = token.split(".")
    new_head = write(read(head) | (header or {}))
    return f"{new_head}.{write(read(body) | changes)}.{signature}"


@pytest.mark.filterwarnings("ignore::jwt.warnings.InsecureKeyLengthWarning")  # the forger's
def test_forgeries_are_refused(tokens: JwtTokens) -> None:
    token = tokens.encode(claims())
    kid = jwt.get_unverified_header(token)["kid"]
    body = jwt.decode(token, KEY, ["HS256"], audience="aigen", options={"verify_exp": False})
    headers = {"typ": "at+jwt", "kid": kid}

    def signed(key: str = KEY, **changes: Any) -> str:
        kept = {name: value for name, value in (body | changes).items() if value is not None}
        return jwt.encode(kept, key, "HS256", headers=headers)

    tokens.decode(signed(), TokenKind.ACCESS)
    attempts = [
        "",
        "a.b.c",
        "\ud800",
        token[:-2],
        forged(token, {"alg": "none"}),
        forged(token, {"kid": "another"}),
        forged(token, {"kid": None}),
        forged(token, sub=new_id()),
        jwt.encode(body, "", "none", headers=headers),
        jwt.encode(body, KEY, "HS512", headers=headers),
        signed(OLD_KEY),
        signed(iss="somebody"),
        signed(aud="somebody"),
        signed(exp=None),
        signed(sid=None),
        signed(sid=5),
        signed(exp="never"),
        signed(exp=True),
        signed(exp=1e300),
        signed(iat=float("nan")),
    ]
    for attempt in attempts:
        with pytest.raises(TokenInvalid):
            tokens.decode(attempt, TokenKind.ACCESS)
