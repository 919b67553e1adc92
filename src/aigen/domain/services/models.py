"""The models on offer: asked of the provider now and then, remembered when it is away."""

import asyncio
import logging
from contextlib import suppress
from datetime import datetime, timedelta

from aigen.domain.model.catalogue import Model, Output
from aigen.domain.model.errors import ProviderUnavailable
from aigen.domain.services.background import Background
from aigen.ports.clock import Clock
from aigen.ports.provider import ModelCatalogue

logger = logging.getLogger(__name__)

_FRESH_FOR = timedelta(minutes=10)
_ASK_AGAIN_AFTER = timedelta(seconds=30)


class Models:
    def __init__(self, catalogue: ModelCatalogue, background: Background, clock: Clock) -> None:
        self._catalogue = catalogue
        self._background = background
        self._clock = clock
        self._known: tuple[Model, ...] | None = None
        self._by_id: dict[str, Model] = {}
        self._ask_at: datetime | None = None
        self._asking = asyncio.Lock()

    async def list(self, output: Output | None = None) -> tuple[Model, ...]:
        """The provider's models, or those that make this output; the last good answer if the
        provider is down. Raises ProviderUnavailable if there never was one."""
        models = await self._current()
        return tuple(model for model in models if output is None or output.value in model.output)

    async def find(self, model_id: str) -> Model | None:
        """The model with this id; None if the list does not have it or cannot be reached. Who
        asks waits for the very first list alone: a newer one is fetched behind his back."""
        if self._known is None:
            with suppress(ProviderUnavailable):
                await self._current()
        elif self._is_stale() and not self._asking.locked():
            self._background.start(self._current())
        return self._by_id.get(model_id)

    async def _current(self) -> tuple[Model, ...]:
        async with self._asking:
            if self._is_stale():
                await self._ask()
        if self._known is None:
            raise ProviderUnavailable("The provider's list of models cannot be reached.")
        return self._known

    def _is_stale(self) -> bool:
        return self._ask_at is None or self._clock.now() >= self._ask_at

    async def _ask(self) -> None:
        try:
            self._known = await self._catalogue.models()
        except ProviderUnavailable as error:
            logger.warning("the list of models cannot be reached: %s", error.detail)
            pause = _ASK_AGAIN_AFTER
        else:
            self._by_id = {model.id: model for model in self._known}
            pause = _FRESH_FOR
        self._ask_at = self._clock.now() + pause
