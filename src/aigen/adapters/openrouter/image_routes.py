"""The three routes to a picture: what is sent on each, and what comes back."""

from collections.abc import Callable
from decimal import Decimal
from typing import Any

from attrs import frozen

from aigen.adapters.openrouter import completions
from aigen.adapters.openrouter.outcomes import Outcomes, Reply, of_garbage
from aigen.adapters.openrouter.pictures import sources_in_chat, sources_in_data
from aigen.adapters.openrouter.wire import mapping, parsed, unpriced, usd
from aigen.domain.model.images import ImageRequest
from aigen.ports.provider import BadAnswer, Failure


@frozen(kw_only=True)
class Drawn:
    """Pictures as the answer names them, each text of base64, a data URL or an address."""

    sources: list[str]
    text: str = ""
    cost_usd: Decimal | None = None
    generation_ids: tuple[str, ...] = ()


@frozen(kw_only=True)
class Route:
    """`body` is what asks for so many pictures, `read` what came of it; `is_single` says that the
    model gives one picture a call."""

    path: str
    body: Callable[[ImageRequest, str | None, int], dict[str, Any]]
    read: Callable[[Reply, Outcomes], Drawn | Failure]
    is_single: Callable[[str], bool]
    can_edit: bool = True


def route_for(model: str) -> Route:
    """The route that is tried first."""
    return GENERATIONS if _is_dall_e(model) else CHAT


def _is_dall_e(model: str) -> bool:
    return model.rpartition("/")[2].startswith("dall-e-")


# --- /chat/completions ------------------------------------------------------------------------


def _chat_body(request: ImageRequest, source: str | None, _: int) -> dict[str, Any]:
    config = {"aspect_ratio": request.aspect_ratio, "image_size": request.image_size}
    content: Any = request.prompt
    if source is not None:
        content = [{"type": "text", "text": request.prompt}, _image_part(source)]
    body = {
        "model": request.model,
        "messages": [{"role": "user", "content": content}],
        # A subset of what every image model gives; `text` as well is a 404 for many.
        "modalities": ["image"],
    }
    given = _given(config)
    return body | ({"image_config": given} if given else {})


def _read_chat(reply: Reply, outcomes: Outcomes) -> Drawn | Failure:
    said = completions.said_in(reply, outcomes)
    if not isinstance(said, completions.Said):
        return said
    sources = sources_in_chat(said.pictures)
    if not sources:
        return said.failure("picture", outcomes)
    return Drawn(
        sources=sources,
        text=said.text,
        cost_usd=said.cost_usd,
        generation_ids=said.generation_ids,
    )


# --- /images and /images/generations ----------------------------------------------------------


def _images_body(request: ImageRequest, source: str | None, count: int) -> dict[str, Any]:
    shape = _given({"aspect_ratio": request.aspect_ratio, "resolution": request.image_size})
    if not shape:
        # Pixels beside a ratio or a resolution that do not fit them exactly are a 400.
        shape = _given({"size": request.size})
    references = [] if source is None else [_image_part(source)]
    return {
        "model": request.model,
        "prompt": request.prompt,
        "n": count,
        **shape,
        **({"input_references": references} if references else {}),
    }


def _generations_body(request: ImageRequest, _: str | None, count: int) -> dict[str, Any]:
    body = {"model": request.model, "prompt": request.prompt, "n": count}
    if _is_dall_e(request.model):
        # It gives addresses unless told otherwise; the GPT image models refuse to be told.
        body["response_format"] = "b64_json"
    return body | _given({"size": request.size})


def _read_data(reply: Reply, outcomes: Outcomes) -> Drawn | Failure:
    if not reply.is_success:
        return outcomes.of_reply(reply)
    body = parsed(reply.body)
    if not isinstance(body, dict):
        return of_garbage(reply)
    sources = sources_in_data(body)
    cost_usd = usd(mapping(body.get("usage")).get("cost"))
    # Not among what is promised for pictures; where it comes it is the only id that there is.
    ids = unpriced(reply.generation_id, cost_usd)
    if sources:
        return Drawn(sources=sources, cost_usd=cost_usd, generation_ids=ids)
    if body.get("error"):
        return outcomes.of_error(body["error"])
    return BadAnswer(reason="the answer holds no picture", cost_usd=cost_usd, generation_ids=ids)


def _image_part(address: str) -> dict[str, Any]:
    return {"type": "image_url", "image_url": {"url": address}}


def _given(options: dict[str, str | None]) -> dict[str, str]:
    return {name: value for name, value in options.items() if value is not None}


CHAT = Route(
    path=completions.PATH,
    body=_chat_body,
    read=_read_chat,
    is_single=lambda _: True,
)
IMAGES = Route(
    path="/images",
    body=_images_body,
    read=_read_data,
    is_single=lambda _: False,
)
GENERATIONS = Route(
    path="/images/generations",
    body=_generations_body,
    read=_read_data,
    is_single=lambda model: model.rpartition("/")[2].startswith("dall-e-3"),
    can_edit=False,
)
