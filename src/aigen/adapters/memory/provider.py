"""A provider that does what a test has scripted, and writes down what it was asked."""

import asyncio
import json
import re
from collections import deque
from collections.abc import AsyncIterator, Iterable
from contextlib import asynccontextmanager
from datetime import timedelta
from decimal import Decimal
from typing import Any, Generic, TypeVar

from aigen.domain.model.catalogue import Model
from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.media import Picture
from aigen.domain.model.texts import TextRequest, Usage
from aigen.ports.clock import Clock
from aigen.ports.provider import (
    Accepted,
    ChatAnswer,
    ChatProvider,
    CostLookup,
    Done,
    Failure,
    ImageAnswer,
    ImageProvider,
    Misconfigured,
    ModelCatalogue,
    PollOutcome,
    SubmitOutcome,
    TextAnswer,
    TextDelta,
    TextProvider,
    Unreachable,
    VideoProvider,
    VideoSubmission,
)

T = TypeVar("T")

#: The smallest files that pass for what they are.
PNG = bytes.fromhex(
    "89504e470d0a1a0a0000000d49484452000000010000000108020000009077 53de0000000c4944415408d763"
    "f8cfc0000003010100c9fe92ef0000000049454e44ae426082".replace(" ", "")
)
MP4 = b"\0\0\0\x18ftypisom\0\0\x02\0isomiso2" + b"\0\0\0\x08mdat"


class Script(Generic[T]):
    """Answers to give in turn; when they run out, what is usual, at once."""

    def __init__(self, clock: Clock | None = None) -> None:
        self._clock = clock
        self._next: deque[tuple[timedelta, T]] = deque()

    def add(self, *answers: T, after: timedelta | float = 0) -> None:
        """Give these next, each when so much time has passed since it was asked for, in seconds
        if a number. Raises ValueError if there is no clock to tell."""
        delay = after if isinstance(after, timedelta) else timedelta(seconds=after)
        if delay and self._clock is None:
            raise ValueError("a delay needs a clock: ScriptedProvider(clock)")
        self._next.extend((delay, answer) for answer in answers)

    async def take(self, usual: T) -> T:
        if not self._next:
            return usual
        delay, answer = self._next.popleft()
        if delay and self._clock is not None:
            await self._clock.sleep(delay)
        return answer


class ScriptedProvider(
    TextProvider, ChatProvider, ImageProvider, VideoProvider, CostLookup, ModelCatalogue
):
    """By default everything succeeds at once. `gate` holds back every answer until it is set, a
    script's `after` for a time by the clock; `films` are the contents or errors that fetching
    gives, `costs` what it says when it is asked for the cost of a generation, by default that it
    does not know it."""

    def __init__(self, clock: Clock | None = None) -> None:
        self.texts: Script[TextAnswer | Failure] = Script(clock)
        self.chats: Script[ChatAnswer | Failure] = Script(clock)
        self.images: Script[ImageAnswer | Failure] = Script(clock)
        self.submits: Script[SubmitOutcome] = Script(clock)
        self.polls: Script[PollOutcome] = Script(clock)
        self.films: Script[bytes | Exception] = Script(clock)
        self.costs: Script[Decimal | Unreachable | None] = Script(clock)
        self.offered: tuple[Model, ...] = ()
        self.key_trouble: Misconfigured | None = None
        self.gate = asyncio.Event()
        self.gate.set()
        self.text_requests: list[TextRequest] = []
        self.chat_requests: list[ChatRequest] = []
        self.image_requests: list[tuple[ImageRequest, str | None]] = []
        self.submissions: list[VideoSubmission] = []
        self.polled: list[str] = []
        self.fetched: list[str | None] = []
        self.costs_asked: list[str] = []

    async def complete(self, request: TextRequest) -> TextAnswer | Failure:
        self.text_requests.append(request)
        await self.gate.wait()
        return await self.texts.take(_answer(request))

    async def stream(self, request: TextRequest) -> AsyncIterator[TextDelta | TextAnswer | Failure]:
        outcome = await self.complete(request)
        if isinstance(outcome, TextAnswer):
            for word in _words(outcome.text):
                yield TextDelta(text=word)
        yield outcome

    async def answer(self, request: ChatRequest) -> ChatAnswer | Failure:
        self.chat_requests.append(request)
        await self.gate.wait()
        return await self.chats.take(_chat_answer(request))

    async def relay(self, request: ChatRequest) -> AsyncIterator[bytes | ChatAnswer | Failure]:
        outcome = await self.answer(request)
        if isinstance(outcome, ChatAnswer):
            for word in _words(outcome.noted.text):
                yield _event({"choices": [{"index": 0, "delta": {"content": word}}]})
        yield outcome

    async def generate(
        self, request: ImageRequest, source: str | None = None
    ) -> ImageAnswer | Failure:
        self.image_requests.append((request, source))
        await self.gate.wait()
        usual = ImageAnswer(pictures=(Picture(content=PNG),) * request.n, cost_usd=Decimal("0.04"))
        return await self.images.take(usual)

    async def submit(self, submission: VideoSubmission) -> SubmitOutcome:
        self.submissions.append(submission)
        usual = Accepted(provider_job_id=f"job-{len(self.submissions)}")
        await self.gate.wait()
        return await self.submits.take(usual)

    async def poll(self, provider_job_id: str, polling_url: str | None) -> PollOutcome:
        self.polled.append(provider_job_id)
        await self.gate.wait()
        return await self.polls.take(Done(addresses=("film",), cost_usd=Decimal("0.25")))

    @asynccontextmanager
    async def fetch(
        self, provider_job_id: str, address: str | None
    ) -> AsyncIterator[AsyncIterator[bytes]]:
        self.fetched.append(address)
        film = await self.films.take(MP4)
        if isinstance(film, Exception):
            raise film
        yield _pieces([film])

    async def cost_of(self, generation_id: str) -> Decimal | Unreachable | None:
        self.costs_asked.append(generation_id)
        return await self.costs.take(None)

    async def models(self) -> tuple[Model, ...]:
        return self.offered

    async def check_key(self) -> Misconfigured | None:
        return self.key_trouble


def _words(text: str) -> list[str]:
    """Words, each with the space behind it."""
    return re.findall(r"\S+\s*|\s+", text)


async def _pieces(pieces: Iterable[bytes]) -> AsyncIterator[bytes]:
    for piece in pieces:
        yield piece


def _answer(request: TextRequest | ChatRequest) -> TextAnswer:
    return TextAnswer(
        model=request.model,
        text=f"You said: {request.prompt}",
        finish_reason="stop",
        usage=Usage(prompt_tokens=3, completion_tokens=5, total_tokens=8),
        cost_usd=Decimal("0.00001"),
    )


def _chat_answer(request: ChatRequest) -> ChatAnswer:
    noted = _answer(request)
    message = {"role": "assistant", "content": noted.text}
    body = {"choices": [{"index": 0, "finish_reason": "stop", "message": message}]}
    return ChatAnswer(body=json.dumps(body).encode(), noted=noted)


def _event(data: Any) -> bytes:
    return b"data: %s\n\n" % json.dumps(data).encode()
