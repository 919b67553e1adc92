"""Texts by /chat/completions, whole or as they are written."""

from collections.abc import AsyncIterator, Iterator
from typing import Any

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.completions import PATH, Said, said_in
from aigen.adapters.openrouter.outcomes import Outcomes, Reply
from aigen.adapters.openrouter.sse import Events
from aigen.adapters.openrouter.streams import Hearing, heard
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import Failure, TextAnswer, TextDelta, TextProvider


class OpenRouterTexts(TextProvider):
    def __init__(self, clients: OpenRouterClients) -> None:
        self._line = clients.text
        self._stream_line = clients.text_stream
        self._outcomes = clients.outcomes
        self._url = clients.origin.at(PATH)

    async def complete(self, request: TextRequest) -> TextAnswer | Failure:
        reply = await self._line.post(self._url, _body(request))
        return self._whole(reply, request) if isinstance(reply, Reply) else reply

    def stream(self, request: TextRequest) -> AsyncIterator[TextDelta | TextAnswer | Failure]:
        post = self._stream_line.request("POST", self._url, _body(request) | {"stream": True})
        hearing = TextHearing(request, self._outcomes)
        return heard(
            self._stream_line, post, hearing, lambda reply: _at_once(self._whole(reply, request))
        )

    def _whole(self, reply: Reply, request: TextRequest) -> TextAnswer | Failure:
        said = said_in(reply, self._outcomes)
        return _answer(said, request, self._outcomes) if isinstance(said, Said) else said


class TextHearing(Hearing[TextDelta, TextAnswer]):
    def __init__(self, request: TextRequest, outcomes: Outcomes) -> None:
        super().__init__()
        self._request = request
        self._outcomes = outcomes
        self._events = Events()

    def feed(self, chunk: bytes) -> Iterator[TextDelta]:
        for data in self._events.feed(chunk):
            said, _ = self._note(data)
            if said.text:
                yield TextDelta(text=said.text)

    def _meaning(self, said: Said) -> TextAnswer | Failure:
        return _answer(said, self._request, self._outcomes)


def _body(request: TextRequest) -> dict[str, Any]:
    messages = [{"role": turn.role.value, "content": turn.content} for turn in request.turns()]
    body: dict[str, Any] = {"model": request.model, "messages": messages}
    if request.temperature is not None:
        body["temperature"] = request.temperature
    if request.max_tokens is not None:
        body["max_completion_tokens"] = request.max_tokens
    return body


def _answer(said: Said, request: TextRequest, outcomes: Outcomes) -> TextAnswer | Failure:
    if said.is_error or not said.text:
        return said.failure("text", outcomes)
    return said.answer(request.model)


def _at_once(answer: TextAnswer | Failure) -> Iterator[TextDelta | TextAnswer | Failure]:
    if isinstance(answer, TextAnswer):
        yield TextDelta(text=answer.text)
    yield answer
