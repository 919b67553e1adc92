"""Deleting the files of what was removed; noted in the same change, so none is forgotten."""

import asyncio
import logging
from collections.abc import Iterable, Sequence

from aigen.domain.model.errors import StorageFull
from aigen.domain.model.media import MediaRemoval, film_keys, folder_of
from aigen.domain.model.videos import VideoJob
from aigen.ports.media import MediaStore
from aigen.ports.store import Records, Store

logger = logging.getLogger(__name__)

#: Removals carried out side by side: a bucket takes a while to answer each.
_AT_ONCE = 32


def remove_films(records: Records, job: VideoJob, epochs: Iterable[int]) -> None:
    """Within the change that ends a job: note what its workers of these epochs may have stored
    and could not tell of, since they were killed."""
    for key in film_keys(folder_of(job.user_id, job.id), epochs):
        records.removals.put(MediaRemoval(prefix=key))


class Files:
    def __init__(self, store: Store, media: MediaStore) -> None:
        self._store = store
        self._media = media
        self._running: asyncio.Task[bool] | None = None
        self._next: asyncio.Task[bool] | None = None

    async def carry_out_removals(self) -> bool:
        """Delete all files noted for removal; whether it was of any use to try. What fails stays
        noted for the next time.

        All who ask while a round is under way share the next one: if each had a round of his own,
        it would delete what everybody has noted.
        """
        if not await self._noted():
            return True
        if self._next is None:
            self._next = asyncio.create_task(self._round(self._running))
        return await asyncio.shield(self._next)

    async def _round(self, before: asyncio.Task[bool] | None) -> bool:
        if before is not None:
            await asyncio.wait([before])
        self._running, self._next = self._next, None
        noted = await self._noted()
        for start in range(0, len(noted), _AT_ONCE):
            some = noted[start : start + _AT_ONCE]
            are_gone = await asyncio.gather(*map(self._delete, some))
            gone = [removal for removal, is_gone in zip(some, are_gone, strict=True) if is_gone]
            if not gone:  # the storage is away: so it would be with the others
                return False
            await self._forget(gone)
        return True

    async def _noted(self) -> Sequence[MediaRemoval]:
        return await self._store.read(lambda records: records.removals.all())

    async def _delete(self, removal: MediaRemoval) -> bool:
        try:
            await self._media.remove(removal.prefix)
        except (StorageFull, OSError):
            logger.exception("files could not be deleted; trying again later")
            return False
        return True

    async def _forget(self, removals: Iterable[MediaRemoval]) -> None:
        def change(records: Records) -> None:
            for removal in removals:
                records.removals.remove(removal.prefix)

        await self._store.write(change)
