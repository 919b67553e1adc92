"""All models, and the three listings that OpenRouter makes of them."""

from typing import Any
from urllib.parse import urlencode

from starlette.datastructures import QueryParams

from aigen.adapters.openrouter.simulator.errors import ApiError, invalid, unknown_model
from aigen.adapters.openrouter.simulator.image_models import IMAGE_MODELS, ImageModel
from aigen.adapters.openrouter.simulator.text_models import TEXT_MODELS, TextModel
from aigen.adapters.openrouter.simulator.video_models import VIDEO_MODELS, VideoModel

Model = TextModel | ImageModel | VideoModel

MODELS: tuple[Model, ...] = (*TEXT_MODELS, *IMAGE_MODELS, *VIDEO_MODELS)
_BY_ID: dict[str, Model] = {model.id: model for model in MODELS}
_MOST_LISTED = 1000


def model(model_id: str) -> Model:
    found = _BY_ID.get(model_id)
    if found is None:
        raise unknown_model(model_id)
    return found


def image_model(model_id: str) -> ImageModel:
    found = model(model_id)
    if not isinstance(found, ImageModel):
        raise invalid(f"{model_id} does not generate images", "model")
    return found


def video_model(model_id: str) -> VideoModel:
    found = model(model_id)
    if not isinstance(found, VideoModel):
        raise invalid(f"{model_id} does not generate videos", "model")
    return found


def models_page(query: QueryParams) -> dict[str, Any]:
    """The body of GET /models: text models unless others are asked for."""
    entries = [found.listed() for found in MODELS if _is_asked(found, query)]
    offset, limit = _page(query)
    end = len(entries) if limit is None else offset + limit
    following = None
    if end < len(entries):
        following = "/api/v1/models?" + urlencode(dict(query) | {"offset": end})
    return {
        "data": entries[offset:end],
        "total_count": len(entries),
        "links": {"next": following},
    }


def image_models_page() -> dict[str, Any]:
    return {"data": [found.listed_for_images() for found in IMAGE_MODELS]}


def video_models_page() -> dict[str, Any]:
    return {"data": [found.listed_for_videos() for found in VIDEO_MODELS]}


def image_endpoints(model_id: str) -> dict[str, Any]:
    found = _BY_ID.get(model_id)
    if not isinstance(found, ImageModel):
        raise ApiError(404, f"Image model {model_id} not found")
    return found.endpoints()


def _is_asked(found: Model, query: QueryParams) -> bool:
    outputs = _names(query.get("output_modalities", "text"))
    inputs = _names(query.get("input_modalities", ""))
    parameters = _names(query.get("supported_parameters", ""))
    words = query.get("q", "").lower()
    return (
        ("all" in outputs or not outputs.isdisjoint(found.outputs))
        and inputs.issubset(found.inputs)
        and parameters.issubset(found.listed()["supported_parameters"])
        and words in f"{found.id} {found.name}".lower()
    )


def _names(text: str) -> set[str]:
    return {name.strip() for name in text.split(",") if name.strip()}


def _page(query: QueryParams) -> tuple[int, int | None]:
    try:
        offset = int(query.get("offset") or 0)
        limit = int(query["limit"]) if query.get("limit") else None
    except ValueError as error:
        raise invalid("offset and limit must be whole numbers") from error
    if offset < 0 or (limit is not None and not 1 <= limit <= _MOST_LISTED):
        raise invalid(f"offset must be 0 or more, limit from 1 to {_MOST_LISTED}")
    return offset, limit
