"""Texts: asked once, written down, answered whole or as they come."""

from collections.abc import AsyncIterator

from aigen.domain.model.errors import NotFound
from aigen.domain.model.idempotency import IdempotencyKey
from aigen.domain.model.pages import Page
from aigen.domain.model.texts import Text, TextRequest
from aigen.domain.services.background import Background
from aigen.domain.services.money import Money
from aigen.domain.services.repeats import Once
from aigen.domain.services.text_calls import TextCall, TextCalls
from aigen.ports.provider import TextAnswer, TextDelta, TextProvider
from aigen.ports.store import HistoryQuery, Records, Store


class Texts:
    def __init__(
        self,
        store: Store,
        calls: TextCalls,
        provider: TextProvider,
        money: Money,
        background: Background,
    ) -> None:
        self._store = store
        self._calls = calls
        self._provider = provider
        self._money = money
        self._background = background

    async def generate(self, user_id: str, request: TextRequest) -> Text:
        """A text, kept in the user's history.

        Raises ProviderRefused, ProviderUnavailable, ProviderMisconfigured, ProviderBadAnswer,
        ProviderOutcomeUnknown, SpendLimitReached, StorageFull.
        """
        return (await self.generate_once(user_id, request, None)).value

    async def generate_once(
        self,
        user_id: str,
        request: TextRequest,
        key: IdempotencyKey | None,
        *,
        key_id: str | None = None,
    ) -> Once[Text]:
        """The same; with a `key`, a repeat gives the first one's text and asks nobody.
        `key_id` is the personal key that pays.

        Raises as `generate`, IdempotencyConflict and IdempotencyInProgress.
        """
        call = self._calls.new(user_id, request, key, key_id)
        earlier = await self._calls.begin(call, await self._money.estimate(request))
        if earlier is not None:
            return earlier
        return Once(value=await self._background.finish(self._ask(call, request)))

    async def stream_once(
        self,
        user_id: str,
        request: TextRequest,
        key: IdempotencyKey | None,
        *,
        key_id: str | None = None,
    ) -> Once[AsyncIterator[TextDelta | Text]]:
        """The text as it is written: pieces, at the end the whole.

        What goes wrong before the first piece is raised here, what comes later by the iterator.
        A listener who leaves stops nothing: the text is finished and kept.
        """
        call = self._calls.new(user_id, request, key, key_id)
        earlier = await self._calls.begin(call, await self._money.estimate(request))
        if earlier is not None:
            return Once(value=_again(earlier.value), is_replay=True)
        return Once(value=await self._background.hear(self._stream(call, request)))

    async def get(self, user_id: str, text_id: str) -> Text:
        """Raises NotFound, also for somebody else's."""
        return await self._store.read(lambda records: _own(records, user_id, text_id))

    async def list(self, query: HistoryQuery) -> Page[Text]:
        return await self._store.read(lambda records: records.texts.page(query))

    async def remove(self, user_id: str, text_id: str) -> None:
        """Raises NotFound."""

        def change(records: Records) -> None:
            records.texts.remove(_own(records, user_id, text_id).id)

        await self._store.write(change)

    # --- the call -------------------------------------------------------------------------

    async def _ask(self, call: TextCall, request: TextRequest) -> Text:
        outcome = await self._provider.complete(request)
        if isinstance(outcome, TextAnswer):
            return await self._calls.succeed(call, outcome)
        raise await self._calls.fail(call, outcome)

    async def _stream(
        self, call: TextCall, request: TextRequest
    ) -> AsyncIterator[TextDelta | Text]:
        async for piece in self._provider.stream(request):
            if isinstance(piece, TextDelta):
                yield piece
            elif isinstance(piece, TextAnswer):
                yield await self._calls.succeed(call, piece)
            else:
                raise await self._calls.fail(call, piece)


async def _again(text: Text) -> AsyncIterator[TextDelta | Text]:
    yield TextDelta(text=text.text)
    yield text


def _own(records: Records, user_id: str, text_id: str) -> Text:
    text = records.texts.get(text_id)
    if text is None or text.user_id != user_id:
        raise NotFound
    return text
