"""Is it alive, is it ready, what has it done; and the provider's callbacks."""

import asyncio

from fastapi import APIRouter, Request, Response, status
from fastapi.responses import PlainTextResponse

from aigen.adapters.openrouter.callbacks import check_signature, read_callback
from aigen.domain.model.errors import AigenError, CallbackSignatureInvalid, NotFound
from aigen.entrypoints.api.auth import ADMIN_ONLY, TheHouse
from aigen.entrypoints.api.house import House
from aigen.entrypoints.api.schemas.operations import HealthOut, ReadinessOut
from aigen.ports.store import WorkerLease

router = APIRouter(tags=["operations"])

_PATIENCE_SECONDS = 2.0


@router.get("/healthz")
async def healthz() -> HealthOut:
    """The event loop runs."""
    return HealthOut()


@router.get("/readyz", responses={503: {"model": ReadinessOut}})
async def readyz(house: TheHouse, response: Response) -> ReadinessOut:
    """Whether work should be sent here, and if not, why."""
    leases = await _leases(house)
    reasons = [*_troubles_inside(house), *await _troubles_of_storage(house)]
    reasons += sorted(
        {
            f"the provider refuses our key or credit: {lease.trouble}"
            for lease in leases or ()
            if lease.trouble
        }
    )
    if leases is None:
        reasons.append("the database does not answer")
    if reasons:
        response.status_code = status.HTTP_503_SERVICE_UNAVAILABLE
    return ReadinessOut(
        status="unready" if reasons else "ready", reasons=reasons, workers=len(leases or ())
    )


@router.get("/metrics", dependencies=[ADMIN_ONLY], response_class=PlainTextResponse)
async def metrics(house: TheHouse) -> Response:
    """Prometheus metrics, where they are switched on."""
    if house.metrics is None:
        raise NotFound
    counts, unknown = await house.aigen.store.read(
        lambda records: (records.videos.count_by_status(), records.videos.count_unknown())
    )
    leases = await _leases(house) or ()
    house.metrics.note_jobs(counts, unknown=unknown, workers=len(leases))
    return Response(house.metrics.text(), media_type=house.metrics.media_type)


@router.post("/provider/callback/{nonce}", status_code=status.HTTP_204_NO_CONTENT)
async def callback(nonce: str, request: Request, house: TheHouse) -> None:
    """The provider's signed webhook: news of a job."""
    secret = house.aigen.settings.callback_secret
    body = await request.body()
    said = read_callback(body)
    video_id, _, attempt = nonce.partition(".")
    if house.aigen.settings.callback_base is None or secret is None or said is None:
        raise NotFound
    await house.aigen.work.must_expect(video_id, attempt, said.provider_job_id)
    signature = request.headers.get("x-openrouter-signature", "")
    now = house.aigen.clock.now()
    if not check_signature(secret.get_secret_value(), signature, body, now):
        raise CallbackSignatureInvalid
    await house.aigen.work.called_back(video_id, attempt, said.provider_job_id)


async def _leases(house: House) -> tuple[WorkerLease, ...] | None:
    """The leases that have not run out; None if the database cannot take a change."""
    now = house.aigen.clock.now()
    try:
        async with asyncio.timeout(_PATIENCE_SECONDS):
            # As a change, so that it waits its turn at the writer like any other.
            leases = await house.aigen.store.write(lambda records: records.workers.all())
    except (AigenError, TimeoutError):
        return None
    return tuple(lease for lease in leases if lease.expires_at > now)


def _troubles_inside(house: House) -> list[str]:
    troubles = []
    if house.is_draining:
        troubles.append("the server is shutting down")
    if house.worker is not None and not house.is_worker_alive():
        troubles.append("the worker inside has stopped")
    if house.aigen.health.trouble is not None:
        trouble = house.aigen.health.trouble
        troubles.append(f"the provider refuses our key or credit: {trouble}")
    return troubles


async def _troubles_of_storage(house: House) -> list[str]:
    has_room = await house.aigen.media.has_room()
    if has_room:
        return []
    return ["files cannot be stored (disk nearly full, or bucket away), so nothing is submitted"]
