"""What the provider says in words, made fit to be shown to users."""

from collections.abc import Iterable
from typing import Any

from aigen.adapters.openrouter.wire import items, line, mapping, parsed

_LONGEST = 500
#: A shorter key is no secret but a word, like `demo` in the demo mode.
_SHORTEST_KEY = 12
#: What OpenRouter says when it only passes on somebody else's error.
_GENERIC = "provider returned error"


class Reasons:
    """Knows our key only in order to keep it out, should the provider echo it."""

    def __init__(self, api_key: str) -> None:
        self._api_key = api_key

    def of(self, error: object) -> str:
        """The provider's own words about an error, in its many shapes; empty if it has none."""
        found = self._message(error)
        details = mapping(mapping(error).get("metadata"))
        if not found or found.lower().startswith(_GENERIC):
            found = self._upstream(details.get("raw")) or found
        added = ", ".join(self._moderation(details))
        return line(f"{found} ({added})" if found and added else found or added, _LONGEST)

    def line(self, text: object) -> str:
        """One line of the provider's; empty if it is not a text."""
        if isinstance(text, str) and len(self._api_key) >= _SHORTEST_KEY:
            # Before anything is cut, or the beginning of the key could stay.
            text = text.replace(self._api_key, "[key]")
        return line(text, _LONGEST)

    def _message(self, error: object) -> str:
        """`"no"`, `{"message": "no"}`, `{"error": "no"}`, `[{"error": {"message": "no"}}]`."""
        for _ in range(4):
            if isinstance(error, str):
                break
            known = mapping(error[0] if isinstance(error, list) and error else error)
            error = known.get("message") or known.get("error") or known.get("detail")
        return self.line(error)

    def _upstream(self, raw: object) -> str:
        """The words in the answer of a provider behind OpenRouter: an object, JSON or a text."""
        if isinstance(raw, str):
            return self._message(parsed(raw)) or self.line(raw)
        return self._message(raw)

    def _moderation(self, details: Any) -> Iterable[str]:
        yield from filter(None, map(self.line, items(details.get("reasons"))))
        if flagged := self.line(details.get("flagged_input")):
            yield f"“{flagged}”"
