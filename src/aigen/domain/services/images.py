"""Images: noted before they are asked for, stored when they come, kept if they cannot be."""

import asyncio
from datetime import timedelta

from attrs import evolve

from aigen.domain.model.errors import (
    AigenError,
    NotFound,
    ProviderOutcomeUnknown,
    StorageFull,
    TokenRevoked,
)
from aigen.domain.model.idempotency import Attempt, IdempotencyKey
from aigen.domain.model.images import Image, ImageRequest, ImageStatus
from aigen.domain.model.ledger import Charge, Kind
from aigen.domain.model.media import (
    PICTURES,
    MediaRejected,
    MediaRemoval,
    Picture,
    StoredMedia,
    folder_of,
    type_of,
)
from aigen.domain.model.pages import Page
from aigen.domain.services import ledger, removal
from aigen.domain.services.background import Background
from aigen.domain.services.files import Files
from aigen.domain.services.inputs import Intake, give_out, store_picture
from aigen.domain.services.money import Money
from aigen.domain.services.patience import record_paid
from aigen.domain.services.provider_health import ProviderHealth
from aigen.domain.services.repeats import Once, remember, repeated, replay, settle
from aigen.ports.clock import Clock, Ids
from aigen.ports.media import Accept, MediaStore
from aigen.ports.provider import BadAnswer, Failure, ImageAnswer, ImageProvider, Unknown
from aigen.ports.store import HistoryQuery, Records, Store

#: What storing takes beyond the provider's own timeout, generously.
_MARGIN = timedelta(seconds=120)


