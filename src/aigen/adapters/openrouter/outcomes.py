"""What an answer or a broken connection means: the one table for texts, images and videos."""

from collections.abc import Mapping
from datetime import timedelta
from types import MappingProxyType

import aiohttp
import httpx
from attrs import frozen

from aigen.adapters.openrouter.reasons import Reasons
from aigen.adapters.openrouter.retry_after import retry_after
from aigen.adapters.openrouter.wire import generation_id, line, mapping, parsed, unpriced
from aigen.ports.provider import (
    BadAnswer,
    Misconfigured,
    NotSent,
    Refused,
    Unknown,
    Unreachable,
)

FailedCall = Refused | NotSent | Misconfigured | Unknown

#: No to this very request; it was not charged.
_REFUSED = frozenset({400, 403, 404, 413, 422})
#: Our key is bad or our credit used up.
_MISCONFIGURED = frozenset({401, 402})
#: Turned away at the door.
_RATE_LIMITED = 429
#: Turned away as well, if it is the provider that says so, in JSON: a proxy in between that
#: answers 503 may have passed the request on.
_OVERLOADED = frozenset({503, 529})
# Everything else (3xx, 408, 409, other 5xx with 524) may have been done and charged: Unknown.

_NO_HEADERS: Mapping[str, str] = MappingProxyType({})


class TooLarge(Exception):
    """The answer is longer than is believable."""


#: What a call can raise once it has begun. aiohttp's own exceptions come unchanged through
#: httpx-aiohttp where it has no class for them, as for a status line that is none.
BROKEN = (httpx.HTTPError, httpx.InvalidURL, aiohttp.ClientError, OSError, TooLarge)


@frozen(kw_only=True)
class Reply:
    """An answer; if it is no success, its body may be missing."""

    status: int
    headers: httpx.Headers
    body: bytes

    @property
    def is_success(self) -> bool:
        return 200 <= self.status < 300  # noqa: PLR2004  (the class of statuses)

    @property
    def generation_id(self) -> str:
        """That in the headers; empty if there is none."""
        return generation_id(self.headers.get("x-generation-id"))


class Outcomes:
    def __init__(self, reasons: Reasons) -> None:
        self.reason = reasons.of
        self.line = reasons.line

    def of_reply(self, reply: Reply) -> FailedCall:
        """What an answer without a result means: an error status, or an error inside a 2xx."""
        error = mapping(parsed(reply.body)).get("error")
        if reply.is_success:
            return self.of_error(error, reply.headers)
        is_own = isinstance(error, dict) and bool(error.get("message") or error.get("code"))
        reason = self.reason(error) or f"the provider answered {reply.status}"
        return _by_status(reply.status, reason, retry_after(reply.headers, error), is_own=is_own)

    def no_news(self, reply: Reply) -> Misconfigured | Unreachable:
        """What an answer without a result means to who only asked, and can ask again."""
        error = mapping(parsed(reply.body)).get("error")
        if reply.is_success and not error:
            return Unreachable(reason="the provider's answer cannot be read")
        meant = self.of_reply(reply)
        if isinstance(meant, Misconfigured):
            return meant
        return Unreachable(reason=meant.reason, retry_after=retry_after(reply.headers, error))

    def of_error(self, error: object, headers: Mapping[str, str] = _NO_HEADERS) -> FailedCall:
        """What an error inside a 2xx means: the same as its code as a status."""
        reason = self.reason(error) or "the provider reported an error"
        return _by_status(code_of(error), reason, retry_after(headers, error), is_own=True)


def of_exception(error: BaseException) -> NotSent | Unknown:
    """What it means that a call ended without an answer.

    Only what was raised before a connection stood can have carried nothing. httpx's own classes
    do not tell: httpx-aiohttp makes a ConnectTimeout of every ClientConnectionError, and so of a
    server that hangs up after it has read the request. So aiohttp's are looked for underneath.
    """
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, aiohttp.ClientConnectorError):
            return NotSent(reason=f"no connection to the provider: {line(str(cause), 200)}")
        if isinstance(cause, aiohttp.ConnectionTimeoutError):
            # In its own words is the whole address, which may be a signed one.
            return NotSent(reason="no connection to the provider in time")
        cause = cause.__cause__
    if isinstance(error, TimeoutError | httpx.ReadTimeout):
        return Unknown(reason="the provider did not answer in time")
    if isinstance(error, TooLarge):
        return Unknown(reason="the provider's answer was too large")
    return Unknown(reason="the connection broke before the answer was complete")


def of_garbage(reply: Reply) -> Unknown | BadAnswer:
    """What a 2xx means whose body is no JSON object: is it cut off, or something else?"""
    if reply.body.lstrip().startswith(b"{"):
        return Unknown(reason="the provider's answer broke off")
    return BadAnswer(
        reason="the provider's answer cannot be read",
        generation_ids=unpriced(reply.generation_id, None),
    )


def status_of(reply: Reply) -> int | None:
    """The status, or that of an error inside a 2xx."""
    return code_of(mapping(parsed(reply.body)).get("error")) if reply.is_success else reply.status


def code_of(error: object) -> int | None:
    """The status that an error object names; codes are numbers, their texts, or mere words."""
    known = mapping(error)
    code = known.get("code", known.get("http_status"))
    if isinstance(code, str) and code.isdecimal() and len(code) == len("404"):
        return int(code)
    return code if isinstance(code, int) else None


def _by_status(
    status: int | None, reason: str, wait: timedelta | None, *, is_own: bool
) -> FailedCall:
    if status in _REFUSED:
        return Refused(reason=reason)
    if status in _MISCONFIGURED:
        return Misconfigured(reason=reason)
    if status == _RATE_LIMITED or (status in _OVERLOADED and is_own):
        return NotSent(reason=reason, retry_after=wait)
    return Unknown(reason=reason)
