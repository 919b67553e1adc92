"""Server-sent events: the data of each, as the bytes come."""

from collections.abc import Iterator

DONE = b"[DONE]"


class Blocks:
    """Events and comments as they were sent, each with its data, None if it has none.

    Lines are put together before they are read: a chunk ends anywhere, within a character too.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._block = bytearray()
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        """What this chunk completes."""
        self._rest += chunk
        if b"\n" not in chunk:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            yield from self._step(bytes(line))

    def _step(self, line: bytes) -> Iterator[tuple[bytes, bytes | None]]:
        self._block += line + b"\n"
        line = line.removesuffix(b"\r")
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line:
            yield bytes(self._block), b"\n".join(self._data) if self._data else None
            self._block.clear()
            self._data.clear()


class Events:
    """The same, but for comments and all fields other than `data`."""

    def __init__(self) -> None:
        self._blocks = Blocks()

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The data of the events that this chunk completes."""
        return (data for _, data in self._blocks.feed(chunk) if data is not None)
