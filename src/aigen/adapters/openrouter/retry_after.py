"""When the provider wants to be asked again."""

import math
import time
from collections.abc import Mapping
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import Any

from aigen.adapters.openrouter.wire import mapping

_LONGEST_SECONDS = 86_400.0
#: Instants of Unix time, in seconds and in milliseconds, are at least so large.
_YEAR_2001 = 1e9, 1e12


def retry_after(headers: Mapping[str, str], error: object) -> timedelta | None:
    """From the headers, or from those that the error repeats in its metadata."""
    echoed = mapping(mapping(mapping(error).get("metadata")).get("headers"))
    repeated = {str(name).lower(): value for name, value in echoed.items()}
    for found in (headers, repeated):
        seconds = _wait(found.get("retry-after"))
        if seconds is None:
            seconds = _until(found.get("x-ratelimit-reset"))
        if seconds is not None:
            return timedelta(seconds=min(max(seconds, 0.0), _LONGEST_SECONDS))
    return None


def _wait(value: Any) -> float | None:
    """Retry-After: a number of seconds, or an HTTP date."""
    seconds = _number(value)
    if seconds is None and isinstance(value, str):
        try:
            return parsedate_to_datetime(value).timestamp() - time.time()
        except (ValueError, OverflowError):
            return None
    return seconds


def _until(value: Any) -> float | None:
    """X-RateLimit-Reset: an instant of Unix time, in practice in milliseconds."""
    instant = _number(value)
    seconds, milliseconds = _YEAR_2001
    if instant is None or instant < seconds:
        return None
    return (instant / 1000 if instant >= milliseconds else instant) - time.time()


def _number(value: Any) -> float | None:
    try:
        number = float(value)
    except (TypeError, ValueError, OverflowError):
        return None
    return number if math.isfinite(number) else None
