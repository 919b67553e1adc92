"""What a model takes for one request parameter, as GET /images/models describes it."""

from typing import Any, Protocol

from attrs import frozen


class Capability(Protocol):
    """A description that can be listed and checked against."""

    def descriptor(self) -> dict[str, Any]: ...

    def takes(self, value: object) -> bool: ...


@frozen
class Choice(Capability):
    """One of these."""

    values: tuple[str, ...]

    def descriptor(self) -> dict[str, Any]:
        return {"type": "enum", "values": list(self.values)}

    def takes(self, value: object) -> bool:
        return value in self.values


@frozen
class Span(Capability):
    """A number from here to there; for `input_references` their number."""

    least: int
    most: int

    def descriptor(self) -> dict[str, Any]:
        return {"type": "range", "min": self.least, "max": self.most}

    def takes(self, value: object) -> bool:
        return isinstance(value, int) and self.least <= value <= self.most


@frozen
class Flag(Capability):
    """Supported, whatever the value."""

    def descriptor(self) -> dict[str, Any]:
        return {"type": "boolean"}

    def takes(self, value: object) -> bool:
        return True
