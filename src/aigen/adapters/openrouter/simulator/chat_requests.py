"""The body of POST /chat/completions, checked."""

import hashlib
from collections.abc import Iterable

from attrs import frozen

from aigen.adapters.openrouter.simulator.attachments import attached_image
from aigen.adapters.openrouter.simulator.catalogue import Model, model
from aigen.adapters.openrouter.simulator.errors import ApiError, invalid, no_modalities
from aigen.adapters.openrouter.simulator.fields import Fields
from aigen.adapters.openrouter.simulator.image_models import ImageModel
from aigen.adapters.openrouter.simulator.sizes import PICTURE_SCALES, PICTURE_SIZES, picture_size
from aigen.adapters.openrouter.simulator.text_models import DEFAULT_MODEL, TextModel
from aigen.adapters.openrouter.simulator.video_models import VideoModel

_ROLES = ("system", "developer", "user", "assistant", "tool")
_MODALITIES = ("text", "image", "audio")
_LONGEST_SESSION_ID = 256


@frozen(kw_only=True)
class Message:
    role: str
    text: str
    images: tuple[str, ...] = ()

    @classmethod
    def of(cls, message: Fields) -> "Message":
        role = message.choice("role", _ROLES)
        if role is None:
            raise invalid(f"Invalid input: {message.path}role is required", "messages")
        content = message.values.get("content")
        # Pictures of earlier answers, replayed to be edited.
        replayed = tuple(attached_image(part) for part in message.objects("images"))
        if isinstance(content, str) or (content is None and role == "assistant"):
            return cls(role=role, text=content or "", images=replayed)
        parts = message.objects("content")
        if not parts:
            raise invalid(f"Invalid input: {message.path}content is required", "messages")
        return cls(
            role=role,
            text="\n".join(_texts(parts)),
            images=tuple(attached_image(part) for part in parts if _kind(part) == "image_url"),
        )


@frozen(kw_only=True)
class ChatRequest:
    """A conversation to be continued by a model that can."""

    model: TextModel | ImageModel
    messages: tuple[Message, ...]
    modalities: tuple[str, ...]
    is_streamed: bool
    most_tokens: int | None
    seed: int | None
    aspect_ratio: str
    resolution: str

    @classmethod
    def of(cls, body: Fields) -> "ChatRequest":
        messages = tuple(Message.of(message) for message in body.objects("messages"))
        if not messages:
            raise invalid("Input required: specify messages with at least one message", "messages")
        named = body.text("model") or next(iter(body.items("models")), DEFAULT_MODEL)
        asked = tuple(str(name) for name in body.items("modalities"))
        if not set(asked) <= set(_MODALITIES):
            raise invalid("Invalid input: modalities must be some of " + ", ".join(_MODALITIES))
        body.number("temperature", 0, 2)
        body.text("session_id", _LONGEST_SESSION_ID)
        picture = body.object("image_config")
        chosen = _able(model(str(named)), asked)
        if body.items("tools") and isinstance(chosen, ImageModel):
            raise ApiError(404, "No endpoints found that support tool use")
        return cls(
            model=chosen,
            messages=messages,
            modalities=asked or chosen.outputs,
            is_streamed=body.flag("stream") or False,
            most_tokens=body.whole("max_completion_tokens", 1) or body.whole("max_tokens", 1),
            seed=body.whole("seed"),
            # What a chat model doesn't know is ignored, not refused (ai-sdk-provider#269).
            aspect_ratio=_known(picture.text("aspect_ratio"), PICTURE_SIZES, "1:1"),
            resolution=_known(picture.text("image_size"), PICTURE_SCALES, _usual(chosen)),
        )

    @property
    def prompt(self) -> str:
        """The newest user message: keywords count there and nowhere else."""
        return next((said.text for said in reversed(self.messages) if said.role == "user"), "")

    @property
    def system(self) -> str:
        instructions = (said.text for said in self.messages if said.role in {"system", "developer"})
        return " ".join(instructions)

    @property
    def turn(self) -> int:
        return sum(said.role == "user" for said in self.messages)

    @property
    def images(self) -> tuple[str, ...]:
        return tuple(image for said in self.messages for image in said.images)

    @property
    def draws(self) -> bool:
        return isinstance(self.model, ImageModel) and "image" in self.modalities

    @property
    def picture_size(self) -> tuple[int, int]:
        return picture_size(self.aspect_ratio, self.resolution)

    def picture_seed(self) -> str:
        parts = (self.model.id, *(said.text for said in self.messages), *self.images)
        return hashlib.sha256("\0".join([*parts, str(self.seed)]).encode()).hexdigest()


def _able(found: Model, asked: tuple[str, ...]) -> TextModel | ImageModel:
    """The model, if it has a chat endpoint with the modalities asked for; else the known 404."""
    if isinstance(found, VideoModel) or (isinstance(found, ImageModel) and not found.on_chat):
        raise no_modalities(list(asked or ("text",)))
    if not set(asked) <= set(found.outputs):
        raise no_modalities(list(asked))
    return found


def _known(value: str | None, choices: Iterable[str], otherwise: str) -> str:
    return value if value is not None and value in choices else otherwise


def _usual(chosen: TextModel | ImageModel) -> str:
    return chosen.default_resolution if isinstance(chosen, ImageModel) else "1K"


def _kind(part: Fields) -> str:
    return part.needed_text("type")


def _texts(parts: list[Fields]) -> list[str]:
    return [part.text("text") or "" for part in parts if _kind(part) == "text"]
