"""A streamed answer of /chat/completions, heard from its first byte to what has become of it."""

from abc import ABC, abstractmethod
from collections.abc import AsyncIterator, Callable, Iterable, Iterator, Mapping
from contextlib import aclosing
from typing import Any, Generic, TypeVar

import httpx
from attrs import evolve

from aigen.adapters.openrouter.completions import Said
from aigen.adapters.openrouter.exchange import Line
from aigen.adapters.openrouter.outcomes import BROKEN, Reply, of_exception
from aigen.adapters.openrouter.sse import DONE
from aigen.adapters.openrouter.wire import mapping, parsed
from aigen.ports.provider import Failure, NotSent, Unknown

Piece = TypeVar("Piece")
Answer = TypeVar("Answer")

_CUT = Unknown(reason="the answer broke off before its end")


class Hearing(ABC, Generic[Piece, Answer]):
    """An answer as far as it has come."""

    def __init__(self) -> None:
        self._texts: list[str] = []
        self._rest = Said()
        self._is_done = False

    @property
    def is_ended(self) -> bool:
        return self._is_done or self._rest.is_error

    @abstractmethod
    def feed(self, chunk: bytes) -> Iterator[Piece]:
        """What these bytes complete."""

    def result(self, cut: NotSent | Unknown = _CUT) -> Answer | Failure:
        """What has become of it; `cut` is what it means if it has no end.

        With a reason to finish the answer is whole, even if usage or `[DONE]` were lost.
        """
        said = evolve(self._rest, text="".join(self._texts))
        return self._meaning(said) if self.is_ended or said.finish_reason else cut

    @abstractmethod
    def _meaning(self, said: Said) -> Answer | Failure:
        """What an answer that has an end is."""

    def _note(self, data: bytes) -> tuple[Said, Mapping[str, Any]]:
        """Take in an event: what it says, and all that it holds."""
        if data == DONE:
            self._is_done = True
            return Said(), {}
        chunk = mapping(parsed(data))
        said = Said.of(chunk)
        self._rest = self._rest.then(said)
        if said.text:
            self._texts.append(said.text)
        return said, chunk


async def heard(
    line: Line,
    post: httpx.Request,
    hearing: Hearing[Piece, Answer],
    at_once: Callable[[Reply], Iterable[Piece | Answer | Failure]],
) -> AsyncIterator[Piece | Answer | Failure]:
    """The pieces and then the result, whatever goes wrong; `at_once` reads an answer that is no
    stream, as errors are, and those of providers that ignore `stream`."""
    deadline = line.deadline()
    try:
        async with line.opened(post, deadline) as response:
            if not _is_stream(response):
                for piece in at_once(await line.whole(response, deadline)):
                    yield piece
                return
            async with aclosing(line.chunks(response, deadline)) as chunks:
                async for chunk in chunks:
                    for piece in hearing.feed(chunk):
                        yield piece
                    if hearing.is_ended:
                        break
    except BROKEN as error:
        yield hearing.result(of_exception(error))
    else:
        yield hearing.result()


def _is_stream(response: httpx.Response) -> bool:
    """Whether events are coming, and no answer in one piece."""
    kind = response.headers.get("content-type", "")
    return response.is_success and kind.startswith("text/event-stream")
