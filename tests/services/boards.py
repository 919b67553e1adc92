"""Jobs on the job board, in the hands of workers that do only what a test says."""

from decimal import Decimal

from aigen.adapters.memory.media import MemoryMedia
from aigen.adapters.memory.provider import MP4
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.media import FILMS, Picture
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.domain.services.inputs import store_picture
from aigen.ports.jobs import Claim, Film, NoFilm
from aigen.ports.media import Accept
from aigen.ports.provider import Accepted, Refused, SubmitOutcome
from aigen.ports.store import WorkerLease
from aigen.testing import Harness
from tests.services.worlds import video_request

CENT = Decimal("0.01")
BROKEN = NoFilm(code=VideoError.PROVIDER_FAILED, reason="it broke", cost_usd=CENT)
ACCEPTED = Accepted(provider_job_id="job-1", polling_url="/videos/job-1")
REFUSED = Refused(reason="no foxes")


async def submitted(harness: Harness, user: User, prompt: str = "A fox runs") -> VideoJob:
    return await harness.aigen.videos.submit(user.id, video_request(prompt))


async def now_of(harness: Harness, job: VideoJob) -> VideoJob:
    """The job as it is now."""
    return await harness.aigen.videos.get(job.user_id, job.id)


async def enlisted(harness: Harness) -> str:
    """A new worker with a lease."""
    worker_id = SystemIds().new()
    await harness.aigen.work.enlist(worker_id, is_inside=False)
    return worker_id


async def leases(harness: Harness) -> dict[str, WorkerLease]:
    found = await harness.store.read(lambda records: records.workers.all())
    return {lease.worker_id: lease for lease in found}


async def claims(harness: Harness, worker_id: str, submissions: int = 64) -> tuple[Claim, ...]:
    return await harness.aigen.work.claim(worker_id, submissions=submissions)


async def claimed(harness: Harness, worker_id: str | None = None) -> Claim:
    """The next job, in the hands of this worker or a new one."""
    (claim,) = await claims(harness, worker_id or await enlisted(harness), 1)
    return claim


async def answer(harness: Harness, claim: Claim, outcome: SubmitOutcome = ACCEPTED) -> Claim | None:
    """The provider's answer to the submission of a claim."""
    return await harness.aigen.work.record(claim.video_id, claim.nonce or "", outcome)


async def accepted(
    harness: Harness, worker_id: str | None = None, outcome: Accepted = ACCEPTED
) -> Claim:
    """The next job, taken by the provider; the claim to poll it with."""
    claim = await answer(harness, await claimed(harness, worker_id), outcome)
    assert claim is not None
    return claim


async def in_state(harness: Harness, user: User, state: VideoState) -> VideoJob:
    """A job of the user in this state; no other job may be waiting."""
    job = await submitted(harness, user)
    if state is VideoState.CANCELLED:
        await harness.aigen.videos.cancel(user.id, job.id)
    elif state is not VideoState.QUEUED:
        claim = await claimed(harness)
        if state is VideoState.FAILED:
            await answer(harness, claim, REFUSED)
        elif state is not VideoState.SUBMITTING:
            await answer(harness, claim, Accepted(provider_job_id=f"job-of-{job.id}"))
        if state is VideoState.COMPLETED:
            assert await finish(harness, claim)
    return await now_of(harness, job)


async def film_of(media: MemoryMedia, claim: Claim, content: bytes = MP4) -> Film:
    """The claim's film, stored as a worker would."""
    accept = Accept(types=FILMS, size=10_000)
    name = f"video-{claim.epoch}"
    stored = await store_picture(media, Picture(content=content), claim.folder, name, accept)
    return Film(media=stored, cost_usd=CENT)


async def finish(harness: Harness, claim: Claim, result: Film | NoFilm | None = None) -> bool:
    """The end of a claim's job, by default with a film; whether it was taken."""
    result = result or await film_of(harness.media, claim)
    return await harness.aigen.work.finish(claim.video_id, claim.epoch, result)
