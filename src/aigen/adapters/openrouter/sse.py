"""Server-sent events: the data of each, as the bytes come."""

from collections.abc import Iterator

DONE = b"[DONE]"


class Events:
    """Comments and all fields but `data` are passed over.

    Lines are put together before they are read: a chunk ends anywhere, within a character too.
    """

    def __init__(self) -> None:
        self._rest = bytearray()
        self._data: list[bytes] = []

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events that this chunk completes."""
        self._rest += chunk
        if b"\n" not in chunk:
            return
        *lines, self._rest = self._rest.split(b"\n")
        for line in lines:
            yield from self._step(bytes(line))

    def _step(self, line: bytes) -> Iterator[bytes]:
        line = line.removesuffix(b"\r")
        if line.startswith(b"data:"):
            self._data.append(line[5:].removeprefix(b" "))
        elif not line and self._data:
            yield b"\n".join(self._data)
            self._data.clear()
