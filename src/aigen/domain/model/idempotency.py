"""Requests that may be repeated without being done twice."""

from datetime import datetime, timedelta
from enum import StrEnum, auto

from attrs import evolve, frozen

from aigen.domain.model.errors import IdempotencyConflict

KEPT_FOR = timedelta(hours=24)


@frozen(kw_only=True)
class IdempotencyKey:
    """What a client sent as `Idempotency-Key`, with the digest of the request it came with."""

    key: str
    fingerprint: str


class Attempt(StrEnum):
    """How far the first request with a key has got."""

    RUNNING = auto()
    DONE = auto()
    UNKNOWN = auto()  # the provider may have been paid, and nobody knows


@frozen(kw_only=True)
class RememberedRequest:
    """The first request with a key: its object, and how far it got.

    A RUNNING one whose `gives_up_at` has passed was cut off by a crash; what it bought nobody
    knows. `is_deferred` says that it was answered with 202 rather than with its result.
    """

    user_id: str
    key: str
    fingerprint: str
    object_id: str
    created_at: datetime
    attempt: Attempt = Attempt.RUNNING
    gives_up_at: datetime
    is_deferred: bool = False

    def matches(self, key: IdempotencyKey) -> None:
        """Raise IdempotencyConflict unless the repeated request is the same."""
        if key.fingerprint != self.fingerprint:
            raise IdempotencyConflict

    def attempt_at(self, now: datetime) -> Attempt:
        if self.attempt is Attempt.RUNNING and now >= self.gives_up_at:
            return Attempt.UNKNOWN
        return self.attempt

    def ended(self, attempt: Attempt) -> "RememberedRequest":
        return evolve(self, attempt=attempt)
