"""What the provider offers."""

from fastapi import APIRouter

from aigen.domain.model.catalogue import Output
from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.schemas.models import ModelOut, ModelsOut

router = APIRouter(tags=["models"])


@router.get("/models")
async def models(_: WhoPays, house: TheHouse, output: Output | None = None) -> ModelsOut:
    """All models, or those that make this output; the last known ones if the provider is down."""
    found = await house.aigen.models.list(output)
    return ModelsOut(items=[ModelOut.of(model) for model in found])
