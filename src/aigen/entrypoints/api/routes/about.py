"""What anybody may know of this installation: the frontend asks before anyone has logged in."""

from fastapi import APIRouter

import aigen
from aigen.entrypoints.api.auth import TheHouse
from aigen.entrypoints.api.schemas.operations import AboutOut

router = APIRouter(tags=["operations"])


@router.get("/about")
async def about(house: TheHouse) -> AboutOut:
    """Version, demo mode, registration, where files come from and how long they are kept, how
    large a request may be."""
    settings = house.aigen.settings
    return AboutOut(
        version=aigen.__version__,
        demo=settings.is_demo,
        registration=settings.registration,
        media_origin=house.aigen.links.origin,
        max_body=settings.max_body,
        retention_days=house.aigen.retention.policy.days,
        retention_bytes_per_user=house.aigen.retention.policy.bytes_per_user,
    )
