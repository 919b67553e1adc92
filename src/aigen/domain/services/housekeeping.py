"""Keeping the house tidy: what has expired goes, what was noted for removal is deleted."""

import logging
from datetime import timedelta

from aigen.domain.model.errors import AigenError
from aigen.domain.model.idempotency import KEPT_FOR
from aigen.domain.services.costs import Costs
from aigen.domain.services.files import Files
from aigen.domain.services.images import Images
from aigen.domain.services.provider_health import ProviderHealth
from aigen.domain.services.retention import Retention
from aigen.ports.clock import Clock
from aigen.ports.store import Records, Store

logger = logging.getLogger(__name__)

_ROUND = timedelta(seconds=60)
_ROUNDS_BETWEEN_PRUNING = 60

#: Generations that go in one round when they have been kept long enough; the rest goes in the
#: next, so that nothing else waits.
_MOST_IN_A_ROUND = 5000

#: Expired tokens stay this long, so that the administrator's numbers show them.
_EXPIRED_KEPT_FOR = timedelta(days=1)


class Housekeeping:
    def __init__(
        self,
        store: Store,
        files: Files,
        images: Images,
        costs: Costs,
        health: ProviderHealth,
        retention: Retention,
        clock: Clock,
    ) -> None:
        self._store = store
        self._files = files
        self._images = images
        self._costs = costs
        self._health = health
        self._retention = retention
        self._clock = clock
        self._is_behind = False

    async def run(self) -> None:
        """Go round every minute, prune every hour, until cancelled."""
        rounds = 0
        while True:
            try:
                await self._go_round(prune=rounds % _ROUNDS_BETWEEN_PRUNING == 0)
            except AigenError as error:
                logger.warning("housekeeping was put off: %s", error.detail)
            except Exception:
                logger.exception("housekeeping failed")
            rounds += 1
            await self._clock.sleep(_ROUND)

    async def _go_round(self, *, prune: bool) -> None:
        await self._files.carry_out_removals()
        await self._images.give_up_lost()
        await self._costs.settle_open()
        if prune or self._health.trouble is not None:
            await self._health.examine()
        if prune:
            await self.prune()
        if prune or self._is_behind:
            pruned = await self._retention.prune(most=_MOST_IN_A_ROUND)
            self._is_behind = pruned.generations >= _MOST_IN_A_ROUND

    async def prune(self) -> None:
        """Forget what nobody will ask for any more."""
        now = self._clock.now()

        def change(records: Records) -> None:
            records.sessions.remove_older(now - _EXPIRED_KEPT_FOR)
            records.refresh_tokens.remove_older(now - _EXPIRED_KEPT_FOR)
            records.reset_links.remove_older(now)
            records.remembered.remove_older(now - KEPT_FOR)
            records.failures.remove_older(now)

        await self._store.write(change)
