"""Pictures, by the route that the model needs."""

import asyncio
from collections.abc import Coroutine, Iterable, Mapping, Sequence
from decimal import Decimal
from types import MappingProxyType
from typing import Any

from attrs import evolve, frozen

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.content import Content
from aigen.adapters.openrouter.image_routes import (
    CHAT,
    GENERATIONS,
    IMAGES,
    Drawn,
    Route,
    route_for,
)
from aigen.adapters.openrouter.outcomes import Reply, status_of
from aigen.adapters.openrouter.pictures import pictures_of
from aigen.domain.model.images import ImageRequest
from aigen.ports.provider import (
    BadAnswer,
    Failure,
    ImageAnswer,
    ImageProvider,
    Refused,
    Unknown,
)

#: What a route may be forced to; `auto` chooses by the model.
ROUTES: Mapping[str, Route | None] = MappingProxyType(
    {"auto": None, "chat": CHAT, "images": IMAGES, "generations": GENERATIONS}
)
_BAD_REQUEST = 400
_NOT_HERE = 404


@frozen(kw_only=True)
class _Try:
    """What came of one call; `refused_by` is the status that a refusal had."""

    outcome: ImageAnswer | Failure
    refused_by: int | None = None


class OpenRouterImages(ImageProvider):
    """`route` is auto, chat, images or generations; a forced one never falls back."""

    def __init__(self, clients: OpenRouterClients, *, route: str = "auto") -> None:
        self._forced = ROUTES[route]
        self._line = clients.image
        self._origin = clients.origin
        self._outcomes = clients.outcomes
        self._content = Content(clients)

    async def generate(
        self, request: ImageRequest, source: str | None = None
    ) -> ImageAnswer | Failure:
        route = self._forced or route_for(request.model)
        if source is not None and not route.can_edit:
            return Refused(reason="this model cannot edit a picture: leave the picture out")
        deadline = self._line.deadline()
        tries = await self._ask(route, request, source, deadline)
        if self._forced is None and all(found.refused_by == _NOT_HERE for found in tries):
            tries = await self._ask(IMAGES, request, source, deadline)
        return _together([found.outcome for found in tries])

    async def _ask(
        self, route: Route, request: ImageRequest, source: str | None, deadline: float
    ) -> list[_Try]:
        def call(count: int) -> Coroutine[Any, Any, _Try]:
            return self._call(route, route.body(request, source, count), deadline)

        if route.is_single(request.model):
            return await asyncio.gather(*(call(1) for _ in range(request.n)))
        tries = [await call(request.n)]
        if request.n > 1 and tries[0].refused_by == _BAD_REQUEST:
            # Perhaps a model that gives one picture a call; if not, a second no is free as well.
            tries = [await call(1)]
            if isinstance(tries[0].outcome, ImageAnswer):
                tries += await asyncio.gather(*(call(1) for _ in range(request.n - 1)))
        return tries

    async def _call(self, route: Route, body: object, deadline: float) -> _Try:
        reply = await self._line.post(self._origin.at(route.path), body, deadline)
        if not isinstance(reply, Reply):
            return _Try(outcome=reply)
        drawn = route.read(reply, self._outcomes)
        if isinstance(drawn, Drawn):
            return _Try(outcome=await self._answer(drawn, deadline))
        status = status_of(reply) if isinstance(drawn, Refused) else None
        return _Try(outcome=drawn, refused_by=status)

    async def _answer(self, drawn: Drawn, deadline: float) -> ImageAnswer | BadAnswer:
        pictures = await pictures_of(drawn.sources, self._content, deadline)
        if not pictures:
            return BadAnswer(
                reason="its picture cannot be had",
                cost_usd=drawn.cost_usd,
                generation_ids=drawn.generation_ids,
            )
        return ImageAnswer(
            pictures=pictures,
            text=drawn.text or None,
            cost_usd=drawn.cost_usd,
            generation_ids=drawn.generation_ids,
        )


def _together(outcomes: Sequence[ImageAnswer | Failure]) -> ImageAnswer | Failure:
    """One answer of several calls: whatever came, else the failure that may have cost most."""
    answers = [outcome for outcome in outcomes if isinstance(outcome, ImageAnswer)]
    charged = [outcome for outcome in outcomes if isinstance(outcome, ImageAnswer | BadAnswer)]
    cost_usd = _sum(outcome.cost_usd for outcome in charged)
    generation_ids = tuple(found for outcome in charged for found in outcome.generation_ids)
    if answers:
        texts = dict.fromkeys(answer.text for answer in answers if answer.text)
        return ImageAnswer(
            pictures=tuple(picture for answer in answers for picture in answer.pictures),
            text="\n\n".join(texts) or None,
            cost_usd=cost_usd,
            generation_ids=generation_ids,
        )
    failures = [outcome for outcome in outcomes if not isinstance(outcome, ImageAnswer)]
    worst = min(failures, key=_rank)  # of equals the first
    if isinstance(worst, BadAnswer):
        return evolve(worst, cost_usd=cost_usd, generation_ids=generation_ids)
    return worst


def _rank(failure: Failure) -> int:
    """What may have been charged comes before what was charged, and that before what was not."""
    ranks: dict[type[Failure], int] = {Unknown: 0, BadAnswer: 1}
    return ranks.get(type(failure), len(ranks))


def _sum(costs: Iterable[Decimal | None]) -> Decimal | None:
    """The costs that are known; None if none is."""
    known = [cost for cost in costs if cost is not None]
    return sum(known, Decimal(0)) if known else None
