"""What goes over the wire in OpenAI's words."""

from datetime import datetime
from typing import Any, Literal

from pydantic import BaseModel, ConfigDict, Field

from aigen.domain.model.catalogue import Model
from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.texts import Text
from aigen.entrypoints.api.schemas.texts import UsageOut
from aigen.entrypoints.api.schemas.values import Answer, Usd


def unix(at: datetime) -> int:
    """Whole seconds, as OpenAI tells instants."""
    return int(at.timestamp())


# --- models -----------------------------------------------------------------------------------


class ModelEntryOut(Answer):
    """`created` is not known, and 0; `owned_by` is the first part of the id."""

    id: str
    object: Literal["model"] = "model"
    created: int = 0
    owned_by: str

    @classmethod
    def of(cls, model: Model) -> "ModelEntryOut":
        return cls(id=model.id, owned_by=model.id.partition("/")[0])


class ModelListOut(Answer):
    object: Literal["list"] = "list"
    data: list[ModelEntryOut]


# --- chat -------------------------------------------------------------------------------------


class ChatBody(BaseModel):
    """Every field of the provider's /chat/completions; what is not named here is handed on too."""

    model_config = ConfigDict(extra="allow", strict=True, hide_input_in_errors=True)

    model: str
    messages: list[dict[str, Any]] = Field(min_length=1)
    stream: bool | None = None

    def request(self) -> ChatRequest:
        return ChatRequest.of(self.said())

    def said(self) -> dict[str, Any]:
        """The body as it was sent."""
        return {name: value for name, value in self if name in self.model_fields_set}


class ChatUsageOut(UsageOut):
    cost: Usd | None


class MessageOut(Answer):
    role: Literal["assistant"] = "assistant"
    content: str


class ChoiceOut(Answer):
    index: int = 0
    message: MessageOut
    finish_reason: str | None
    logprobs: None = None


class CompletionOut(Answer):
    """An answer that is told again."""

    id: str
    object: Literal["chat.completion"] = "chat.completion"
    created: int
    model: str
    choices: list[ChoiceOut]
    usage: ChatUsageOut

    @classmethod
    def of(cls, text: Text) -> "CompletionOut":
        message = MessageOut(content=text.text)
        return cls(
            id=f"chatcmpl-{text.id}",
            created=unix(text.created_at),
            model=text.model,
            choices=[ChoiceOut(message=message, finish_reason=text.finish_reason)],
            usage=_usage(text),
        )


class ChunkChoiceOut(Answer):
    index: int = 0
    delta: MessageOut
    finish_reason: str | None


class ChunkOut(Answer):
    """The same as the one piece of a stream."""

    id: str
    object: Literal["chat.completion.chunk"] = "chat.completion.chunk"
    created: int
    model: str
    choices: list[ChunkChoiceOut]
    usage: ChatUsageOut

    @classmethod
    def of(cls, text: Text) -> "ChunkOut":
        delta = MessageOut(content=text.text)
        return cls(
            id=f"chatcmpl-{text.id}",
            created=unix(text.created_at),
            model=text.model,
            choices=[ChunkChoiceOut(delta=delta, finish_reason=text.finish_reason)],
            usage=_usage(text),
        )


def _usage(text: Text) -> ChatUsageOut:
    return ChatUsageOut(
        prompt_tokens=text.usage.prompt_tokens,
        completion_tokens=text.usage.completion_tokens,
        total_tokens=text.usage.total_tokens,
        cost=text.cost_usd,
    )
