"""The provider's models, as OpenAI lists its own."""

from fastapi import APIRouter

from aigen.domain.model.errors import NotFound
from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.openai.errors import ERRORS
from aigen.entrypoints.api.openai.schemas import ModelEntryOut, ModelListOut

router = APIRouter(prefix="/v1/models", tags=["openai"], responses=ERRORS)


@router.get("")
async def openai_models(_: WhoPays, house: TheHouse) -> ModelListOut:
    """All models; GET /models tells more about each."""
    return ModelListOut(data=[ModelEntryOut.of(model) for model in await house.aigen.models.list()])


@router.get("/{model_id:path}")
async def openai_model(model_id: str, _: WhoPays, house: TheHouse) -> ModelEntryOut:
    models = await house.aigen.models.list()
    found = next((model for model in models if model.id == model_id), None)
    if found is None:
        raise NotFound("The provider has no model of this name.")
    return ModelEntryOut.of(found)
