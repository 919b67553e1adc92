"""Sessions: login, refresh, logout, and who it is that makes a request."""

from datetime import datetime

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.errors import InvalidCredentials, InvalidRequest, TokenRevoked
from aigen.domain.model.sessions import (
    Caller,
    Claims,
    RefreshToken,
    Replay,
    Session,
    SessionPolicy,
    TokenKind,
    Tokens,
    judge_replay,
)
from aigen.domain.model.users import User
from aigen.domain.services.guesses import Guesses
from aigen.ports.clock import Clock, Ids
from aigen.ports.security import EmailParser, PasswordHasher, TokenCodec
from aigen.ports.store import Records, Store


class Sessions:
    def __init__(
        self,
        store: Store,
        passwords: PasswordHasher,
        tokens: TokenCodec,
        emails: EmailParser,
        clock: Clock,
        ids: Ids,
        policy: SessionPolicy,
        guesses: Guesses,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._tokens = tokens
        self._emails = emails
        self._clock = clock
        self._ids = ids
        self._policy = policy
        self._guesses = guesses

    # --- login ----------------------------------------------------------------------------

    async def login(self, email: str, password: str, *, address: str | None = None) -> Tokens:
        """Begin a session. Raises InvalidCredentials, TooManyAttempts, Busy.

        An unknown account is answered like a wrong password, after the same work, and throttled
        alike, so that nobody learns who has one.
        """
        identity = self._identity(email)
        async with self._guesses.turn(identity, address):
            user = await self._store.read(lambda records: records.users.by_identity(identity))
            stored = None if user is None else user.password_hash
            is_right = await self._passwords.verify(password, stored)
            if user is None or not is_right:
                await self._note_failure(user, identity, address)
                raise InvalidCredentials
            return await self._begin(user, identity, address)

    def _identity(self, email: str) -> str:
        try:
            return self._emails.parse(email).identity
        except InvalidRequest:
            return email.strip().casefold()[:320]

    async def _note_failure(self, user: User | None, identity: str, address: str | None) -> None:
        target_id = None if user is None else user.id

        def change(records: Records) -> None:
            self._guesses.failed(records, identity, address)
            records.audit.append(self._entry(Action.LOGIN_FAILED, None, target_id, address))

        await self._store.write(change)

    async def _begin(self, checked: User, identity: str, address: str | None) -> Tokens:
        now = self._clock.now()
        session = Session(
            id=self._ids.new(),
            user_id=checked.id,
            current_jti=self._ids.new(),
            created_at=now,
            ends_at=now + self._policy.max_age,
        )
        token = self._successor(session, session.current_jti, now)

        def change(records: Records) -> None:
            user = records.users.get(checked.id)
            if user is None or user.password_hash != checked.password_hash:
                raise InvalidCredentials  # removed or changed while it was being checked
            records.users.put(user.logged_in(now))
            records.sessions.put(session)
            records.refresh_tokens.put(token)
            self._guesses.succeeded(records, identity)
            records.audit.append(self._entry(Action.LOGIN, user.id, user.id, address))

        await self._store.write(change)
        return self._issue(token, now)

    # --- refresh --------------------------------------------------------------------------

    async def refresh(
        self, refresh_token: str, *, key: str | None = None, address: str | None = None
    ) -> Tokens:
        """Trade a refresh token for new tokens; `key` lets the same client ask again.

        Raises TokenInvalid, TokenExpired (nothing happens) or TokenRevoked (see `judge_replay`).
        """
        claims = self._tokens.decode(refresh_token, TokenKind.REFRESH)
        now = self._clock.now()
        new_jti = self._ids.new()

        def change(records: Records) -> RefreshToken | None:
            session, token = _known(records, claims, now)
            if token.revoked_at is None:
                successor = self._successor(session, new_jti, now)
                records.refresh_tokens.put(token.rotated(by=new_jti, at=now, key=key))
                records.refresh_tokens.put(successor)
                records.sessions.put(session.rotated(new_jti))
                return successor
            successor_now = token.replaced_by and records.refresh_tokens.get(token.replaced_by)
            judged = judge_replay(
                token, successor_now or None, now=now, key=key, policy=self._policy
            )
            if judged is Replay.REPEAT:
                return successor_now or None
            if judged is Replay.REVOKE:
                _end(records, session, now)
                user_id = session.user_id
                records.audit.append(self._entry(Action.REFRESH_REUSED, None, user_id, address))
            return None

        token = await self._store.write(change)
        if token is None:
            raise TokenRevoked
        return self._issue(token, now)

    # --- logout ---------------------------------------------------------------------------

    async def logout(self, refresh_token: str, *, address: str | None = None) -> None:
        """End the session of a refresh token, even of an expired or used one; again is fine.

        Raises TokenInvalid.
        """
        claims = self._tokens.decode(refresh_token, TokenKind.REFRESH, may_be_expired=True)
        now = self._clock.now()

        def change(records: Records) -> None:
            session = records.sessions.get(claims.session_id)
            if session is None or session.ended_at or session.user_id != claims.user_id:
                return
            _end(records, session, now)
            user_id = session.user_id
            records.audit.append(self._entry(Action.LOGOUT, user_id, user_id, address))

        await self._store.write(change)

    # --- every request --------------------------------------------------------------------

    async def authenticate(self, access_token: str) -> Caller:
        """Who shows this access token: the stored user, as it is now, with a live session.

        Raises TokenInvalid, TokenExpired, TokenRevoked.
        """
        claims = self._tokens.decode(access_token, TokenKind.ACCESS)
        now = self._clock.now()

        def look(records: Records) -> Caller | None:
            session = records.sessions.get(claims.session_id)
            user = records.users.get(claims.user_id)
            if session is None or user is None or session.user_id != user.id:
                return None
            return Caller(user=user, session_id=session.id) if session.is_live(now) else None

        caller = await self._store.read(look)
        if caller is None:
            raise TokenRevoked
        return caller

    # --- tokens ---------------------------------------------------------------------------

    def _successor(self, session: Session, jti: str, now: datetime) -> RefreshToken:
        return RefreshToken(
            jti=jti,
            session_id=session.id,
            user_id=session.user_id,
            issued_at=now,
            expires_at=min(now + self._policy.refresh_ttl, session.ends_at),
        )

    def _issue(self, token: RefreshToken, now: datetime) -> Tokens:
        access = Claims(
            kind=TokenKind.ACCESS,
            user_id=token.user_id,
            session_id=token.session_id,
            jti=self._ids.new(),
            issued_at=now,
            expires_at=now + self._policy.access_ttl,
        )
        return Tokens(
            access_token=self._tokens.encode(access),
            refresh_token=self._tokens.encode(token.claims()),
            expires_in=self._policy.access_ttl,
            refresh_expires_in=token.expires_at - now,
        )

    def _entry(
        self, action: Action, actor_id: str | None, target_id: str | None, address: str | None
    ) -> AuditEntry:
        return AuditEntry(
            id=self._ids.new(),
            at=self._clock.now(),
            action=action,
            actor_id=actor_id,
            target_id=target_id,
            address=address,
        )


def end_sessions(records: Records, user_id: str, *, now: datetime, but: str | None = None) -> None:
    """Within a change: end all of a user's sessions, except perhaps the one that asks."""
    for session in records.sessions.live_of(user_id):
        if session.id != but:
            _end(records, session, now)


def _end(records: Records, session: Session, now: datetime) -> None:
    records.sessions.put(session.ended(now))
    token = records.refresh_tokens.get(session.current_jti)
    if token is not None:
        records.refresh_tokens.put(token.revoked(now))


def _known(records: Records, claims: Claims, now: datetime) -> tuple[Session, RefreshToken]:
    """The live session and stored token that a refresh token's claims speak of."""
    session = records.sessions.get(claims.session_id)
    token = records.refresh_tokens.get(claims.jti)
    if session is None or token is None or records.users.get(session.user_id) is None:
        raise TokenRevoked
    if not session.is_live(now) or token.session_id != session.id:
        raise TokenRevoked
    return session, token
