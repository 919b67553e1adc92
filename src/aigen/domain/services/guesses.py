"""Guesses of passwords: one after the other for an account, and slower with each that failed."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from weakref import WeakValueDictionary

from attrs import frozen

from aigen.domain.model.errors import Busy, TooManyAttempts
from aigen.domain.model.throttle import FailedLogins
from aigen.ports.clock import Clock
from aigen.ports.store import Records, Store

#: Guesses for one account that may wait for each other.
_LONGEST_QUEUE = 16


@frozen(kw_only=True)
class LoginPolicy:
    """Failed logins in fifteen minutes before the waiting begins."""

    failures_per_account: int = 10
    failures_per_address: int = 100


class Guesses:
    """An account is known by its identity, whether it exists or not."""

    def __init__(self, store: Store, clock: Clock, policy: LoginPolicy) -> None:
        self._store = store
        self._clock = clock
        self._policy = policy
        self._queues: WeakValueDictionary[str, _Queue] = WeakValueDictionary()

    @asynccontextmanager
    async def turn(self, identity: str, address: str | None) -> AsyncIterator[None]:
        """The time to check one password of an account: nobody else does meanwhile, so that a
        burst cannot outrun the count. Raises Busy, TooManyAttempts."""
        queue = self._queues.get(identity)
        if queue is None:
            queue = self._queues[identity] = _Queue()
        async with queue:
            await self._must_not_be_throttled(_subjects(identity, address))
            yield

    async def _must_not_be_throttled(self, subjects: tuple[str, ...]) -> None:
        now = self._clock.now()

        def look(records: Records) -> None:
            for subject in subjects:
                failed = records.failures.get(subject)
                if failed is not None and (wait := failed.wait(now)):
                    raise TooManyAttempts(retry_after=wait)

        await self._store.read(look)

    def failed(self, records: Records, identity: str, address: str | None) -> None:
        """Within a change: the password was wrong."""
        now = self._clock.now()
        limits = (self._policy.failures_per_account, self._policy.failures_per_address)
        for subject, limit in zip(_subjects(identity, address), limits, strict=False):
            failures = records.failures.get(subject)
            failures = failures or FailedLogins(subject=subject, count=0, since=now)
            records.failures.put(failures.failed(limit=limit, now=now))

    def succeeded(self, records: Records, identity: str) -> None:
        """Within a change: it was right, and the account's count is cleared."""
        records.failures.remove(_account(identity))


class _Queue:
    """A lock with a bounded number of those who wait for it."""

    def __init__(self) -> None:
        self._lock = asyncio.Lock()
        self._waiting = 0

    async def __aenter__(self) -> None:
        if self._waiting >= _LONGEST_QUEUE:
            raise Busy
        self._waiting += 1
        try:
            await self._lock.acquire()
        finally:
            self._waiting -= 1

    async def __aexit__(self, *_: object) -> None:
        self._lock.release()


def _account(identity: str) -> str:
    """Not the identity itself: now and then somebody types a password where the e-mail goes."""
    return f"account:{hashlib.sha256(identity.encode(errors='surrogatepass')).hexdigest()}"


def _subjects(identity: str, address: str | None) -> tuple[str, ...]:
    """Whose failures count: the account's, and the address's if there is one."""
    return (_account(identity), f"address:{address}") if address else (_account(identity),)
