"""Passwords and tokens without cryptography: readable in a failing test, worthless elsewhere."""

import json
import unicodedata
from itertools import count

from aigen.domain.model.errors import InvalidRequest, TokenExpired, TokenInvalid
from aigen.domain.model.sessions import Claims, TokenKind
from aigen.domain.model.users import EmailAddress
from aigen.ports.clock import Clock
from aigen.ports.security import EmailParser, PasswordHasher, TokenCodec


class PlainPasswords(PasswordHasher):
    def __init__(self) -> None:
        self._salts = count(1)

    async def hash(self, password: str) -> str:
        return f"plain:{next(self._salts)}:{password}"

    async def verify(self, password: str, password_hash: str | None) -> bool:
        scheme, _, salted = (password_hash or "").partition(":")
        _, has_salt, stored = salted.partition(":")
        return scheme == "plain" and bool(has_salt) and stored == password


class PlainTokens(TokenCodec):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._claims: dict[str, Claims] = {}

    def encode(self, claims: Claims) -> str:
        token = json.dumps(
            [
                claims.kind.value,
                claims.user_id,
                claims.session_id,
                claims.jti,
                claims.issued_at.isoformat(),
                claims.expires_at.isoformat(),
            ]
        )
        self._claims[token] = claims
        return token

    def decode(self, token: str, kind: TokenKind, *, may_be_expired: bool = False) -> Claims:
        claims = self._claims.get(token)
        if claims is None or claims.kind is not kind:
            raise TokenInvalid
        if claims.expires_at <= self._clock.now() and not may_be_expired:
            raise TokenExpired
        return claims


class PlainEmails(EmailParser):
    def parse(self, text: str) -> EmailAddress:
        local, at, domain = text.strip().rpartition("@")
        if not (local and at and domain):
            raise InvalidRequest("This is not an e-mail address.", field="email")
        name = unicodedata.normalize("NFC", local.casefold())
        host = domain.lower().encode("idna").decode()
        return EmailAddress(typed=text.strip(), identity=f"{name}@{host}")
