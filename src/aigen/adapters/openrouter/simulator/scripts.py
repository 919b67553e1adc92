"""What a prompt tells the simulator to do."""

import re
from collections.abc import Mapping

from attrs import evolve, field, frozen

from aigen.adapters.openrouter.simulator.keywords import BY_NAME, KEYWORDS, Keyword

# A whole word; the punctuation of a sentence may surround it.
_WORD = re.compile(r"(?<![^\s(\"'“])sim:([\w-]+)(?:=(\S*?))?(?=[.,;:!?)\"']*(?:\s|$))")
_MARK = "sim:"


class BadKeyword(ValueError):
    """A prompt with a `sim:` word that isn't in the table or has a value that it can't have."""


@frozen(kw_only=True)
class Script:
    """The keywords of one prompt with their values."""

    values: Mapping[str, float | int | str | None] = field(factory=dict)

    @classmethod
    def read(cls, prompt: str) -> "Script":
        if _MARK not in prompt:
            return cls()
        values: dict[str, float | int | str | None] = {}
        for name, text in _WORD.findall(prompt):
            keyword = BY_NAME.get(name)
            if keyword is None:
                message = f"There is no simulator keyword sim:{name}"
                raise BadKeyword(message)
            values[name] = _value(keyword, text)
        return cls(values=values)

    def has(self, name: str) -> bool:
        return name in self.values

    def first(self, names: frozenset[str]) -> Keyword | None:
        """The first of these keywords, in the order of the table."""
        return next((word for word in KEYWORDS if word.name in names and self.has(word.name)), None)

    def seconds(self, name: str, otherwise: float = 0.0) -> float:
        value = self.values.get(name)
        return otherwise if value is None else float(value)

    def count(self, name: str) -> int:
        return int(self.values.get(name) or 0)

    def text(self, name: str) -> str | None:
        value = self.values.get(name)
        return None if value is None else str(value)

    def given(self, name: str) -> bool:
        """Whether the keyword is there with a value."""
        return self.values.get(name) is not None

    def on(self, route: str) -> "Script":
        """Only what has a meaning there."""
        return self.without(*(name for name in self.values if route not in BY_NAME[name].where))

    def afterwards(self) -> "Script":
        """Only what concerns a video's polls and downloads."""
        return self.without(*(name for name in self.values if BY_NAME[name].at_submit))

    def without(self, *names: str) -> "Script":
        kept = {name: value for name, value in self.values.items() if name not in names}
        return evolve(self, values=kept)


def _value(keyword: Keyword, text: str) -> float | int | str | None:
    if not text and (keyword.value is None or not keyword.value.needed):
        return None
    if keyword.value is None:
        message = f"{keyword.usage} takes no value"
        raise BadKeyword(message)
    try:
        return keyword.value.read(text)
    except ValueError as error:
        message = f"{keyword.usage} can't have the value {text!r}"
        raise BadKeyword(message) from error
