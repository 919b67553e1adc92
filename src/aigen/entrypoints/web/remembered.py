"""Answers of the API that change rarely and are the same for everybody."""

import threading
import time
from collections.abc import Callable
from typing import Generic, TypeVar

from aigen.adapters.http.client import ApiRefused, ApiUnreachable

T = TypeVar("T")

_FRESH_SECONDS = 60.0
_ASK_AGAIN_SECONDS = 5.0


class Remembered(Generic[T]):
    """A value that is asked for again once it is a minute old; while that fails, the last one."""

    def __init__(self) -> None:
        self._value: T | None = None
        self._ask_at = 0.0
        self._asking = threading.Lock()

    def get(self, ask: Callable[[], T]) -> T:
        """The value. Raises what `ask` raises if there never was one."""
        if self._value is not None and time.monotonic() < self._ask_at:
            return self._value
        # Who finds another asking takes the old value rather than wait for the new one.
        if not self._asking.acquire(blocking=self._value is None):
            return self._value  # type: ignore[return-value]  # it does not go back to None
        try:
            if self._value is None or time.monotonic() >= self._ask_at:
                self._ask(ask)
        finally:
            self._asking.release()
        return self._value  # type: ignore[return-value]

    def _ask(self, ask: Callable[[], T]) -> None:
        self._ask_at = time.monotonic() + _ASK_AGAIN_SECONDS
        try:
            self._value = ask()
        except (ApiRefused, ApiUnreachable):
            if self._value is None:
                raise
        else:
            self._ask_at = time.monotonic() + _FRESH_SECONDS
