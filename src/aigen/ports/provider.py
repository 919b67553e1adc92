"""What a provider of generations can do, in our words.

Outcomes are values, not exceptions: "nobody knows" is an answer here. What a provider says in
words (`reason`) may be shown to the user; it never holds our key. `cost_usd` is as much as an
answer tells; `generation_ids` are the generations whose cost it does not, for CostLookup.
"""

from collections.abc import AsyncIterator
from contextlib import AbstractAsyncContextManager
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

from attrs import frozen

from aigen.domain.model.catalogue import Model
from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.media import Picture
from aigen.domain.model.texts import TextRequest, Usage

# --- how a request can end, whatever was asked ------------------------------------------------


@frozen(kw_only=True)
class Refused:
    """The provider said no to this very request; nothing was charged."""

    reason: str


@frozen(kw_only=True)
class NotSent:
    """Surely not accepted (no connection, rate limit, overload): it may be sent again."""

    reason: str
    retry_after: timedelta | None = None


@frozen(kw_only=True)
class Misconfigured:
    """Our key or our credit was refused: no request's fault, and none will do better."""

    reason: str


@frozen(kw_only=True)
class Unknown:
    """It may have been accepted and charged. Never send it again."""

    reason: str


@frozen(kw_only=True)
class BadAnswer:
    """Taken, and answered without a usable result. `reason` says what came instead."""

    reason: str
    cost_usd: Decimal | None = None
    generation_ids: tuple[str, ...] = ()


Failure = Refused | NotSent | Misconfigured | Unknown | BadAnswer

# --- text -------------------------------------------------------------------------------------


@frozen(kw_only=True)
class TextAnswer:
    """A whole answer; `model` is the one that served."""

    model: str
    text: str
    finish_reason: str | None
    usage: Usage
    cost_usd: Decimal | None
    generation_ids: tuple[str, ...] = ()


@frozen(kw_only=True)
class TextDelta:
    """The next piece of an answer being written."""

    text: str


class TextProvider(Protocol):
    async def complete(self, request: TextRequest) -> TextAnswer | Failure:
        """Ask once, never again by itself. Does not raise for what the provider does."""
        ...

    def stream(self, request: TextRequest) -> AsyncIterator[TextDelta | TextAnswer | Failure]:
        """Ask once; deltas as they come, then exactly one whole answer or failure."""
        ...


# --- chat, handed on as it is -----------------------------------------------------------------


@frozen(kw_only=True)
class ChatAnswer:
    """`body` is the answer as the provider wrote it, empty if it has been passed on in events;
    `noted` what the house keeps of it, where a text may be empty. `is_text` says that the answer
    is this text and nothing else: no use of tools, no picture, no second choice."""

    body: bytes = b""
    noted: TextAnswer
    is_text: bool = True


class ChatProvider(Protocol):
    async def answer(self, request: ChatRequest) -> ChatAnswer | Failure:
        """Ask once, never again by itself. Does not raise for what the provider does."""
        ...

    def relay(self, request: ChatRequest) -> AsyncIterator[bytes | ChatAnswer | Failure]:
        """Ask once; the provider's events and comments as they come, each whole, but for
        `[DONE]` and for errors; then exactly one answer or failure."""
        ...


# --- images -----------------------------------------------------------------------------------


@frozen(kw_only=True)
class ImageAnswer:
    """At least one picture, perhaps fewer than asked. `text` is what the model said besides."""

    pictures: tuple[Picture, ...]
    text: str | None = None
    cost_usd: Decimal | None = None
    generation_ids: tuple[str, ...] = ()


class ImageProvider(Protocol):
    async def generate(
        self, request: ImageRequest, source: str | None = None
    ) -> ImageAnswer | Failure:
        """Ask for pictures by the route that the model needs, never twice for the same one.

        `source` is the picture to edit, an https address or a data URL. Does not raise for what
        the provider does.
        """
        ...


# --- video ------------------------------------------------------------------------------------


@frozen(kw_only=True)
class VideoSubmission:
    """What is sent; frames are https addresses or data URLs."""

    model: str
    prompt: str
    aspect_ratio: str | None = None
    resolution: str | None = None
    duration: int | None = None
    generate_audio: bool | None = None
    seed: int | None = None
    first_frame: str | None = None
    last_frame: str | None = None
    callback_url: str | None = None


@frozen(kw_only=True)
class Accepted:
    """The provider works on it under this id."""

    provider_job_id: str
    polling_url: str | None = None


SubmitOutcome = Accepted | Refused | NotSent | Misconfigured | Unknown


@frozen(kw_only=True)
class InProgress:
    """Not finished, or in a state that we do not know."""


@frozen(kw_only=True)
class Done:
    """Finished. `addresses` says where the film may lie, the best first; it may be empty."""

    addresses: tuple[str, ...] = ()
    cost_usd: Decimal | None = None
    generation_ids: tuple[str, ...] = ()


@frozen(kw_only=True)
class Ended:
    """The provider gave up: `how` is failed, cancelled or expired."""

    how: str
    reason: str
    cost_usd: Decimal | None = None
    generation_ids: tuple[str, ...] = ()


@frozen(kw_only=True)
class Missing:
    """The provider does not know the job (any more)."""


@frozen(kw_only=True)
class Unreachable:
    """No usable answer this time; says nothing about what was asked."""

    reason: str
    retry_after: timedelta | None = None


PollOutcome = InProgress | Done | Ended | Missing | Unreachable | Misconfigured


class ContentUnavailable(Exception):
    """The film could not be fetched from this address this time."""


class ContentMissing(ContentUnavailable):
    """The provider says that there is no film at this address."""


class VideoProvider(Protocol):
    async def submit(self, submission: VideoSubmission) -> SubmitOutcome:
        """Send it at most once, without retries, redirects or kept connections."""
        ...

    async def poll(self, provider_job_id: str, polling_url: str | None) -> PollOutcome:
        """Ask how the job is doing. Our key goes to the provider's own origin alone."""
        ...

    def fetch(
        self, provider_job_id: str, address: str | None
    ) -> AbstractAsyncContextManager[AsyncIterator[bytes]]:
        """The film's bytes as a stream, from `address` or, with None, the job's content route.

        Raises ContentUnavailable or ContentMissing, on entering or while reading.
        """
        ...


# --- what it cost -----------------------------------------------------------------------------


class CostLookup(Protocol):
    async def cost_of(self, generation_id: str) -> Decimal | Unreachable | None:
        """What a generation cost in US dollars; None while the provider does not know it, as is
        usual in the first minutes. Does not raise for what the provider does."""
        ...


# --- what it offers ---------------------------------------------------------------------------


class ModelCatalogue(Protocol):
    async def models(self) -> tuple[Model, ...]:
        """All models of all kinds. Raises ProviderUnavailable."""
        ...

    async def check_key(self) -> Misconfigured | None:
        """Whether the provider accepts our key: None if so, or if it cannot be asked."""
        ...
