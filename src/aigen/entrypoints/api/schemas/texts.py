"""Texts."""

from typing import Annotated, Literal, Self

from pydantic import Field

from aigen.domain.model import limits
from aigen.domain.model.texts import Message, Speaker, Text, TextRequest
from aigen.entrypoints.api.schemas.values import (
    Answer,
    Body,
    Instant,
    ModelId,
    Prompt,
    Storable,
    Usd,
)


class MessageBody(Body):
    role: Literal["system", "user", "assistant"]
    content: Prompt


class TextBody(Body):
    model: ModelId
    prompt: Prompt
    system: Annotated[Storable, Field(max_length=limits.LONGEST_PROMPT)] | None = None
    messages: Annotated[list[MessageBody], Field(max_length=limits.MOST_TURNS)] | None = None
    temperature: Annotated[float, Field(ge=0, le=limits.HOTTEST)] | None = None
    max_tokens: Annotated[int, Field(ge=1, le=limits.MOST_TOKENS)] | None = None
    stream: bool = False

    def request(self) -> TextRequest:
        return TextRequest(
            model=self.model,
            prompt=self.prompt,
            system=self.system,
            messages=tuple(
                Message(role=Speaker(message.role), content=message.content)
                for message in self.messages or ()
            ),
            temperature=self.temperature,
            max_tokens=self.max_tokens,
        )


class UsageOut(Answer):
    prompt_tokens: int
    completion_tokens: int
    total_tokens: int


class TextOut(Answer):
    id: str
    model: str
    prompt: str
    text: str
    finish_reason: str | None
    usage: UsageOut
    cost_usd: Usd | None
    created_at: Instant

    @classmethod
    def of(cls, text: Text) -> Self:
        return cls(
            id=text.id,
            model=text.model,
            prompt=text.prompt,
            text=text.text,
            finish_reason=text.finish_reason,
            usage=UsageOut(
                prompt_tokens=text.usage.prompt_tokens,
                completion_tokens=text.usage.completion_tokens,
                total_tokens=text.usage.total_tokens,
            ),
            cost_usd=text.cost_usd,
            created_at=text.created_at,
        )


class TextDeltaOut(Answer):
    """The next piece of a text that is being written."""

    text: str
