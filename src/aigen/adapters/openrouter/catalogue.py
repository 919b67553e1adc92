"""The models on offer, and whether the provider takes our key."""

import asyncio
import logging
from typing import Any

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.listings import merged
from aigen.adapters.openrouter.outcomes import Reply
from aigen.adapters.openrouter.wire import mapping, parsed
from aigen.domain.model.catalogue import Model
from aigen.domain.model.errors import ProviderUnavailable
from aigen.ports.provider import Misconfigured, ModelCatalogue, NotSent, Unknown

logger = logging.getLogger(__name__)

_REFUSING_OUR_KEY = frozenset({401, 403})


class OpenRouterCatalogue(ModelCatalogue):
    def __init__(self, clients: OpenRouterClients) -> None:
        self._line = clients.poll
        self._origin = clients.origin
        self._outcomes = clients.outcomes

    async def models(self) -> tuple[Model, ...]:
        # Without the parameter there are only the models that write text.
        everything, images, videos = await asyncio.gather(
            self._listed("/models?output_modalities=all"),
            self._listed("/images/models"),
            self._listed("/videos/models"),
        )
        if everything is None:
            everything = await self._listed("/models")
        if everything is None:
            raise ProviderUnavailable("The provider's list of models cannot be read.")
        return merged(everything, images or [], videos or [])

    async def check_key(self) -> Misconfigured | None:
        reply = await self._ask("/key")
        if not isinstance(reply, Reply) or reply.status not in _REFUSING_OUR_KEY:
            return None
        return Misconfigured(reason=self._outcomes.of_reply(reply).reason)

    async def _listed(self, path: str) -> list[Any] | None:
        reply = await self._ask(path)
        if isinstance(reply, Reply) and reply.is_success:
            entries = mapping(parsed(reply.body)).get("data")
            if isinstance(entries, list):
                return entries
        what = reply.status if isinstance(reply, Reply) else reply.reason
        logger.warning("the provider's listing %s cannot be read: %s", path, what)
        return None

    async def _ask(self, path: str) -> Reply | NotSent | Unknown:
        return await self._line.get(self._origin.at(path))
