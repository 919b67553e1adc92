"""Tokens as JWTs, HS256, with keys that can be rotated."""

import hashlib
from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import Any

import jwt

from aigen.domain.model.errors import TokenExpired, TokenInvalid
from aigen.domain.model.sessions import Claims, TokenKind
from aigen.ports.clock import Clock
from aigen.ports.security import TokenCodec

_ALGORITHM = "HS256"
_ISSUER = _AUDIENCE = "aigen"
_LEEWAY = timedelta(seconds=5)
_REMEMBERED = 4096

#: PyJWT checks form and signature; time is checked here, by our clock and to the microsecond.
_OPTIONS: Any = {
    "require": ["iss", "aud", "sub", "sid", "jti", "iat", "exp"],
    "verify_exp": False,
    "verify_iat": False,
    "verify_nbf": False,
}


class JwtTokens(TokenCodec):
    """The first key signs, all verify; the header's `kid` says which one it was."""

    def __init__(self, keys: Sequence[str], clock: Clock) -> None:
        self._clock = clock
        self._keys = {_name_of(key): key.encode() for key in keys}
        self._signer = _name_of(keys[0])
        # A client shows the same token again and again; its signature need not be computed anew,
        # only the time has to be looked at. What raises is not remembered.
        self._verified = lru_cache(_REMEMBERED)(self._verify)

    def encode(self, claims: Claims) -> str:
        return jwt.encode(
            {
                "iss": _ISSUER,
                "aud": _AUDIENCE,
                "sub": claims.user_id,
                "sid": claims.session_id,
                "jti": claims.jti,
                "iat": _number(claims.issued_at),
                "exp": _number(claims.expires_at),
            },
            self._keys[self._signer],
            algorithm=_ALGORITHM,
            headers={"typ": claims.kind.value, "kid": self._signer},
        )

    def decode(self, token: str, kind: TokenKind, *, may_be_expired: bool = False) -> Claims:
        claims = self._verified(token, kind)
        now = self._clock.now()
        if claims.issued_at > now + _LEEWAY:
            raise TokenInvalid
        if claims.expires_at <= now and not may_be_expired:
            raise TokenExpired
        return claims

    def _verify(self, token: str, kind: TokenKind) -> Claims:
        try:
            header = jwt.get_unverified_header(token)
            key = self._keys.get(str(header.get("kid")))
            if key is None or header.get("typ") != kind.value:
                raise TokenInvalid
            said = jwt.decode(
                token,
                key,
                algorithms=[_ALGORITHM],
                audience=_AUDIENCE,
                issuer=_ISSUER,
                options=_OPTIONS,
            )
            return Claims(
                kind=kind,
                user_id=said["sub"],
                session_id=_text(said["sid"]),
                jti=said["jti"],
                issued_at=_instant(said["iat"]),
                expires_at=_instant(said["exp"]),
            )
        except (jwt.InvalidTokenError, ValueError, TypeError, OverflowError) as error:
            raise TokenInvalid from error


def _name_of(key: str) -> str:
    """A name for a key that does not give it away."""
    return hashlib.sha256(b"kid:" + key.encode()).hexdigest()[:16]


def _number(instant: datetime) -> float | int:
    """Seconds since 1970, whole where they are whole."""
    seconds = instant.timestamp()
    return int(seconds) if seconds.is_integer() else seconds


def _instant(number: object) -> datetime:
    if isinstance(number, bool) or not isinstance(number, int | float):
        raise TypeError
    return datetime.fromtimestamp(number, UTC)


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise TypeError
    return value
