"""What a generation cost, asked afterwards."""

from decimal import Decimal

from aigen.adapters.openrouter import wire
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.outcomes import Reply, status_of
from aigen.ports.provider import CostLookup, Unreachable

_NOT_FOUND = 404


class OpenRouterCosts(CostLookup):
    def __init__(self, clients: OpenRouterClients) -> None:
        self._line = clients.poll
        self._origin = clients.origin
        self._outcomes = clients.outcomes

    async def cost_of(self, generation_id: str) -> Decimal | Unreachable | None:
        if not wire.generation_id(generation_id):
            return None  # it gives no such ids
        reply = await self._line.get(self._origin.at(f"/generation?id={generation_id}"))
        if not isinstance(reply, Reply):
            return Unreachable(reason=reply.reason)
        if status_of(reply) == _NOT_FOUND:
            return None
        told = wire.mapping(wire.mapping(wire.parsed(reply.body)).get("data"))
        cost_usd = wire.usd(told.get("total_cost"))
        if reply.is_success and told.get("id") == generation_id and cost_usd is not None:
            return cost_usd
        meant = self._outcomes.no_news(reply)
        return meant if isinstance(meant, Unreachable) else Unreachable(reason=meant.reason)
