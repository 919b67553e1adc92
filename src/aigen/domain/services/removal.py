"""Removing what was generated, one or many: the one place that knows what goes with it."""

from collections.abc import Collection, Iterable
from datetime import datetime

from aigen.domain.model.generations import Generation
from aigen.domain.model.images import Image
from aigen.domain.model.media import MediaRemoval, folder_of
from aigen.domain.model.texts import Text
from aigen.domain.model.videos import VideoJob
from aigen.domain.services import ledger
from aigen.ports.store import Records


def found(records: Records, ids: Collection[str]) -> dict[str, Generation]:
    """What there is under these ids, of whatever kind, by id."""
    generations: tuple[Generation, ...] = (
        *records.texts.get_many(ids),
        *records.images.get_many(ids),
        *records.videos.get_many(ids),
    )
    return {generation.id: generation for generation in generations}


def remove(records: Records, generations: Iterable[Generation], now: datetime) -> None:
    """Within a change: they go, and their files are noted for removal. Charges stay."""
    jobs = [generation for generation in generations if isinstance(generation, VideoJob)]
    _have_at_hand(records, jobs)
    for generation in generations:
        match generation:
            case Text():
                records.texts.remove(generation.id)
                continue
            case Image():
                records.images.remove(generation.id)
            case VideoJob():
                _remove_job(records, generation, now)
        folder = folder_of(generation.user_id, generation.id)
        records.removals.put(MediaRemoval(prefix=folder))


def _have_at_hand(records: Records, jobs: Collection[VideoJob]) -> None:
    """Read at once what would be asked for job by job."""
    records.charges.get_many(job.id for job in jobs)
    records.provider_jobs.get_many(job.provider_job_id for job in jobs if job.provider_job_id)


def _remove_job(records: Records, job: VideoJob, now: datetime) -> None:
    ledger.close_of_job(records, job, now)
    records.videos.remove(job.id)
    if job.provider_job_id is not None:
        records.provider_jobs.remove(job.provider_job_id)
