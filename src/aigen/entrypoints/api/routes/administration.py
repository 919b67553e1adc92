"""Numbers, audit, and settling what nobody knows."""

from typing import Annotated

from fastapi import APIRouter, Query

from aigen.domain.model.retention import RetentionPolicy
from aigen.domain.model.videos import Unsettled
from aigen.entrypoints.api.auth import Admin, TheHouse
from aigen.entrypoints.api.paging import Paging, listed
from aigen.entrypoints.api.schemas.administration import (
    AuditEntryOut,
    ResolveBody,
    RetentionOut,
    StatisticsOut,
    UnsettledVideoOut,
)
from aigen.entrypoints.api.schemas.values import Listed
from aigen.entrypoints.api.schemas.videos import VideoFacts

router = APIRouter(prefix="/admin", tags=["administration"])


@router.get("/stats")
async def stats(_: Admin, house: TheHouse) -> StatisticsOut:
    return StatisticsOut.of(await house.aigen.admin.statistics())


@router.get("/audit")
async def audit(_: Admin, house: TheHouse, paging: Paging) -> Listed[AuditEntryOut]:
    """What happened to accounts, sessions and money, newest first."""
    return listed(await house.aigen.admin.audit(paging), AuditEntryOut.of)


@router.get("/retention")
async def retention(
    _: Admin,
    house: TheHouse,
    days: Annotated[int | None, Query(description="kept for so many days")] = None,
    bytes_per_user: Annotated[int | None, Query(description="the newest files that fit")] = None,
) -> RetentionOut:
    """What would be removed now because it was kept long enough; nothing is. With a policy in the
    query, by that in the place of the installation's own."""
    kept = house.aigen.retention
    asked = RetentionPolicy(days=days, bytes_per_user=bytes_per_user)
    policy = asked if asked.is_on else kept.policy
    return RetentionOut.of(policy, await kept.preview(policy))


@router.get("/videos")
async def unsettled_videos(
    _: Admin,
    house: TheHouse,
    paging: Paging,
    status: Annotated[
        Unsettled, Query(description="`held` are those that a restore has held back")
    ] = Unsettled.OUTCOME_UNKNOWN,
) -> Listed[UnsettledVideoOut]:
    """Jobs of everybody that wait for an administrator; no content."""
    return listed(await house.aigen.admin.unsettled(status, paging), UnsettledVideoOut.of)


@router.post("/videos/{video_id}/resolve")
async def resolve(video_id: str, body: ResolveBody, admin: Admin, house: TheHouse) -> VideoFacts:
    """Settle an unknown submission, by the provider's id for it or by whether it was charged;
    or release a job that a restore has held."""
    settle = house.aigen.admin
    if body.provider_job_id is not None:
        job = await settle.adopt(
            video_id, body.provider_job_id, actor_id=admin.id, address=admin.address
        )
    elif body.charged is not None:
        job = await settle.close(
            video_id, was_charged=body.charged, actor_id=admin.id, address=admin.address
        )
    else:
        job = await settle.release(video_id, actor_id=admin.id, address=admin.address)
    return VideoFacts.of_job(job)
