"""Texts by /chat/completions, whole or as they are written."""

from collections.abc import AsyncIterator, Iterator
from contextlib import aclosing
from typing import Any

import httpx
from attrs import evolve

from aigen.adapters.openrouter.chat import PATH, Said, said_in
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.outcomes import BROKEN, Outcomes, Reply, of_exception
from aigen.adapters.openrouter.sse import DONE, Events
from aigen.adapters.openrouter.wire import mapping, parsed
from aigen.domain.model.texts import TextRequest, Usage
from aigen.ports.provider import (
    Failure,
    NotSent,
    TextAnswer,
    TextDelta,
    TextProvider,
    Unknown,
)

_CUT = Unknown(reason="the answer broke off before its end")


class OpenRouterTexts(TextProvider):
    def __init__(self, clients: OpenRouterClients) -> None:
        self._line = clients.text
        self._stream_line = clients.text_stream
        self._outcomes = clients.outcomes
        self._url = clients.origin.at(PATH)

    async def complete(self, request: TextRequest) -> TextAnswer | Failure:
        reply = await self._line.post(self._url, _body(request))
        return self._whole(reply, request) if isinstance(reply, Reply) else reply

    async def stream(self, request: TextRequest) -> AsyncIterator[TextDelta | TextAnswer | Failure]:
        line, draft = self._stream_line, Draft(request, self._outcomes)
        deadline = line.deadline()
        post = line.request("POST", self._url, _body(request) | {"stream": True})
        try:
            async with line.opened(post, deadline) as response:
                if not is_stream(response):  # an error, or a provider that ignores `stream`
                    answer = self._whole(await line.whole(response, deadline), request)
                    for piece in _at_once(answer):
                        yield piece
                    return
                async with aclosing(line.chunks(response, deadline)) as chunks:
                    async for chunk in chunks:
                        for text in draft.feed(chunk):
                            yield TextDelta(text=text)
                        if draft.is_ended:
                            break
        except BROKEN as error:
            yield draft.result(of_exception(error))
        else:
            yield draft.result()

    def _whole(self, reply: Reply, request: TextRequest) -> TextAnswer | Failure:
        said = said_in(reply, self._outcomes)
        return _answer(said, request, self._outcomes) if isinstance(said, Said) else said


class Draft:
    """A streamed answer as far as it has come."""

    def __init__(self, request: TextRequest, outcomes: Outcomes) -> None:
        self._request = request
        self._outcomes = outcomes
        self._events = Events()
        self._texts: list[str] = []
        self._rest = Said()
        self._is_done = False

    @property
    def is_ended(self) -> bool:
        return self._is_done or self._rest.is_error

    def feed(self, chunk: bytes) -> Iterator[str]:
        """The texts in the events that these bytes complete."""
        for data in self._events.feed(chunk):
            if data == DONE:
                self._is_done = True
                continue
            said = Said.of(mapping(parsed(data)))
            self._rest = self._rest.then(said)
            if said.text:
                self._texts.append(said.text)
                yield said.text

    def result(self, cut: NotSent | Unknown = _CUT) -> TextAnswer | Failure:
        """What has become of it; `cut` is what it means if it has no end.

        With a reason to finish the text is whole, even if usage or `[DONE]` were lost.
        """
        said = evolve(self._rest, text="".join(self._texts))
        has_end = self.is_ended or said.finish_reason
        return _answer(said, self._request, self._outcomes) if has_end else cut


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
    return TextAnswer(
        model=said.model or request.model,
        text=said.text,
        finish_reason=said.finish_reason or None,
        usage=said.usage or Usage(),
        cost_usd=said.cost_usd,
        generation_ids=said.generation_ids,
    )


def _at_once(answer: TextAnswer | Failure) -> Iterator[TextDelta | TextAnswer | Failure]:
    if isinstance(answer, TextAnswer):
        yield TextDelta(text=answer.text)
    yield answer


def is_stream(response: httpx.Response) -> bool:
    """Whether events are coming, and no answer in one piece."""
    kind = response.headers.get("content-type", "")
    return response.is_success and kind.startswith("text/event-stream")
