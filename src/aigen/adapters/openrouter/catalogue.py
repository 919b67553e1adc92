"""The models on offer, and whether the provider takes our key."""

import asyncio
import logging
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from attrs import evolve

from aigen.adapters.openrouter.addresses import escaped, is_usable_id
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.listings import merged
from aigen.adapters.openrouter.outcomes import Reply, status_of
from aigen.adapters.openrouter.picture_prices import picture_prices
from aigen.adapters.openrouter.wire import mapping, parsed
from aigen.domain.model.catalogue import Model, Output, Price
from aigen.domain.model.errors import ProviderUnavailable
from aigen.ports.provider import Misconfigured, ModelCatalogue, NotSent, Unknown

logger = logging.getLogger(__name__)

_REFUSING_OUR_KEY = frozenset({401, 403})
_NOT_FOUND = 404

#: Prices of pictures are asked for model by model: so many at once, and all within so long.
_PRICES_AT_ONCE = 8
_PRICES_TIMEOUT = timedelta(seconds=10)


class OpenRouterCatalogue(ModelCatalogue):
    def __init__(self, clients: OpenRouterClients) -> None:
        self._line = clients.poll
        self._price_line = evolve(clients.poll, timeout=_PRICES_TIMEOUT)
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
        return await self._with_picture_prices(merged(everything, images or [], videos or []))

    async def check_key(self) -> Misconfigured | None:
        reply = await self._ask("/key")
        if not isinstance(reply, Reply) or reply.status not in _REFUSING_OUR_KEY:
            return None
        return Misconfigured(reason=self._outcomes.of_reply(reply).reason)

    async def _with_picture_prices(self, models: Sequence[Model]) -> tuple[Model, ...]:
        """The models; those that draw with the prices of their pictures, where they can be had."""
        deadline = self._price_line.deadline()
        turns = asyncio.Semaphore(_PRICES_AT_ONCE)
        unknown: list[str] = []

        async def priced(model: Model) -> Model:
            path = _endpoints_path(model)
            if path is None:
                return model
            async with turns:
                reply = await self._price_line.get(self._origin.at(path), deadline)
            prices = _prices_in(reply)
            if prices is None:
                unknown.append(model.id)
            return model if prices is None else _with_prices(model, prices)

        found = await asyncio.gather(*map(priced, models))
        if unknown:
            message = "the price of a picture cannot be read for %d models, among them %r"
            logger.warning(message, len(unknown), unknown[0])
        return tuple(found)

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


def _prices_in(reply: Reply | NotSent | Unknown) -> tuple[Price, ...] | None:
    """None if they cannot be read."""
    if not isinstance(reply, Reply):
        return None
    if status_of(reply) == _NOT_FOUND:
        return ()  # it draws in chats alone
    return picture_prices(reply.body) if reply.is_success else None


def _with_prices(model: Model, prices: Sequence[Price]) -> Model:
    told = {price.per for price in prices}
    others = (price for price in model.pricing if price.per not in told)
    return evolve(model, pricing=(*others, *prices))


def _endpoints_path(model: Model) -> str | None:
    """The route that tells what the model's pictures cost; None if it draws none."""
    author, _, slug = model.id.partition("/")
    if Output.IMAGE not in model.output or not is_usable_id(author) or not is_usable_id(slug):
        return None
    return f"/images/models/{escaped(author)}/{escaped(slug)}/endpoints"
