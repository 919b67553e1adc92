"""Costs that the provider did not report: asked for, until they are known or it is too late."""

from datetime import datetime
from decimal import Decimal

from attrs import evolve

from aigen.domain.model.ledger import Charge, Kind
from aigen.domain.services import ledger
from aigen.ports.clock import Clock
from aigen.ports.provider import CostLookup
from aigen.ports.store import Records, Store


class Costs:
    def __init__(self, store: Store, lookup: CostLookup, clock: Clock) -> None:
        self._store = store
        self._lookup = lookup
        self._clock = clock

    async def settle_open(self) -> None:
        """Ask once for every cost that is missing, and close what was asked for long enough."""
        for charge in await self._store.read(lambda records: records.charges.sought()):
            cost_usd = await self._cost_of(charge)
            if cost_usd is not None:
                await self._found(charge.id, cost_usd)
        now = self._clock.now()
        if await self._store.read(lambda records: records.charges.due(now)):
            await self._store.write(lambda records: ledger.close_due(records, now))

    async def _cost_of(self, charge: Charge) -> Decimal | None:
        """What all its generations have cost; None while one of them is not known."""
        total = Decimal(0)
        for generation_id in charge.generation_ids:
            found = await self._lookup.cost_of(generation_id)
            if not isinstance(found, Decimal):
                return None
            total += found
        return total

    async def _found(self, charge_id: str, cost_usd: Decimal) -> None:
        now = self._clock.now()

        def change(records: Records) -> None:
            charge = ledger.found(records, charge_id, cost_usd, now)
            if charge is not None:
                _tell(records, charge, now)

        await self._store.write(change)


def _tell(records: Records, charge: Charge, now: datetime) -> None:
    """Show the cost with what was generated, if that is still there."""
    match charge.kind:
        case Kind.TEXT:
            if text := records.texts.get(charge.id):
                records.texts.put(evolve(text, cost_usd=charge.cost_usd))
        case Kind.IMAGE:
            if image := records.images.get(charge.id):
                records.images.put(evolve(image, cost_usd=charge.cost_usd))
        case Kind.VIDEO:
            if job := records.videos.get(charge.id):
                records.videos.put(evolve(job, cost_usd=charge.cost_usd, updated_at=now))
