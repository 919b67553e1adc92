"""Typed reading of a JSON request body; what doesn't fit is a 400."""

import json
import math
from collections.abc import Collection, Mapping
from typing import Any

from attrs import frozen
from starlette.requests import Request

from aigen.adapters.openrouter.simulator.errors import invalid


@frozen
class Fields:
    """A JSON object whose values are asked for by name; null counts as absent."""

    values: Mapping[str, Any]
    path: str = ""

    @classmethod
    async def of(cls, request: Request) -> "Fields":
        try:
            body = json.loads(await request.body())
        except (ValueError, RecursionError) as error:
            raise invalid("Invalid JSON in the request body") from error
        if not isinstance(body, dict):
            raise invalid("The request body must be a JSON object")
        return cls(body)

    def has(self, name: str) -> bool:
        return self.values.get(name) is not None

    def text(self, name: str, longest: int | None = None) -> str | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, str):
            raise self._wrong(name, "a string")
        if value is not None and longest is not None and len(value) > longest:
            raise self._wrong(name, f"at most {longest} characters")
        return value

    def needed_text(self, name: str) -> str:
        value = self.text(name)
        if not value:
            raise self._wrong(name, "a string that is not empty")
        return value

    def choice(self, name: str, choices: Collection[str]) -> str | None:
        value = self.text(name)
        if value is not None and value not in choices:
            raise self._wrong(name, "one of " + ", ".join(choices))
        return value

    def whole(self, name: str, least: int | None = None, most: int | None = None) -> int | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, int) or isinstance(value, bool):
            raise self._wrong(name, "a whole number")
        self._in_range(name, value, least, most)
        return value

    def number(
        self, name: str, least: float | None = None, most: float | None = None
    ) -> float | None:
        value = self.values.get(name)
        if value is None:
            return None
        if not isinstance(value, int | float) or isinstance(value, bool) or math.isnan(value):
            raise self._wrong(name, "a number")
        self._in_range(name, value, least, most)
        return float(value)

    def flag(self, name: str) -> bool | None:
        value = self.values.get(name)
        if value is not None and not isinstance(value, bool):
            raise self._wrong(name, "true or false")
        return value

    def items(self, name: str) -> list[Any]:
        value = self.values.get(name)
        if value is not None and not isinstance(value, list):
            raise self._wrong(name, "an array")
        return value or []

    def objects(self, name: str) -> list["Fields"]:
        """The items of an array of objects."""
        items = self.items(name)
        if not all(isinstance(item, dict) for item in items):
            raise self._wrong(name, "an array of objects")
        return [Fields(item, f"{self.path}{name}[{place}].") for place, item in enumerate(items)]

    def object(self, name: str) -> "Fields":
        """A nested object, an empty one if absent."""
        value = self.values.get(name)
        if value is not None and not isinstance(value, dict):
            raise self._wrong(name, "an object")
        return Fields(value or {}, f"{self.path}{name}.")

    def _in_range(self, name: str, value: float, least: float | None, most: float | None) -> None:
        if (least is not None and value < least) or (most is not None and value > most):
            bounds = [f"at least {least}"] * (least is not None) + [f"at most {most}"] * (
                most is not None
            )
            raise self._wrong(name, "a number of " + " and ".join(bounds))

    def _wrong(self, name: str, expected: str) -> Exception:
        full = self.path + name
        return invalid(f"Invalid input: {full} must be {expected}", full)
