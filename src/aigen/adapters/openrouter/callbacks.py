"""The provider's webhooks about video jobs: are they genuine, and whom do they concern?"""

import hashlib
import hmac
from datetime import datetime, timedelta

from attrs import frozen

from aigen.adapters.openrouter.addresses import is_usable_id
from aigen.adapters.openrouter.wire import line, mapping, parsed

_TOLERANCE = timedelta(minutes=5)
_LONGEST_STATUS = 40
_LONGEST_HEADER = 4096


@frozen(kw_only=True)
class Callback:
    """What a callback says; the rest is learnt by a poll, which nobody else can have written."""

    provider_job_id: str
    status: str


def check_signature(secret: str, header: str | None, body: bytes, now: datetime) -> bool:
    """Whether `X-OpenRouter-Signature` (`t=<unix time>,v1=<hex>`) was made with our secret for
    this very body, at most five minutes from now."""
    if not secret or header is None or len(header) > _LONGEST_HEADER:
        return False
    fields = [field.strip().partition("=") for field in header.split(",")]
    times = [value for name, _, value in fields if name == "t"]
    if len(times) != 1 or not _is_recent(times[0], now):
        return False
    # A comma between time and body, not the dot that others use.
    signed = times[0].encode() + b"," + body
    expected = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest().encode()
    signatures = (value.encode(errors="replace") for name, _, value in fields if name == "v1")
    return any(hmac.compare_digest(expected, signature) for signature in signatures)


def read_callback(body: bytes) -> Callback | None:
    """Whom a callback concerns; None if it is none about a video job."""
    event = mapping(parsed(body))
    job = mapping(event.get("data"))
    kind, job_id = event.get("type"), job.get("id")
    if not isinstance(kind, str) or not kind.startswith("video.generation."):
        return None
    if not isinstance(job_id, str) or not is_usable_id(job_id):
        return None
    return Callback(provider_job_id=job_id, status=line(job.get("status"), _LONGEST_STATUS))


def _is_recent(seconds: str, now: datetime) -> bool:
    is_number = seconds.isascii() and seconds.isdigit() and len(seconds) <= len("1777032000") + 1
    return is_number and abs(now.timestamp() - int(seconds)) <= _TOLERANCE.total_seconds()
