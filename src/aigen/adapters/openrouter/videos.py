"""Videos: submitted at most once, polled and fetched as often as it takes."""

from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Any

import httpx

from aigen.adapters.openrouter.addresses import escaped, is_usable_id
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.content import Content
from aigen.adapters.openrouter.outcomes import Reply, status_of
from aigen.adapters.openrouter.wire import (
    generation_id,
    items,
    mapping,
    parsed,
    unpriced,
    usd,
)
from aigen.domain.model.limits import can_be_stored
from aigen.ports.provider import (
    Accepted,
    Done,
    Ended,
    InProgress,
    Missing,
    PollOutcome,
    SubmitOutcome,
    Unknown,
    Unreachable,
    VideoProvider,
    VideoSubmission,
)

_PATH = "/videos"
_MOST_ADDRESSES = 4
_LONGEST_ADDRESS = 4096
_NOT_FOUND = 404
#: The provider's words for a job's end, the old `dead` too; any other word means that it goes on.
_ENDINGS = {
    "failed": "failed",
    "dead": "failed",
    "cancelled": "cancelled",
    "canceled": "cancelled",
    "expired": "expired",
}


class OpenRouterVideos(VideoProvider):
    def __init__(self, clients: OpenRouterClients) -> None:
        self._submit_line = clients.submit
        self._poll_line = clients.poll
        self._origin = clients.origin
        self._outcomes = clients.outcomes
        self._content = Content(clients)

    async def submit(self, submission: VideoSubmission) -> SubmitOutcome:
        reply = await self._submit_line.post(self._origin.at(_PATH), _body(submission))
        if not isinstance(reply, Reply):
            return reply
        body = mapping(parsed(reply.body))
        job_id = body.get("id")
        if reply.is_success and isinstance(job_id, str) and is_usable_id(job_id):
            return Accepted(provider_job_id=job_id, polling_url=_polling_url(body))
        if reply.is_success and not body.get("error"):
            return Unknown(reason="the provider took it and named no usable id")
        return self._outcomes.of_reply(reply)

    async def poll(self, provider_job_id: str, polling_url: str | None) -> PollOutcome:
        built = self._at(provider_job_id)
        told = self._origin.own(polling_url) if polling_url else None
        outcome = await self._ask(told or built, provider_job_id)
        if isinstance(outcome, Missing) and told not in {None, built}:
            # Behind a gateway the address that was told may lead nowhere.
            return await self._ask(built, provider_job_id)
        return outcome

    @asynccontextmanager
    async def fetch(
        self, provider_job_id: str, address: str | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        content = str(self._at(provider_job_id, "/content?index=0"))
        async with self._content.opened(content if address is None else address) as pieces:
            yield pieces

    def _at(self, job_id: str, rest: str = "") -> httpx.URL:
        return self._origin.at(f"{_PATH}/{escaped(job_id)}{rest}")

    async def _ask(self, url: httpx.URL, job_id: str) -> PollOutcome:
        reply = await self._poll_line.get(url)
        if not isinstance(reply, Reply):
            return Unreachable(reason=reply.reason)
        body = mapping(parsed(reply.body))
        status, told_id = body.get("status"), body.get("id")
        if reply.is_success and isinstance(status, str):
            if isinstance(told_id, str) and told_id != job_id:
                return Unreachable(reason="the provider told about another job")
            return self._told(status, body)
        return Missing() if status_of(reply) == _NOT_FOUND else self._outcomes.no_news(reply)

    def _told(self, status: str, body: Mapping[str, Any]) -> InProgress | Done | Ended:
        cost_usd = usd(mapping(body.get("usage")).get("cost"))
        ids = unpriced(generation_id(body.get("generation_id")), cost_usd)
        if status == "completed":
            return Done(addresses=self._addresses(body), cost_usd=cost_usd, generation_ids=ids)
        if status in _ENDINGS:
            return Ended(
                how=_ENDINGS[status],
                reason=self._outcomes.reason(body.get("error")),
                cost_usd=cost_usd,
                generation_ids=ids,
            )
        return InProgress()

    def _addresses(self, body: Mapping[str, Any]) -> tuple[str, ...]:
        """Presigned ones first: they need no key and come from a storage, not through a proxy."""
        told = [*items(body.get("urls")), *items(body.get("unsigned_urls"))]
        usable = (one for one in told if isinstance(one, str) and self._content.may_follow(one))
        return tuple(dict.fromkeys(usable))[:_MOST_ADDRESSES]


def _body(submission: VideoSubmission) -> dict[str, Any]:
    options = {
        "aspect_ratio": submission.aspect_ratio,
        "resolution": submission.resolution,
        "duration": submission.duration,
        "generate_audio": submission.generate_audio,
        "seed": submission.seed,
        "frame_images": _frames(submission) or None,
        "callback_url": submission.callback_url,
    }
    given = {name: value for name, value in options.items() if value is not None}
    return {"model": submission.model, "prompt": submission.prompt} | given


def _frames(submission: VideoSubmission) -> list[dict[str, Any]]:
    frames = {"first_frame": submission.first_frame, "last_frame": submission.last_frame}
    return [
        {"type": "image_url", "image_url": {"url": address}, "frame_type": kind}
        for kind, address in frames.items()
        if address is not None
    ]


def _polling_url(body: Mapping[str, Any]) -> str | None:
    """Only a text that can be stored; whether it may be followed is asked when it is."""
    url = body.get("polling_url")
    is_sane = isinstance(url, str) and len(url) <= _LONGEST_ADDRESS and can_be_stored(url)
    return url if is_sane else None
