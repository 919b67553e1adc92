"""Requests with an Idempotency-Key: done once, answered as often as asked."""

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Generic, TypeVar

from attrs import frozen

from aigen.domain.model.errors import (
    IdempotencyInProgress,
    NotFound,
    ProviderOutcomeUnknown,
)
from aigen.domain.model.idempotency import (
    KEPT_FOR,
    Attempt,
    IdempotencyKey,
    RememberedRequest,
)
from aigen.ports.store import Records, Repository, Store

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)


@frozen(kw_only=True)
class Once(Generic[T_co]):
    """A result, and whether it is that of an earlier request with the same key."""

    value: T_co
    is_replay: bool = False
    was_deferred: bool = False


async def repeated(
    store: Store,
    user_id: str,
    key: IdempotencyKey | None,
    shelf: Callable[[Records], Repository[str, T]],
    now: datetime,
) -> Once[T] | None:
    """The answer to a request that is a repeat, None to one that is the first.

    To be asked before anything is stored for a request: a full disk does not matter to a repeat.
    Raises IdempotencyConflict, and as `replay`.
    """
    if key is None:
        return None

    def look(records: Records) -> Once[T] | None:
        first = _first(records, user_id, key, now)
        return None if first is None else replay(first, shelf(records).get, now)

    return await store.read(look)


def remember(
    records: Records,
    user_id: str,
    key: IdempotencyKey | None,
    object_id: str,
    *,
    now: datetime,
    patience: timedelta,
    is_deferred: bool = False,
) -> RememberedRequest | None:
    """Within a change: the first request with this key, or None if this is the first.

    `patience` is how long the request may take before it counts as cut off. Raises
    IdempotencyConflict.
    """
    if key is None:
        return None
    first = _first(records, user_id, key, now)
    if first is not None:
        return first
    records.remembered.put(
        RememberedRequest(
            user_id=user_id,
            key=key.key,
            fingerprint=key.fingerprint,
            object_id=object_id,
            created_at=now,
            gives_up_at=now + patience,
            is_deferred=is_deferred,
        )
    )
    return None


def _first(
    records: Records, user_id: str, key: IdempotencyKey, now: datetime
) -> RememberedRequest | None:
    first = records.remembered.get((user_id, key.key))
    if first is None or now >= first.created_at + KEPT_FOR:
        return None
    first.matches(key)
    return first


def settle(
    records: Records, user_id: str, key: IdempotencyKey | None, attempt: Attempt | None
) -> None:
    """Within a change: note how the first request ended; None forgets it, so that the next with
    the key counts as the first. One that was answered before it ended stays answered."""
    first = None if key is None else records.remembered.get((user_id, key.key))
    if first is None:
        return
    if attempt is None and not first.is_deferred:
        records.remembered.remove((user_id, first.key))
    else:
        records.remembered.put(first.ended(attempt or Attempt.DONE))


def replay(first: RememberedRequest, find: Callable[[str], T | None], now: datetime) -> Once[T]:
    """The object of the first request as it is now; a deferred one says itself how far it is.

    Raises IdempotencyInProgress, ProviderOutcomeUnknown, or NotFound if it was deleted.
    """
    if not first.is_deferred:
        attempt = first.attempt_at(now)
        if attempt is Attempt.UNKNOWN:
            raise ProviderOutcomeUnknown
        if attempt is Attempt.RUNNING:
            raise IdempotencyInProgress(retry_after=timedelta(seconds=2))
    value = find(first.object_id)
    if value is None:
        raise NotFound
    return Once(value=value, is_replay=True, was_deferred=first.is_deferred)
