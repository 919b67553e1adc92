"""Personal keys: made, listed, revoked, and recognised."""

from datetime import datetime, timedelta
from decimal import Decimal

from attrs import frozen

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.errors import InvalidRequest, NotFound, TokenInvalid, TokenRevoked
from aigen.domain.model.keys import (
    BEGINNING,
    LONGEST_NAME,
    MOST_PER_USER,
    ApiKey,
    digest_of,
    prefix_of,
)
from aigen.domain.model.ledger import check_limit
from aigen.domain.model.limits import check_text, in_utc
from aigen.domain.model.users import User
from aigen.domain.services.background import Background
from aigen.ports.clock import Clock, Ids
from aigen.ports.store import Records, Store

#: How exact "last used" is: a write for each request would cost more than the news is worth.
_USE_NOTED_EVERY = timedelta(minutes=5)


@frozen(kw_only=True)
class NewKey:
    """A key and its text, which is known only now."""

    key: ApiKey
    text: str


class Keys:
    def __init__(self, store: Store, background: Background, clock: Clock, ids: Ids) -> None:
        self._store = store
        self._background = background
        self._clock = clock
        self._ids = ids

    async def make(
        self,
        user_id: str,
        name: str,
        *,
        expires_at: datetime | None = None,
        usd_month: Decimal | None = None,
        address: str | None = None,
    ) -> NewKey:
        """A new key of the user. Raises InvalidRequest (name, expiry, cap, too many), NotFound."""
        check_text("name", name, longest=LONGEST_NAME)
        check_limit("usd_month", usd_month)
        now = self._clock.now()
        expires_at = None if expires_at is None else in_utc("expires_at", expires_at)
        if expires_at is not None and expires_at <= now:
            raise InvalidRequest("A key must end in the future.", field="expires_at")
        text = BEGINNING + self._ids.secret()
        key = ApiKey(
            id=self._ids.new(),
            user_id=user_id,
            name=name.strip(),
            prefix=prefix_of(text),
            digest=digest_of(text),
            created_at=now,
            expires_at=expires_at,
            usd_month=usd_month,
        )

        def change(records: Records) -> None:
            if records.users.get(user_id) is None:
                raise NotFound
            if len(records.keys.of_user(user_id)) >= MOST_PER_USER:
                raise InvalidRequest(
                    f"You have {MOST_PER_USER} keys: revoke one before you make another."
                )
            records.keys.put(key)
            records.audit.append(self._entry(Action.KEY_MADE, key, now, address))

        await self._store.write(change)
        return NewKey(key=key, text=text)

    async def list(self, user_id: str) -> tuple[ApiKey, ...]:
        """The user's keys, newest first."""
        keys = await self._store.read(lambda records: records.keys.of_user(user_id))
        return tuple(sorted(keys, key=lambda key: key.id, reverse=True))

    async def revoke(self, user_id: str, key_id: str, *, address: str | None = None) -> None:
        """The key is refused from the very next request on. Raises NotFound."""
        now = self._clock.now()

        def change(records: Records) -> None:
            key = records.keys.get(key_id)
            if key is None or key.user_id != user_id:
                raise NotFound
            records.keys.remove(key_id)
            records.audit.append(self._entry(Action.KEY_REVOKED, key, now, address))

        await self._store.write(change)

    async def authenticate(self, text: str) -> tuple[User, ApiKey]:
        """Whose key this is. Raises TokenInvalid, TokenRevoked (expired, or its user is gone)."""
        digest = digest_of(text)
        now = self._clock.now()

        def look(records: Records) -> tuple[User | None, ApiKey | None]:
            key = records.keys.by_digest(digest)
            return (records.users.get(key.user_id) if key else None), key

        user, key = await self._store.read(look)
        if key is None:
            raise TokenInvalid("This key is not one of ours, or was revoked: make a new one.")
        if user is None or key.has_expired(now):
            raise TokenRevoked("This key has expired: make a new one.")
        if key.last_used_at is None or now - key.last_used_at >= _USE_NOTED_EVERY:
            self._background.start(self._note_use(key.id, now))
        return user, key

    async def _note_use(self, key_id: str, now: datetime) -> None:
        def change(records: Records) -> None:
            key = records.keys.get(key_id)
            if key is not None:
                records.keys.put(key.used(now))

        await self._store.write(change)

    def _entry(self, action: Action, key: ApiKey, now: datetime, address: str | None) -> AuditEntry:
        return AuditEntry(
            id=self._ids.new(),
            at=now,
            action=action,
            actor_id=key.user_id,
            target_id=key.user_id,
            address=address,
            details={"name": key.name, "prefix": key.prefix},
        )
