"""Sessions, their rotating refresh tokens, and what a replayed token means."""

from datetime import datetime, timedelta
from enum import Enum, StrEnum, auto

from attrs import evolve, frozen

from aigen.domain.model.users import User


class TokenKind(StrEnum):
    """What a token is for, as its `typ` header says; each is accepted only there."""

    ACCESS = "at+jwt"
    REFRESH = "rt+jwt"


@frozen(kw_only=True)
class Claims:
    """What a token says of itself."""

    kind: TokenKind
    user_id: str
    session_id: str
    jti: str
    issued_at: datetime
    expires_at: datetime


@frozen(kw_only=True)
class Tokens:
    """What a client holds after login or refresh."""

    access_token: str
    refresh_token: str
    expires_in: timedelta
    refresh_expires_in: timedelta


@frozen(kw_only=True)
class SessionPolicy:
    """How long things live, and how a replay within a moment is forgiven."""

    access_ttl: timedelta = timedelta(minutes=15)
    refresh_ttl: timedelta = timedelta(days=14)
    max_age: timedelta = timedelta(days=90)
    reuse_window: timedelta = timedelta(seconds=10)
    retry_window: timedelta = timedelta(seconds=30)


@frozen(kw_only=True)
class Session:
    """One login on one device; it lives until logged out, revoked, idle or too old."""

    id: str
    user_id: str
    current_jti: str
    created_at: datetime
    ends_at: datetime
    ended_at: datetime | None = None

    def is_live(self, now: datetime) -> bool:
        return self.ended_at is None and now < self.ends_at

    def rotated(self, jti: str) -> "Session":
        return evolve(self, current_jti=jti)

    def ended(self, at: datetime) -> "Session":
        return evolve(self, ended_at=at)


@frozen(kw_only=True)
class RefreshToken:
    """One refresh token ever issued; kept, once rotated, until it would have expired."""

    jti: str
    session_id: str
    user_id: str
    issued_at: datetime
    expires_at: datetime
    revoked_at: datetime | None = None
    replaced_by: str | None = None
    rotation_key: str | None = None

    def claims(self) -> Claims:
        return Claims(
            kind=TokenKind.REFRESH,
            user_id=self.user_id,
            session_id=self.session_id,
            jti=self.jti,
            issued_at=self.issued_at,
            expires_at=self.expires_at,
        )

    def rotated(self, *, by: str, at: datetime, key: str | None) -> "RefreshToken":
        return evolve(self, revoked_at=at, replaced_by=by, rotation_key=key)

    def revoked(self, at: datetime) -> "RefreshToken":
        return self if self.revoked_at else evolve(self, revoked_at=at)


class Replay(Enum):
    """What to do about a refresh token that was already used."""

    REPEAT = auto()  # the same client asks again: give it the same successor
    REFUSE = auto()  # most likely two tabs at once: say no, nothing else
    REVOKE = auto()  # most likely a thief or a victim: end the session


def judge_replay(
    token: RefreshToken,
    successor: RefreshToken | None,
    *,
    now: datetime,
    key: str | None,
    policy: SessionPolicy,
) -> Replay:
    """Judge a used `token` that is shown again with the idempotency `key` of the request.

    `successor` is the token that replaced it, None if it was revoked without one.
    """
    if token.revoked_at is None or successor is None:
        return Replay.REFUSE
    age = now - token.revoked_at
    is_same_client = key is not None and key == token.rotation_key
    if is_same_client and successor.revoked_at is None and age <= policy.retry_window:
        return Replay.REPEAT
    # A window of zero forgives nothing, not even a replay in the same microsecond.
    if policy.reuse_window and age <= policy.reuse_window:
        return Replay.REFUSE
    return Replay.REVOKE


@frozen(kw_only=True)
class Caller:
    """Who makes a request: a stored user with a live session."""

    user: User
    session_id: str
