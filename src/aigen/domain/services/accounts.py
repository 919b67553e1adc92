"""Accounts: who may use the service, as what, and with which password."""

import hashlib
from datetime import datetime, timedelta

from attrs import evolve, frozen

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.errors import (
    EmailTaken,
    InvalidRequest,
    LastAdmin,
    NotFound,
    RegistrationClosed,
    ResetTokenInvalid,
    TokenRevoked,
    WrongPassword,
)
from aigen.domain.model.ledger import NEWCOMERS
from aigen.domain.model.media import MediaRemoval, folder_of_user
from aigen.domain.model.pages import Page, PageRequest
from aigen.domain.model.passwords import check_password
from aigen.domain.model.sessions import Caller
from aigen.domain.model.statistics import UserOverview
from aigen.domain.model.users import EmailAddress, ResetLink, Role, User
from aigen.domain.services import ledger
from aigen.domain.services.files import Files
from aigen.domain.services.guesses import Guesses
from aigen.domain.services.sessions import end_sessions
from aigen.ports.clock import Clock, Ids
from aigen.ports.events import Events, VideoEvent
from aigen.ports.security import EmailParser, PasswordHasher
from aigen.ports.store import Records, Store

RESET_LINK_LIFETIME = timedelta(hours=1)


@frozen(kw_only=True)
class NewResetLink:
    """The secret of a reset link, known only now, and until when it works."""

    secret: str
    expires_at: datetime


