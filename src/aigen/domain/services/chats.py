"""Conversations in OpenAI's words: handed on and back as they are, paid and kept like all texts."""

from collections.abc import AsyncIterator
from decimal import Decimal

from attrs import evolve, frozen

from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.idempotency import IdempotencyKey
from aigen.domain.model.texts import Text
from aigen.domain.services.background import Background
from aigen.domain.services.money import Money
from aigen.domain.services.repeats import Once
from aigen.domain.services.text_calls import TextCall, TextCalls
from aigen.ports.provider import ChatAnswer, ChatProvider


@frozen(kw_only=True)
class Chat:
    """An answer that came: `body` as the provider wrote it, empty if it was streamed; `text` what
    was kept of it."""

    body: bytes
    text: Text


class Chats:
    def __init__(
        self, calls: TextCalls, provider: ChatProvider, money: Money, background: Background
    ) -> None:
        self._calls = calls
        self._provider = provider
        self._money = money
        self._background = background

    async def complete_once(
        self,
        user_id: str,
        request: ChatRequest,
        key: IdempotencyKey | None,
        *,
        key_id: str | None = None,
    ) -> Once[Chat | Text]:
        """The provider's answer; its text is kept in the user's history. With a `key`, a repeat
        gives the first one's text and asks nobody. `key_id` is the personal key that pays.

        Raises ProviderRefused, ProviderUnavailable, ProviderMisconfigured, ProviderBadAnswer,
        ProviderOutcomeUnknown, SpendLimitReached, StorageFull, IdempotencyConflict and
        IdempotencyInProgress.
        """
        call = self._calls.new(user_id, request, key, key_id)
        earlier = await self._calls.begin(call, await self._quote(request))
        if earlier is not None:
            return earlier
        return Once(value=await self._background.finish(self._ask(call, request)))

    async def stream_once(
        self,
        user_id: str,
        request: ChatRequest,
        key: IdempotencyKey | None,
        *,
        key_id: str | None = None,
    ) -> Once[AsyncIterator[bytes | Chat] | Text]:
        """The provider's events as they come, at the end what was kept, once it is.

        What goes wrong before the first event is raised here, what comes later by the iterator.
        A listener who leaves stops nothing: the answer is heard out, kept and paid.
        """
        call = self._calls.new(user_id, request, key, key_id)
        earlier = await self._calls.begin(call, await self._quote(request))
        if earlier is not None:
            return earlier
        return Once(value=await self._background.hear(self._relay(call, request)))

    async def _quote(self, request: ChatRequest) -> Decimal | None:
        """That of the dearest model which may answer; None if one has no price."""
        quotes = [
            await self._money.estimate(evolve(request, models=(model,))) for model in request.models
        ]
        known = [quote for quote in quotes if quote is not None]
        return max(known) if len(known) == len(quotes) else None

    async def _ask(self, call: TextCall, request: ChatRequest) -> Chat:
        outcome = await self._provider.answer(request)
        if isinstance(outcome, ChatAnswer):
            return await self._keep(call, outcome)
        raise await self._calls.fail(call, outcome)

    async def _relay(self, call: TextCall, request: ChatRequest) -> AsyncIterator[bytes | Chat]:
        async for piece in self._provider.relay(request):
            if isinstance(piece, bytes):
                yield piece
            elif isinstance(piece, ChatAnswer):
                yield await self._keep(call, piece)
            else:
                raise await self._calls.fail(call, piece)

    async def _keep(self, call: TextCall, answer: ChatAnswer) -> Chat:
        text = await self._calls.succeed(call, answer.noted, is_whole=answer.is_text)
        return Chat(body=answer.body, text=text)
