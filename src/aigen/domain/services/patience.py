"""Calls that are repeated while the database is away, or its disk is full, for a moment."""

import logging
from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import TypeVar

from aigen.domain.model.errors import Busy, DatabaseUnavailable, StorageFull
from aigen.ports.clock import Clock
from aigen.ports.store import Records, Store

T = TypeVar("T")
logger = logging.getLogger(__name__)

#: What keeps a change from being made now, but not for ever.
NOT_NOW = (DatabaseUnavailable, Busy, StorageFull)

_PAUSE = timedelta(seconds=1)
_PATIENCE = timedelta(minutes=2)


async def until_taken(
    clock: Clock, call: Callable[[], Awaitable[T]], *, patience: timedelta | None = None
) -> T:
    """Repeat the call while it raises one of NOT_NOW, for ever or for `patience`.

    It must be one that may be made twice: an outage can hide that it was made.
    """
    give_up_at = None if patience is None else clock.now() + patience
    while True:
        try:
            return await call()
        except NOT_NOW as error:
            if give_up_at is not None and clock.now() >= give_up_at:
                raise
            logger.warning("a result waits to be recorded: %s", error.detail)
        await clock.sleep(_PAUSE)


async def record_paid(store: Store, clock: Clock, change: Callable[[Records], T]) -> T | None:
    """Write down what was paid for, trying for two minutes if need be; None if it was in vain.

    Then the result still goes to whoever asked: an error would make them buy it again.
    """
    try:
        return await until_taken(clock, lambda: store.write(change), patience=_PATIENCE)
    except NOT_NOW:
        logger.exception("a paid result could not be recorded")
        return None
