"""Texts: asked once, written down, answered whole or as they come."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

from aigen.domain.model.errors import (
    AigenError,
    NotFound,
    ProviderOutcomeUnknown,
    StorageFull,
    TokenRevoked,
)
from aigen.domain.model.idempotency import Attempt, IdempotencyKey
from aigen.domain.model.ledger import Charge, Kind
from aigen.domain.model.pages import Page
from aigen.domain.model.texts import Text, TextRequest
from aigen.domain.services import ledger
from aigen.domain.services.background import Background
from aigen.domain.services.money import Money
from aigen.domain.services.patience import record_paid
from aigen.domain.services.provider_health import ProviderHealth
from aigen.domain.services.repeats import Once, remember, replay, settle
from aigen.ports.clock import Clock, Ids
from aigen.ports.media import MediaStore
from aigen.ports.provider import Failure, TextAnswer, TextDelta, TextProvider, Unknown
from aigen.ports.store import HistoryQuery, Records, Store

#: What recording takes beyond the provider's own timeout, generously.
_MARGIN = timedelta(seconds=60)


class Texts:
    """`timeout` is how long the provider may take."""

    def __init__(
        self,
        store: Store,
        provider: TextProvider,
        media: MediaStore,
        money: Money,
        health: ProviderHealth,
        background: Background,
        clock: Clock,
        ids: Ids,
        *,
        timeout: timedelta,
    ) -> None:
        self._store = store
        self._provider = provider
        self._media = media
        self._money = money
        self._health = health
        self._background = background
        self._clock = clock
        self._ids = ids
        self._patience = timeout + _MARGIN

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
        text_id = self._ids.new()
        earlier = await self._begin(user_id, text_id, request, key, key_id)
        if earlier is not None:
            return earlier
        return Once(value=await self._background.finish(self._ask(user_id, text_id, request, key)))

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
        text_id = self._ids.new()
        earlier = await self._begin(user_id, text_id, request, key, key_id)
        if earlier is not None:
            return Once(value=_again(earlier.value), is_replay=True)
        pieces: asyncio.Queue[TextDelta | Text | AigenError] = asyncio.Queue()
        self._background.start(self._listen(user_id, text_id, request, key, pieces))
        first = await pieces.get()
        if isinstance(first, AigenError):
            raise first
        return Once(value=_rest(first, pieces))

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

    async def _begin(
        self,
        user_id: str,
        text_id: str,
        request: TextRequest,
        key: IdempotencyKey | None,
        key_id: str | None,
    ) -> Once[Text] | None:
        has_room = await self._media.has_room()
        quote = await self._money.quote(request)
        now = self._clock.now()

        def change(records: Records) -> Once[Text] | None:
            first = remember(records, user_id, key, text_id, now=now, patience=self._patience)
            if first is not None:
                return replay(first, records.texts.get, now)
            if not has_room:
                raise StorageFull
            if records.users.get(user_id) is None:
                raise TokenRevoked
            ledger.reserve(
                records,
                Charge(
                    id=text_id,
                    user_id=user_id,
                    key_id=key_id,
                    kind=Kind.TEXT,
                    model=request.model,
                    estimate_usd=quote,
                    created_at=now,
                    closes_at=now + self._patience,
                ),
            )
            return None

        return await self._store.write(change)

    async def _ask(
        self, user_id: str, text_id: str, request: TextRequest, key: IdempotencyKey | None
    ) -> Text:
        outcome = await self._provider.complete(request)
        if isinstance(outcome, TextAnswer):
            return await self._record(user_id, text_id, request, key, outcome)
        await self._note_failure(user_id, text_id, key, outcome)
        raise self._health.note(outcome)

    async def _listen(
        self,
        user_id: str,
        text_id: str,
        request: TextRequest,
        key: IdempotencyKey | None,
        pieces: "asyncio.Queue[TextDelta | Text | AigenError]",
    ) -> None:
        try:
            async for piece in self._provider.stream(request):
                if isinstance(piece, TextDelta):
                    pieces.put_nowait(piece)
                elif isinstance(piece, TextAnswer):
                    pieces.put_nowait(await self._record(user_id, text_id, request, key, piece))
                else:
                    await self._note_failure(user_id, text_id, key, piece)
                    pieces.put_nowait(self._health.note(piece))
        except AigenError as error:
            pieces.put_nowait(error)
        finally:
            # Whatever happened, nobody may wait for ever; after an end this is never read.
            pieces.put_nowait(ProviderOutcomeUnknown())

    async def _record(
        self,
        user_id: str,
        text_id: str,
        request: TextRequest,
        key: IdempotencyKey | None,
        answer: TextAnswer,
    ) -> Text:
        self._health.is_well()
        text = Text(
            id=text_id,
            user_id=user_id,
            model=answer.model,
            prompt=request.prompt,
            text=answer.text,
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            cost_usd=answer.cost_usd,
            created_at=self._clock.now(),
        )

        def change(records: Records) -> bool:
            ledger.settle(records, text_id, answer.cost_usd, text.created_at, answer.generation_ids)
            if records.users.get(user_id) is None:
                return False  # removed meanwhile: nobody is left to keep it for
            records.texts.put(text)
            settle(records, user_id, key, Attempt.DONE)
            return True

        if await record_paid(self._store, self._clock, change) is False:
            raise TokenRevoked
        return text

    async def _note_failure(
        self, user_id: str, text_id: str, key: IdempotencyKey | None, failure: Failure
    ) -> None:
        now = self._clock.now()

        def change(records: Records) -> None:
            ledger.account_for_failure(records, text_id, failure, now)
            settle(records, user_id, key, Attempt.UNKNOWN if is_unknown else None)

        is_unknown = isinstance(failure, Unknown)
        await record_paid(self._store, self._clock, change)


async def _again(text: Text) -> AsyncIterator[TextDelta | Text]:
    yield TextDelta(text=text.text)
    yield text


async def _rest(
    first: TextDelta | Text, pieces: "asyncio.Queue[TextDelta | Text | AigenError]"
) -> AsyncIterator[TextDelta | Text]:
    piece: TextDelta | Text | AigenError = first
    while isinstance(piece, TextDelta):
        yield piece
        piece = await pieces.get()
    if isinstance(piece, AigenError):
        raise piece
    yield piece


def _own(records: Records, user_id: str, text_id: str) -> Text:
    text = records.texts.get(text_id)
    if text is None or text.user_id != user_id:
        raise NotFound
    return text
