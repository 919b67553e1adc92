"""Text generation: what is asked, and what came of it."""

from datetime import datetime
from decimal import Decimal
from enum import StrEnum

from attrs import frozen

from aigen.domain.model import limits
from aigen.domain.model.errors import InvalidRequest
from aigen.domain.model.media import StoredMedia


class Speaker(StrEnum):
    SYSTEM = "system"
    USER = "user"
    ASSISTANT = "assistant"


@frozen(kw_only=True)
class Message:
    role: Speaker
    content: str

    def __attrs_post_init__(self) -> None:
        limits.check_text("messages", self.content, longest=limits.LONGEST_PROMPT)


@frozen(kw_only=True)
class TextRequest:
    """A prompt, with the turns that came before it in `messages`."""

    model: str
    prompt: str
    system: str | None = None
    messages: tuple[Message, ...] = ()
    temperature: float | None = None
    max_tokens: int | None = None

    def __attrs_post_init__(self) -> None:
        limits.check_text("model", self.model, longest=limits.LONGEST_MODEL)
        limits.check_text("prompt", self.prompt, longest=limits.LONGEST_PROMPT)
        if self.system is not None and self.system.strip():
            limits.check_text("system", self.system, longest=limits.LONGEST_PROMPT)
        if len(self.messages) > limits.MOST_TURNS:
            raise InvalidRequest(
                f"`messages` may have at most {limits.MOST_TURNS} turns.", field="messages"
            )
        limits.check_range("temperature", self.temperature, 0, limits.HOTTEST)
        limits.check_range("max_tokens", self.max_tokens, 1, limits.MOST_TOKENS)

    def turns(self) -> tuple[Message, ...]:
        """The whole conversation, the prompt as its last turn.

        Clients differ in whether `messages` ends with the prompt; it is never said twice.
        """
        newest = Message(role=Speaker.USER, content=self.prompt)
        earlier = self.messages[:-1] if self.messages[-1:] == (newest,) else self.messages
        has_system = self.system is not None and self.system.strip()
        system = (Message(role=Speaker.SYSTEM, content=self.system or ""),) if has_system else ()
        return (*system, *earlier, newest)


@frozen(kw_only=True)
class Usage:
    prompt_tokens: int = 0
    completion_tokens: int = 0
    total_tokens: int = 0


@frozen(kw_only=True)
class Text:
    """A finished text, as kept in the user's history. `cost_usd` is None if not reported."""

    id: str
    user_id: str
    model: str
    prompt: str
    text: str
    finish_reason: str | None
    usage: Usage
    cost_usd: Decimal | None
    created_at: datetime

    @property
    def files(self) -> tuple[StoredMedia, ...]:
        """None: all of it is in here."""
        return ()
