"""What must happen to data that comes from a backup before anybody may use it."""

from datetime import UTC, datetime

from aigen.domain.model.audit import Action, AuditEntry
from aigen.ports.clock import Clock, Ids
from aigen.ports.store import Records, Store

_END_OF_TIME = datetime.max.replace(tzinfo=UTC)
_ALL = 10**9


async def make_safe(store: Store, clock: Clock, ids: Ids) -> int:
    """End all sessions, since the backup knows tokens that were revoked later; hold all queued
    jobs, since they may have been submitted later. Returns how many jobs are held."""
    now = clock.now()

    def change(records: Records) -> int:
        records.sessions.remove_older(_END_OF_TIME)
        records.refresh_tokens.remove_older(_END_OF_TIME)
        records.reset_links.remove_older(_END_OF_TIME)
        queued = records.videos.ready(_END_OF_TIME, _ALL)
        for job in queued:
            records.videos.put(job.held(now))
        records.audit.append(
            AuditEntry(
                id=ids.new(), at=now, action=Action.RESTORED, details={"held": str(len(queued))}
            )
        )
        return len(queued)

    return await store.write(change)
