"""Deleting the files of what was removed; noted in the same change, so none is forgotten."""

import logging
from collections.abc import Iterable

from aigen.domain.model.errors import StorageFull
from aigen.domain.model.media import MediaRemoval, film_keys, folder_of
from aigen.domain.model.videos import VideoJob
from aigen.ports.media import MediaStore
from aigen.ports.store import Records, Store

logger = logging.getLogger(__name__)


def remove_films(records: Records, job: VideoJob, epochs: Iterable[int]) -> None:
    """Within the change that ends a job: note what its workers of these epochs may have stored
    and could not tell of, since they were killed."""
    for key in film_keys(folder_of(job.user_id, job.id), epochs):
        records.removals.put(MediaRemoval(prefix=key))


class Files:
    def __init__(self, store: Store, media: MediaStore) -> None:
        self._store = store
        self._media = media

    async def carry_out_removals(self) -> None:
        """Delete all files noted for removal. What fails stays noted for the next time."""
        for removal in await self._store.read(lambda records: records.removals.all()):
            await self._carry_out(removal)

    async def _carry_out(self, removal: MediaRemoval) -> None:
        try:
            await self._media.remove(removal.prefix)
        except (StorageFull, OSError):
            logger.exception("files could not be deleted; trying again later")
            return
        await self._store.write(lambda records: records.removals.remove(removal.prefix))
