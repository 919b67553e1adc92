"""Conversations in OpenAI's words: handed on as they are, and read only for what it costs."""

import json
from collections.abc import Iterable, Mapping
from typing import Any

from attrs import frozen

from aigen.domain.model import limits
from aigen.domain.model.errors import InvalidRequest


@frozen(kw_only=True)
class ChatRequest:
    """`content` is the body to send, JSON in UTF-8.

    Of it were read: `models`, the one asked for and those that may stand in for it; `prompt`, the
    text of the newest user turn; what else determines the price, where `written` is the bytes of
    text and `attached` the number of pictures, sounds and files.
    """

    content: bytes
    models: tuple[str, ...]
    prompt: str = ""
    is_streamed: bool = False
    written: int = 0
    attached: int = 0
    most_tokens: int | None = None
    choices: int = 1

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "ChatRequest":
        """Raises InvalidRequest for what no provider could make anything of."""
        limits.check_text("model", body["model"], longest=limits.LONGEST_MODEL)
        content = _written(body)
        messages = [turn for turn in body["messages"] if isinstance(turn, dict)]
        if not messages or len(messages) < len(body["messages"]):
            raise InvalidRequest("`messages` must be a list of turns.", field="messages")
        others = [name for name in _items(body.get("models")) if isinstance(name, str)]
        parts = [part for turn in messages for part in _items(turn.get("content"))]
        texts = [*_texts(messages), *_said_besides(body)]
        return cls(
            content=content,
            models=tuple(dict.fromkeys([body["model"], *others])),
            prompt=_prompt(messages),
            is_streamed=body.get("stream") is True,
            written=sum(len(text.encode(errors="replace")) for text in texts),
            attached=sum(isinstance(part, dict) and part.get("type") != "text" for part in parts),
            most_tokens=_count(body.get("max_completion_tokens")) or _count(body.get("max_tokens")),
            choices=_count(body.get("n")) or 1,
        )

    @property
    def model(self) -> str:
        return self.models[0]


def _written(body: Mapping[str, Any]) -> bytes:
    """What was read, and not what was sent: of a field that came twice the one that counted."""
    try:
        return json.dumps(body, allow_nan=False).encode()
    except (ValueError, RecursionError) as error:
        raise InvalidRequest("The request holds what JSON cannot carry.") from error


def _prompt(messages: list[dict[str, Any]]) -> str:
    turns = [turn for turn in messages if turn.get("role") == "user"]
    return limits.storable("\n".join(_texts(turns[-1:])))[: limits.LONGEST_PROMPT]


def _texts(messages: Iterable[Mapping[str, Any]]) -> Iterable[str]:
    for turn in messages:
        content = turn.get("content")
        if isinstance(content, str):
            yield content
        for part in _items(content):
            if isinstance(part, dict) and isinstance(part.get("text"), str):
                yield part["text"]


def _said_besides(body: Mapping[str, Any]) -> Iterable[str]:
    """What the model reads as well: the tools that it may use, the form of its answer."""
    return (json.dumps(body[name]) for name in ("tools", "response_format") if body.get(name))


def _items(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _count(value: object) -> int | None:
    return value if type(value) is int and 0 < value <= limits.MOST_TOKENS else None
