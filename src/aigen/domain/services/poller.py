"""Asking the provider about one job, and fetching its film when it is finished."""

import logging

from aigen.domain.model.errors import AigenError, StorageFull
from aigen.domain.model.media import FILMS, MediaRejected, StoredMedia, film_name
from aigen.domain.model.videos import VideoError
from aigen.domain.services.polling import Again, Fetch, Step, Watch
from aigen.ports.clock import Clock
from aigen.ports.jobs import Claim, Film, NoFilm
from aigen.ports.media import Accept, MediaFiles
from aigen.ports.provider import ContentMissing, ContentUnavailable, VideoProvider

logger = logging.getLogger(__name__)


class Poller:
    """`largest` is how many bytes a film may have."""

    def __init__(
        self, provider: VideoProvider, media: MediaFiles, clock: Clock, *, largest: int
    ) -> None:
        self._provider = provider
        self._media = media
        self._clock = clock
        self._accept = Accept(types=FILMS, size=largest)

    async def next_step(self, watch: Watch) -> Again | NoFilm | Film:
        """Poll once, fetch the film if there is one, and say what is to be done."""
        claim = watch.claim
        try:
            outcome = await self._provider.poll(claim.provider_job_id or "", claim.polling_url)
            step: Step | Film = watch.after(outcome, self._clock.now())
            if isinstance(step, Fetch):
                step = await self._fetch(watch, step)
        except (AigenError, OSError) as error:
            logger.warning("a film could not be stored: %s", error)
            return watch.after_accident(self._clock.now())
        except Exception:
            logger.exception("polling failed in a way that should not be possible")
            return watch.after_accident(self._clock.now())
        return step

    async def _fetch(self, watch: Watch, fetch: Fetch) -> Again | NoFilm | Film:
        if not await self._media.has_room():
            return watch.after_full_disk(self._clock.now())
        is_missing = True
        for address in fetch.addresses:
            try:
                media = await self._store(watch.claim, address)
            except ContentMissing:
                continue
            except ContentUnavailable as error:
                logger.info("a film could not be fetched: %s", error)
                is_missing = False
            except StorageFull:
                return watch.after_full_disk(self._clock.now())
            except MediaRejected as error:
                return NoFilm(
                    code=VideoError.MEDIA_REJECTED,
                    reason=f"What the provider sent cannot be used. {error.detail}",
                    cost_usd=fetch.done.cost_usd,
                    generation_ids=fetch.done.generation_ids,
                )
            else:
                return Film(
                    media=media,
                    cost_usd=fetch.done.cost_usd,
                    generation_ids=fetch.done.generation_ids,
                )
        now = self._clock.now()
        return watch.after_failed_download(now, is_missing=is_missing, done=fetch.done)

    async def _store(self, claim: Claim, address: str | None) -> StoredMedia:
        async with self._provider.fetch(claim.provider_job_id or "", address) as chunks:
            name = film_name(claim.epoch)
            return await self._media.put(claim.folder, name, chunks, self._accept)
