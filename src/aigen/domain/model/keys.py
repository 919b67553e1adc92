"""Personal keys: what a program shows instead of logging in."""

import hashlib
from datetime import datetime
from decimal import Decimal

from attrs import evolve, frozen

#: What every key begins with, so that one that leaks is known for what it is.
BEGINNING = "aigen_"

LONGEST_NAME = 100
MOST_PER_USER = 50
_SHOWN = len(BEGINNING) + 6


@frozen(kw_only=True)
class ApiKey:
    """A key of a user; of its text only the digest and the first letters are kept. `usd_month`
    caps what it may spend in a UTC month, None does not."""

    id: str
    user_id: str
    name: str
    prefix: str
    digest: str
    created_at: datetime
    expires_at: datetime | None = None
    usd_month: Decimal | None = None
    last_used_at: datetime | None = None

    def has_expired(self, now: datetime) -> bool:
        return self.expires_at is not None and self.expires_at <= now

    def used(self, now: datetime) -> "ApiKey":
        return evolve(self, last_used_at=now)


def is_key(token: str) -> bool:
    """Whether a token claims to be a key; whether it is one, the store knows."""
    return token.startswith(BEGINNING)


def digest_of(text: str) -> str:
    """Under which a key is found. It has 256 random bits, so a fast hash hides it well enough."""
    return hashlib.sha256(text.encode(errors="replace")).hexdigest()


def prefix_of(text: str) -> str:
    """What its owner knows it by."""
    return text[:_SHOWN]