class Images:
    """`timeout` is how long the provider may take, `largest` how many bytes a picture may have."""

    def __init__(
        self,
        store: Store,
        provider: ImageProvider,
        media: MediaStore,
        files: Files,
        money: Money,
        health: ProviderHealth,
        background: Background,
        clock: Clock,
        ids: Ids,
        *,
        timeout: timedelta,
        largest: int,
    ) -> None:
        self._store = store
        self._provider = provider
        self._media = media
        self._files = files
        self._money = money
        self._health = health
        self._background = background
        self._clock = clock
        self._ids = ids
        self._patience = timeout + _MARGIN
        self._accept = Accept(types=PICTURES, size=largest)

    async def generate(self, user_id: str, request: ImageRequest) -> Image:
        """Pictures, stored in the user's history.

        Raises InvalidRequest (the input picture), ProviderRefused, ProviderUnavailable,
        ProviderMisconfigured, ProviderBadAnswer, ProviderOutcomeUnknown, SpendLimitReached,
        StorageFull.
        """
        return (await self.generate_once(user_id, request, None)).value

    async def generate_once(
        self,
        user_id: str,
        request: ImageRequest,
        key: IdempotencyKey | None,
        *,
        key_id: str | None = None,
        is_deferred: bool = False,
    ) -> Once[Image]:
        """The same; with a `key`, a repeat gives the first one's image and asks nobody.
        `key_id` is the personal key that pays.

        A deferred one is answered at once, still processing, and finished in the background.
        Raises as `generate`, IdempotencyConflict and IdempotencyInProgress.
        """
        now = self._clock.now()
        earlier = await repeated(self._store, user_id, key, lambda records: records.images, now)
        if earlier is not None:
            return earlier
        if not await self._media.has_room():
            raise StorageFull
        image_id = self._ids.new()
        charge = Charge(
            id=image_id,
            user_id=user_id,
            key_id=key_id,
            kind=Kind.IMAGE,
            model=request.model,
            estimate_usd=await self._money.estimate(request),
            created_at=now,
            closes_at=now + self._patience,
        )
        async with Intake(self._media, folder_of(user_id, image_id)) as intake:
            image = Image(
                id=image_id,
                user_id=user_id,
                model=request.model,
                prompt=request.prompt,
                status=ImageStatus.PROCESSING,
                created_at=now,
                input_image=await intake.take("image_url", request.image_url, "input"),
            )
            earlier = await self._store.write(
                lambda records: self._begin(records, image, charge, key, is_deferred=is_deferred)
            )
            if earlier is not None:
                await intake.discard()
                return earlier
        work = self._ask(image, request, key)
        if is_deferred:
            self._background.start(work)
            return Once(value=image, was_deferred=True)
        return Once(value=await self._background.finish(work))

    async def get(self, user_id: str, image_id: str) -> Image:
        """Raises NotFound, also for somebody else's."""
        return await self._store.read(lambda records: _own(records, user_id, image_id))

    async def list(self, query: HistoryQuery) -> Page[Image]:
        return await self._store.read(lambda records: records.images.page(query))

    async def remove(self, user_id: str, image_id: str) -> None:
        """Remove an image with its files. Raises NotFound."""

        now = self._clock.now()

        def change(records: Records) -> None:
            removal.remove(records, [_own(records, user_id, image_id)], now)

        await self._store.write(change)
        await self._files.carry_out_removals()

    async def give_up_lost(self) -> None:
        """End images whose process died while the provider was at work."""
        now = self._clock.now()

        def change(records: Records) -> None:
            for image in records.images.unfinished():
                if now >= image.created_at + self._patience:
                    lost = ProviderOutcomeUnknown()
                    records.images.put(image.failed(code=lost.code, error=lost.detail))

        if await self._store.read(lambda records: records.images.unfinished()):
            await self._store.write(change)

    # --- the call -------------------------------------------------------------------------

    def _begin(
        self,
        records: Records,
        image: Image,
        charge: Charge,
        key: IdempotencyKey | None,
        *,
        is_deferred: bool,
    ) -> Once[Image] | None:
        if records.users.get(image.user_id) is None:
            raise TokenRevoked
        first = remember(
            records,
            image.user_id,
            key,
            image.id,
            now=image.created_at,
            patience=self._patience,
            is_deferred=is_deferred,
        )
        if first is not None:
            return replay(first, records.images.get, image.created_at)
        ledger.reserve(records, charge)
        records.images.put(image)
        return None

    async def _ask(self, image: Image, request: ImageRequest, key: IdempotencyKey | None) -> Image:
        source = await give_out(self._media, image.input_image)
        outcome = await self._provider.generate(request, source)
        if not isinstance(outcome, ImageAnswer):
            raise await self._fail(image, outcome, key)
        self._health.is_well()
        kept = await asyncio.gather(
            *(
                self._keep(picture, folder_of(image.user_id, image.id), f"image-{place}")
                for place, picture in enumerate(outcome.pictures, 1)
            )
        )
        if not any(kept):
            unusable = BadAnswer(
                reason="no usable picture",
                cost_usd=outcome.cost_usd,
                generation_ids=outcome.generation_ids,
            )
            raise await self._fail(image, unusable, key)
        completed = image.completed(
            pictures=tuple(found for found in kept if isinstance(found, StoredMedia)),
            unstored=tuple(found for found in kept if isinstance(found, Picture)),
            text=outcome.text,
            cost_usd=outcome.cost_usd,
        )
        await self._record(completed, outcome, key, Attempt.DONE)
        return completed

    async def _keep(self, picture: Picture, folder: str, name: str) -> StoredMedia | Picture | None:
        """The stored file; the picture itself if there is no room, since it was paid for; None
        if it is no picture that a browser may be shown."""
        try:
            return await store_picture(self._media, picture, folder, name, self._accept)
        except MediaRejected:
            return None
        except (StorageFull, OSError):
            return picture if type_of(picture.content) in PICTURES else None

    async def _fail(self, image: Image, failure: Failure, key: IdempotencyKey | None) -> AigenError:
        error = self._health.note(failure)
        attempt = Attempt.UNKNOWN if isinstance(failure, Unknown) else None
        cost_usd = failure.cost_usd if isinstance(failure, BadAnswer) else None
        failed = image.failed(code=error.code, error=error.detail, cost_usd=cost_usd)
        await self._record(failed, failure, key, attempt)
        return error

    async def _record(
        self,
        image: Image,
        outcome: ImageAnswer | Failure,
        key: IdempotencyKey | None,
        attempt: Attempt | None,
    ) -> None:
        now = self._clock.now()

        def change(records: Records) -> bool:
            if isinstance(outcome, ImageAnswer):
                found = outcome.generation_ids
                ledger.settle(records, image.id, outcome.cost_usd, now, found)
            else:
                ledger.account_for_failure(records, image.id, outcome, now)
            settle(records, image.user_id, key, attempt)
            if records.images.get(image.id) is None:
                # Removed meanwhile, perhaps with its user: its files have to go as well.
                records.removals.put(MediaRemoval(prefix=folder_of(image.user_id, image.id)))
                return False
            records.images.put(evolve(image, unstored=()))
            return True

        if await record_paid(self._store, self._clock, change) is False:
            await self._files.carry_out_removals()


def _own(records: Records, user_id: str, image_id: str) -> Image:
    image = records.images.get(image_id)
    if image is None or image.user_id != user_id:
        raise NotFound
    return image
