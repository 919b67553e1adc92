"""Passwords, tokens and e-mail addresses."""

from typing import Protocol

from aigen.domain.model.sessions import Claims, TokenKind
from aigen.domain.model.users import EmailAddress


class PasswordHasher(Protocol):
    async def hash(self, password: str) -> str:
        """A salted, slow, peppered hash under a scheme tag.

        Raises Busy when too many wait for it: it costs a tenth of a second of CPU.
        """
        ...

    async def verify(self, password: str, password_hash: str | None) -> bool:
        """Whether the whole password is the hashed one.

        With None, a user who does not exist, it answers False and takes as long. Raises Busy.
        """
        ...


class TokenCodec(Protocol):
    def encode(self, claims: Claims) -> str:
        """The claims, signed; the same claims give the same text."""
        ...

    def decode(self, token: str, kind: TokenKind, *, may_be_expired: bool = False) -> Claims:
        """The claims of a token of this kind that we signed.

        Raises TokenInvalid (form, signature, kind, claims) or TokenExpired.
        """
        ...


class EmailParser(Protocol):
    def parse(self, text: str) -> EmailAddress:
        """The address, and the identity that it shares with its other spellings: NFC,
        case-folded, the domain in IDNA. Nothing is looked up.

        Raises InvalidRequest with `field` "email".
        """
        ...
