"""Letting go of what has been kept long enough, a little at a time."""

import logging
import sys

from attrs import asdict

from aigen.domain.model.audit import Action, AuditEntry
from aigen.domain.model.retention import Expired, Pruned, RetentionPolicy, ended_at
from aigen.domain.services.files import Files
from aigen.domain.services.removal import found, remove
from aigen.ports.clock import Clock, Ids
from aigen.ports.store import Records, Store

logger = logging.getLogger(__name__)

#: So many are gone with one change; more would make others wait for the store.
_AT_ONCE = 200


class Retention:
    """`policy` is the installation's own, which housekeeping carries out every hour."""

    def __init__(
        self, store: Store, files: Files, clock: Clock, ids: Ids, policy: RetentionPolicy
    ) -> None:
        self._store = store
        self._files = files
        self._clock = clock
        self._ids = ids
        self.policy = policy

    async def preview(self, policy: RetentionPolicy | None = None) -> tuple[Expired, ...]:
        """What would go now by this policy, by default the installation's own; nothing does."""
        policy = policy or self.policy
        if not policy.is_on:
            return ()
        expiry = policy.at(self._clock.now())
        return await self._store.read(lambda records: records.expired_by_user(expiry))

    async def prune(
        self, policy: RetentionPolicy | None = None, *, most: int = sys.maxsize
    ) -> Pruned:
        """Remove what has been kept long enough, the oldest first, until about so many
        generations are gone; what is gone, nothing when nothing is left to go. If its files
        cannot be deleted now, the rest stays for the next time."""
        policy = policy or self.policy
        total = Pruned()
        while total.generations < most and (pruned := await self._prune_some(policy)):
            total += pruned
            if not await self._files.carry_out_removals():
                break
        if total:
            logger.info("retention removed %s", total)
        return total

    async def _prune_some(self, policy: RetentionPolicy) -> Pruned:
        if not policy.is_on:
            return Pruned()
        expiry = policy.at(self._clock.now())
        ids = await self._store.read(lambda records: records.expired(expiry, _AT_ONCE))
        if not ids:
            return Pruned()
        return await self._store.write(lambda records: self._remove(records, ids, policy))

    def _remove(self, records: Records, ids: tuple[str, ...], policy: RetentionPolicy) -> Pruned:
        # Found a moment ago: meanwhile an administrator may have found what was unknown, or its
        # owner may have been quicker.
        going = [one for one in found(records, ids).values() if ended_at(one) is not None]
        pruned = sum(map(Pruned.of, going), Pruned())
        if not pruned:
            return pruned
        now = self._clock.now()
        remove(records, going, now)
        records.audit.append(
            AuditEntry(
                id=self._ids.new(),
                at=now,
                action=Action.HISTORY_PRUNED,
                details={
                    name: str(number)
                    for name, number in (asdict(policy) | asdict(pruned)).items()
                    if number is not None
                },
            )
        )
        return pruned
