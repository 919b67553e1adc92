"""Time and identity, so that tests can hold both still."""

from datetime import datetime, timedelta
from typing import Protocol


class Clock(Protocol):
    def now(self) -> datetime:
        """The present instant, aware, in UTC."""
        ...

    async def sleep(self, duration: timedelta) -> None:
        """Return when `duration` has passed by this clock; at once if it is not positive."""
        ...


class Ids(Protocol):
    def new(self) -> str:
        """A UUIDv7 in lower case: unique, and greater than those made before it."""
        ...

    def secret(self) -> str:
        """At least 128 random bits, in characters that are safe in an address."""
        ...
