"""Webhooks of finished videos, signed as OpenRouter signs them."""

import hashlib
import hmac
import json
import logging
import ssl
from datetime import UTC, datetime
from functools import cache
from typing import Any

import httpx

from aigen.adapters.openrouter.simulator.jobs import Job

_TIMEOUT_SECONDS = 5.0
_log = logging.getLogger(__name__)


def signature(secret: str, timestamp: int, body: bytes) -> str:
    """The value of X-OpenRouter-Signature: a comma, not a dot, between time and body."""
    signed = str(timestamp).encode() + b"," + body
    digest = hmac.new(secret.encode(), signed, hashlib.sha256).hexdigest()
    return f"t={timestamp},v1={digest}"


def payload(job: Job, shown: dict[str, Any], now: float) -> bytes:
    """The body: what a poll shows of the job, without its addresses for polling and storage."""
    created = datetime.fromtimestamp(now, UTC).isoformat(timespec="milliseconds")
    data = {
        "id": job.id,
        "status": job.status,
        "generation_id": job.generation_id,
        "model": job.model,
    }
    told = {name: shown[name] for name in ("unsigned_urls", "usage", "error") if name in shown}
    event = {
        "type": f"video.generation.{job.status}",
        "created_at": created.replace("+00:00", "Z"),
        "data": data | told,
    }
    return json.dumps(event, separators=(",", ":")).encode()


@cache
def _certificates() -> ssl.SSLContext:
    """Loading them takes 20 ms, too long for every webhook."""
    return httpx.create_ssl_context(trust_env=False)


async def deliver(job: Job, body: bytes, *, secret: str | None, copies: int, now: float) -> None:
    """POST to the job's callback. Failures are logged and otherwise nobody's business."""
    if job.callback_url is None:
        return
    headers = {
        "Content-Type": "application/json",
        "X-OpenRouter-Idempotency-Key": f"{job.id}-{job.status}",
    }
    if secret is not None:
        headers["X-OpenRouter-Signature"] = signature(secret, int(now), body)
    # Proxies of the environment have nothing to do with a callback to this machine.
    async with httpx.AsyncClient(
        timeout=_TIMEOUT_SECONDS, trust_env=False, verify=_certificates()
    ) as client:
        for _ in range(copies):
            try:
                await client.post(job.callback_url, content=body, headers=headers)
            except (httpx.HTTPError, httpx.InvalidURL) as error:
                _log.info("webhook of %s not delivered: %s", job.id, error)
