"""What every text goes through, by whatever door it was asked for: reserved before the provider is
called, kept and settled afterwards, once."""

from datetime import timedelta
from decimal import Decimal

from attrs import frozen

from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.errors import (
    AigenError,
    IdempotencyConflict,
    StorageFull,
    TokenRevoked,
)
from aigen.domain.model.idempotency import Attempt, IdempotencyKey, RememberedRequest
from aigen.domain.model.ledger import Charge, Kind
from aigen.domain.model.texts import Text, TextRequest
from aigen.domain.services import ledger
from aigen.domain.services.patience import record_paid
from aigen.domain.services.provider_health import ProviderHealth
from aigen.domain.services.repeats import Once, remember, replay, settle
from aigen.ports.clock import Clock, Ids
from aigen.ports.media import MediaStore
from aigen.ports.provider import Failure, TextAnswer, Unknown
from aigen.ports.store import Records, Store

#: What recording takes beyond the provider's own timeout, generously.
_MARGIN = timedelta(seconds=60)


@frozen(kw_only=True)
class TextCall:
    """A text that is being made. `key_id` is the personal key that pays, `key` what makes it
    repeatable."""

    id: str
    user_id: str
    model: str
    prompt: str
    key: IdempotencyKey | None = None
    key_id: str | None = None


class TextCalls:
    """`timeout` is how long the provider may take."""

    def __init__(
        self,
        store: Store,
        media: MediaStore,
        health: ProviderHealth,
        clock: Clock,
        ids: Ids,
        *,
        timeout: timedelta,
    ) -> None:
        self._store = store
        self._media = media
        self._health = health
        self._clock = clock
        self._ids = ids
        self._patience = timeout + _MARGIN

    def new(
        self,
        user_id: str,
        request: TextRequest | ChatRequest,
        key: IdempotencyKey | None,
        key_id: str | None,
    ) -> TextCall:
        """A call that has not begun."""
        return TextCall(
            id=self._ids.new(),
            user_id=user_id,
            model=request.model,
            prompt=request.prompt,
            key=key,
            key_id=key_id,
        )

    async def begin(self, call: TextCall, estimate_usd: Decimal | None) -> Once[Text] | None:
        """Reserve what it may cost; the earlier text if the call is a repeat.

        Raises SpendLimitReached, StorageFull, TokenRevoked, IdempotencyConflict and
        IdempotencyInProgress.
        """
        has_room = await self._media.has_room()
        now = self._clock.now()
        charge = Charge(
            id=call.id,
            user_id=call.user_id,
            key_id=call.key_id,
            kind=Kind.TEXT,
            model=call.model,
            estimate_usd=estimate_usd,
            created_at=now,
            closes_at=now + self._patience,
        )

        def change(records: Records) -> Once[Text] | None:
            first = remember(
                records, call.user_id, call.key, call.id, now=now, patience=self._patience
            )
            if first is not None:
                _must_be_kept(records, first)
                return replay(first, records.texts.get, now)
            if not has_room:
                raise StorageFull
            if records.users.get(call.user_id) is None:
                raise TokenRevoked
            ledger.reserve(records, charge)
            return None

        return await self._store.write(change)

    async def succeed(self, call: TextCall, answer: TextAnswer, *, is_whole: bool = True) -> Text:
        """Keep the text and settle what it cost. What `is_whole` denies, that the text is all of
        the answer, keeps a repeat from being answered with it. Raises TokenRevoked."""
        self._health.is_well()
        text = Text(
            id=call.id,
            user_id=call.user_id,
            model=answer.model,
            prompt=call.prompt,
            text=answer.text,
            finish_reason=answer.finish_reason,
            usage=answer.usage,
            cost_usd=answer.cost_usd,
            created_at=self._clock.now(),
        )

        def change(records: Records) -> bool:
            ledger.settle(records, call.id, answer.cost_usd, text.created_at, answer.generation_ids)
            if records.users.get(call.user_id) is None:
                return False  # removed meanwhile: nobody is left to keep it for
            records.texts.put(text)
            attempt = Attempt.DONE if is_whole else Attempt.UNKNOWN
            settle(records, call.user_id, call.key, attempt)
            return True

        if await record_paid(self._store, self._clock, change) is False:
            raise TokenRevoked
        return text

    async def fail(self, call: TextCall, failure: Failure) -> AigenError:
        """Account for a call that gave no text; the error for whoever made it."""
        now = self._clock.now()
        attempt = Attempt.UNKNOWN if isinstance(failure, Unknown) else None

        def change(records: Records) -> None:
            ledger.account_for_failure(records, call.id, failure, now)
            settle(records, call.user_id, call.key, attempt)

        await record_paid(self._store, self._clock, change)
        return self._health.note(failure)


def _must_be_kept(records: Records, first: RememberedRequest) -> None:
    """Of an answer that was more than a text there is nothing to repeat."""
    is_unknown = first.attempt is Attempt.UNKNOWN
    if is_unknown and records.texts.get(first.object_id) is not None:
        raise IdempotencyConflict(
            "The request with this Idempotency-Key was answered. Of its answer only the text was "
            "kept, which is in the history."
        )
