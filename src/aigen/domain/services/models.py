"""The models on offer: asked of the provider now and then, remembered when it is away."""

import asyncio
import logging
from datetime import datetime, timedelta

from aigen.domain.model.catalogue import Model, Output
from aigen.domain.model.errors import ProviderUnavailable
from aigen.ports.clock import Clock
from aigen.ports.provider import ModelCatalogue

logger = logging.getLogger(__name__)

_FRESH_FOR = timedelta(minutes=10)
_ASK_AGAIN_AFTER = timedelta(seconds=30)


class Models:
    def __init__(self, catalogue: ModelCatalogue, clock: Clock) -> None:
        self._catalogue = catalogue
        self._clock = clock
        self._known: tuple[Model, ...] | None = None
        self._ask_at: datetime | None = None
        self._asking = asyncio.Lock()

    async def list(self, output: Output | None = None) -> tuple[Model, ...]:
        """The provider's models, or those that make this output; the last good answer if the
        provider is down. Raises ProviderUnavailable if there never was one."""
        models = await self._current()
        return tuple(model for model in models if output is None or output.value in model.output)

    async def _current(self) -> tuple[Model, ...]:
        async with self._asking:
            if self._ask_at is None or self._clock.now() >= self._ask_at:
                await self._ask()
        if self._known is None:
            raise ProviderUnavailable("The provider's list of models cannot be reached.")
        return self._known

    async def _ask(self) -> None:
        try:
            self._known = await self._catalogue.models()
        except ProviderUnavailable as error:
            logger.warning("the list of models cannot be reached: %s", error.detail)
            pause = _ASK_AGAIN_AFTER
        else:
            pause = _FRESH_FOR
        self._ask_at = self._clock.now() + pause
