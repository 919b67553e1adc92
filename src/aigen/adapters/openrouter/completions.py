"""What comes of /chat/completions: the first choice of an answer, or of a chunk of a stream."""

from collections.abc import Mapping
from decimal import Decimal
from typing import Any

from attrs import evolve, frozen

from aigen.adapters.openrouter.outcomes import FailedCall, Outcomes, Reply, of_garbage
from aigen.adapters.openrouter.wire import (
    generation_id,
    items,
    line,
    mapping,
    parsed,
    tokens,
    unpriced,
    usd,
    words,
)
from aigen.domain.model.texts import Usage
from aigen.ports.provider import BadAnswer, Failure, TextAnswer, Unknown

PATH = "/chat/completions"
_LONGEST_NAME = 200


@frozen(kw_only=True)
class Said:
    """All of it may be missing. `error` is what went wrong, with the whole or with the choice."""

    text: str = ""
    pictures: tuple[object, ...] = ()
    refusal: str = ""
    model: str = ""
    finish_reason: str = ""
    native_finish_reason: str = ""
    usage: Usage | None = None
    cost_usd: Decimal | None = None
    generation_id: str = ""
    error: object = None

    @classmethod
    def of(cls, body: Mapping[str, Any]) -> "Said":
        choice = mapping(next(iter(items(body.get("choices"))), None))
        message = mapping(choice.get("message") or choice.get("delta"))
        usage = body.get("usage")
        return cls(
            text=_text(message.get("content")),
            # Some put them among the parts of the content, as requests do.
            pictures=(*items(message.get("images")), *items(message.get("content"))),
            refusal=words(message.get("refusal")),
            model=line(body.get("model"), _LONGEST_NAME),
            finish_reason=line(choice.get("finish_reason"), _LONGEST_NAME),
            native_finish_reason=line(choice.get("native_finish_reason"), _LONGEST_NAME),
            usage=_usage(usage) if isinstance(usage, dict) else None,
            cost_usd=usd(mapping(usage).get("cost")),
            generation_id=generation_id(body.get("id")),
            error=body.get("error") or choice.get("error"),
        )

    @property
    def generation_ids(self) -> tuple[str, ...]:
        return unpriced(self.generation_id, self.cost_usd)

    @property
    def is_error(self) -> bool:
        return bool(self.error) or self.finish_reason == "error"

    def then(self, later: "Said") -> "Said":
        """All but the text and pictures, as it is after another chunk."""
        return evolve(
            later,
            text="",
            pictures=(),
            refusal=self.refusal + later.refusal,
            model=later.model or self.model,
            finish_reason=later.finish_reason or self.finish_reason,
            native_finish_reason=later.native_finish_reason or self.native_finish_reason,
            usage=later.usage or self.usage,
            cost_usd=self.cost_usd if later.cost_usd is None else later.cost_usd,
            generation_id=later.generation_id or self.generation_id,
            error=later.error or self.error,
        )

    def answer(self, model: str) -> TextAnswer:
        """It as a text, of `model` if it does not say which one was at work."""
        return TextAnswer(
            model=self.model or model,
            text=self.text,
            finish_reason=self.finish_reason or None,
            usage=self.usage or Usage(),
            cost_usd=self.cost_usd,
            generation_ids=self.generation_ids,
        )

    def failure(self, wanted: str, outcomes: Outcomes) -> FailedCall | BadAnswer:
        """What it means that there is no `wanted` in it, or only a part."""
        if self.is_error:
            meant = outcomes.of_error(self.error)
            # It was at work already, so whatever the error's code says, this may be charged.
            return Unknown(reason=meant.reason) if self.text else meant
        said = outcomes.line(self.refusal or self.text)
        endings = dict.fromkeys(filter(None, (self.finish_reason, self.native_finish_reason)))
        ending = f" (finish reason: {', '.join(endings)})" if endings else ""
        return BadAnswer(
            reason=f"the model gave no {wanted}{ending}" + (f": {said}" if said else ""),
            cost_usd=self.cost_usd,
            generation_ids=self.generation_ids,
        )


def said_in(reply: Reply, outcomes: Outcomes) -> Said | Failure:
    if not reply.is_success:
        return outcomes.of_reply(reply)
    body = parsed(reply.body)
    return Said.of(body) if isinstance(body, dict) else of_garbage(reply)


def _text(content: object) -> str:
    """A text, or the texts among an answer's parts."""
    if isinstance(content, list):
        return "".join(words(mapping(part).get("text")) for part in content)
    return words(content)


def _usage(usage: Mapping[str, Any]) -> Usage:
    return Usage(
        prompt_tokens=tokens(usage.get("prompt_tokens")),
        completion_tokens=tokens(usage.get("completion_tokens")),
        total_tokens=tokens(usage.get("total_tokens")),
    )