class Accounts:
    """`actor_id` is the administrator who asks, None for the operator."""

    def __init__(
        self,
        store: Store,
        passwords: PasswordHasher,
        emails: EmailParser,
        files: Files,
        events: Events,
        clock: Clock,
        ids: Ids,
        guesses: Guesses,
        *,
        is_registration_open: bool = False,
    ) -> None:
        self._store = store
        self._passwords = passwords
        self._emails = emails
        self._files = files
        self._events = events
        self._clock = clock
        self._ids = ids
        self._guesses = guesses
        self._is_registration_open = is_registration_open

    # --- coming ---------------------------------------------------------------------------

    async def register(self, email: str, password: str, *, address: str | None = None) -> User:
        """A plain user registers. Raises RegistrationClosed, EmailTaken, InvalidRequest."""
        if not self._is_registration_open:
            raise RegistrationClosed
        return await self.add(email, password, address=address)

    async def add(
        self,
        email: str,
        password: str,
        role: Role = Role.USER,
        *,
        actor_id: str | None = None,
        address: str | None = None,
    ) -> User:
        """Add an account. Raises EmailTaken, InvalidRequest, Busy."""
        user = await self._new_user(email, password, role)

        def add(records: Records) -> User:
            if records.users.by_identity(user.identity):
                raise EmailTaken
            records.users.put(user)
            usual = records.limits.get(NEWCOMERS)
            if usual is not None and not usual.is_none:
                records.limits.put(evolve(usual, owner=user.id))
            records.audit.append(self._entry(Action.USER_ADDED, user, actor_id, address))
            return user

        return await self._store.write(add)

    async def add_first_admin(self, email: str, password: str) -> User | None:
        """Add an administrator to an installation without users; None if it has some."""
        if await self._store.read(lambda records: records.users.count().total):
            return None
        user = await self._new_user(email, password, Role.ADMIN)

        def add(records: Records) -> User | None:
            if records.users.count_admins():
                return None
            records.users.put(user)
            records.audit.append(self._entry(Action.USER_ADDED, user, None, None))
            return user

        return await self._store.write(add)

    async def _new_user(self, email: str, password: str, role: Role) -> User:
        address = self._emails.parse(email)
        check_password(password, email=address.typed)
        return User(
            id=self._ids.new(),
            email=address.typed,
            identity=address.identity,
            password_hash=await self._passwords.hash(password),
            role=role,
            created_at=self._clock.now(),
        )

    # --- being ----------------------------------------------------------------------------

    async def get(self, user_id: str) -> User:
        """Raises NotFound."""
        return await self._store.read(lambda records: _existing(records, user_id))

    async def find(self, email: str) -> User:
        """The user with this address in any spelling. Raises NotFound, InvalidRequest."""
        identity = self._emails.parse(email).identity
        user = await self._store.read(lambda records: records.users.by_identity(identity))
        if user is None:
            raise NotFound(f"There is no account for {email}.")
        return user

    async def list(
        self, text: str | None = None, page: PageRequest | None = None
    ) -> Page[UserOverview]:
        """Users whose address contains `text`, newest first."""
        wanted = page or PageRequest()
        return await self._store.read(lambda records: records.users.page(text, wanted))

    async def change_self(
        self,
        caller: Caller,
        current_password: str,
        *,
        email: str | None = None,
        new_password: str | None = None,
        address: str | None = None,
    ) -> User:
        """Change one's own address or password; a new password ends the other sessions.

        Raises WrongPassword, EmailTaken, InvalidRequest (nothing to change), Busy,
        TooManyAttempts: who has somebody's session could else guess on as fast as they like.
        """
        if email is None and new_password is None:
            raise InvalidRequest("Say what to change: `email`, `new_password` or both.")
        new_email = None if email is None else self._emails.parse(email)
        if new_password is not None:
            known_as = new_email.typed if new_email else caller.user.email
            check_password(new_password, email=known_as, field="new_password")
        await self._must_know(caller.user, current_password, address)
        new_hash = None if new_password is None else await self._passwords.hash(new_password)
        now = self._clock.now()

        def change(records: Records) -> User:
            user = records.users.get(caller.user.id)
            if user is None:
                raise TokenRevoked
            if user.password_hash != caller.user.password_hash:
                raise WrongPassword  # somebody changed it while this one was being checked
            self._guesses.succeeded(records, user.identity)
            if new_email is not None:
                user = self._change_email(records, user, new_email, address)
            if new_hash is not None:
                user = user.with_password(new_hash)
                end_sessions(records, user.id, now=now, but=caller.session_id)
                entry = self._entry(Action.PASSWORD_CHANGED, user, user.id, address)
                records.audit.append(entry)
            records.users.put(user)
            return user

        return await self._store.write(change)

    async def _must_know(self, user: User, password: str, address: str | None) -> None:
        """Raise WrongPassword unless this is the user's; wrong ones count as failed logins do."""
        async with self._guesses.turn(user.identity, address):
            if not await self._passwords.verify(password, user.password_hash):
                await self._store.write(
                    lambda records: self._guesses.failed(records, user.identity, address)
                )
                raise WrongPassword

    def _change_email(
        self, records: Records, user: User, email: EmailAddress, address: str | None
    ) -> User:
        other = records.users.by_identity(email.identity)
        if other is not None and other.id != user.id:
            raise EmailTaken
        records.audit.append(self._entry(Action.EMAIL_CHANGED, user, user.id, address))
        return user.with_email(email)

    async def set_role(
        self,
        user_id: str,
        role: Role,
        *,
        actor_id: str | None = None,
        address: str | None = None,
    ) -> User:
        """Promote or demote. Raises NotFound, LastAdmin."""

        def change(records: Records) -> User:
            user = _existing(records, user_id)
            if user.role is role:
                return user
            _must_not_be_last_admin(records, user)
            changed = user.with_role(role)
            records.users.put(changed)
            entry = self._entry(Action.ROLE_CHANGED, user, actor_id, address, role=role.value)
            records.audit.append(entry)
            return changed

        return await self._store.write(change)

    # --- going ----------------------------------------------------------------------------

    async def remove(
        self, user_id: str, *, actor_id: str | None = None, address: str | None = None
    ) -> None:
        """Remove a user with sessions, generations and files; workers drop the user's jobs.

        Raises NotFound, LastAdmin.
        """

        def change(records: Records) -> tuple[VideoEvent, ...]:
            user = _existing(records, user_id)
            _must_not_be_last_admin(records, user)
            now = self._clock.now()
            jobs = records.videos.unfinished_of(user_id)
            ledger.close_of_user(records, user_id, now)
            events = tuple(
                VideoEvent(video_id=job.id, state=job.cancelled(now).state) for job in jobs
            )
            for repository in (
                records.sessions,
                records.refresh_tokens,
                records.reset_links,
                records.remembered,
                records.keys,
                records.texts,
                records.images,
                records.videos,
                records.provider_jobs,
            ):
                repository.remove_of(user_id)
            records.removals.put(MediaRemoval(prefix=folder_of_user(user_id)))
            records.users.remove(user_id)
            records.limits.remove(user_id)
            records.tallies.remove(user_id)
            records.audit.append(self._entry(Action.USER_REMOVED, user, actor_id, address))
            return events

        await self._events.publish(*await self._store.write(change))
        await self._files.carry_out_removals()

    # --- forgetting a password --------------------------------------------------------------

    async def make_reset_link(
        self, user_id: str, *, actor_id: str | None = None, address: str | None = None
    ) -> NewResetLink:
        """A secret that sets a new password once, within the hour. Raises NotFound."""
        secret = self._ids.secret()
        expires_at = self._clock.now() + RESET_LINK_LIFETIME

        def change(records: Records) -> None:
            user = _existing(records, user_id)
            # A newer link replaces the older: one that was sent to the wrong place is dead then.
            records.reset_links.remove_of(user_id)
            records.reset_links.put(
                ResetLink(digest=_digest(secret), user_id=user_id, expires_at=expires_at)
            )
            records.audit.append(self._entry(Action.RESET_LINK_MADE, user, actor_id, address))

        await self._store.write(change)
        return NewResetLink(secret=secret, expires_at=expires_at)

    async def reset_password(
        self, secret: str, new_password: str, *, address: str | None = None
    ) -> None:
        """Set a password with a reset link's secret; ends all the user's sessions.

        Raises ResetTokenInvalid, InvalidRequest, Busy.
        """
        digest = _digest(secret)
        user = await self._store.read(lambda records: self._owner_of(records, digest))
        check_password(new_password, email=user.email, field="new_password")
        new_hash = await self._passwords.hash(new_password)
        now = self._clock.now()

        def change(records: Records) -> None:
            user = self._owner_of(records, digest)
            records.reset_links.remove(digest)
            records.users.put(user.with_password(new_hash))
            end_sessions(records, user.id, now=now)
            records.audit.append(self._entry(Action.PASSWORD_RESET, user, user.id, address))

        await self._store.write(change)

    def _owner_of(self, records: Records, digest: str) -> User:
        link = records.reset_links.get(digest)
        user = None if link is None else records.users.get(link.user_id)
        if link is None or user is None or link.expires_at <= self._clock.now():
            raise ResetTokenInvalid
        return user

    def _entry(
        self,
        action: Action,
        target: User,
        actor_id: str | None,
        address: str | None,
        **details: str,
    ) -> AuditEntry:
        return AuditEntry(
            id=self._ids.new(),
            at=self._clock.now(),
            action=action,
            actor_id=actor_id,
            target_id=target.id,
            address=address,
            details=details,
        )


def _existing(records: Records, user_id: str) -> User:
    user = records.users.get(user_id)
    if user is None:
        raise NotFound
    return user


def _must_not_be_last_admin(records: Records, user: User) -> None:
    if user.is_admin and records.users.count_admins() == 1:
        raise LastAdmin


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode(errors="surrogatepass")).hexdigest()
