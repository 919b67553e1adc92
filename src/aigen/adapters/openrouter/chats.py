"""Conversations by /chat/completions, handed on as they are and read in passing."""

from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import aclosing
from typing import Any

from attrs import evolve

from aigen.adapters.openrouter.chat import PATH, Said
from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.outcomes import (
    BROKEN,
    Outcomes,
    Reply,
    of_exception,
    of_garbage,
)
from aigen.adapters.openrouter.sse import DONE, Blocks
from aigen.adapters.openrouter.texts import is_stream
from aigen.adapters.openrouter.wire import items, mapping, parsed
from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.texts import Usage
from aigen.ports.provider import (
    ChatAnswer,
    ChatProvider,
    Failure,
    NotSent,
    TextAnswer,
    Unknown,
)

_CUT = Unknown(reason="the answer broke off before its end")
#: What an answer may hold besides its text.
_BESIDES = ("tool_calls", "function_call", "images", "audio")


class OpenRouterChats(ChatProvider):
    def __init__(self, clients: OpenRouterClients) -> None:
        self._line = clients.text
        self._stream_line = clients.text_stream
        self._outcomes = clients.outcomes
        self._url = clients.origin.at(PATH)

    async def answer(self, request: ChatRequest) -> ChatAnswer | Failure:
        reply = await self._line.post(self._url, request.content)
        return self._whole(reply, request) if isinstance(reply, Reply) else reply

    async def relay(self, request: ChatRequest) -> AsyncIterator[bytes | ChatAnswer | Failure]:
        line, hearing = self._stream_line, Hearing(request, self._outcomes)
        deadline = line.deadline()
        post = line.request("POST", self._url, request.content)
        try:
            async with line.opened(post, deadline) as response:
                if not is_stream(response):  # an error, or a provider that ignores `stream`
                    yield self._whole(await line.whole(response, deadline), request)
                    return
                async with aclosing(line.chunks(response, deadline)) as chunks:
                    async for chunk in chunks:
                        for block in hearing.feed(chunk):
                            yield block
                        if hearing.is_ended:
                            break
        except BROKEN as error:
            yield hearing.result(of_exception(error))
        else:
            yield hearing.result()

    def _whole(self, reply: Reply, request: ChatRequest) -> ChatAnswer | Failure:
        if not reply.is_success:
            return self._outcomes.of_reply(reply)
        body = parsed(reply.body)
        if not isinstance(body, dict):
            return of_garbage(reply)
        said = Said.of(body)
        choices = items(body.get("choices"))
        if said.is_error or not choices:
            return said.failure("answer", self._outcomes)
        is_text = len(choices) == 1 and _is_text(choices[0])
        return ChatAnswer(body=reply.body, noted=_noted(said, request), is_text=is_text)


class Hearing:
    """A streamed answer as far as it has been passed on."""

    def __init__(self, request: ChatRequest, outcomes: Outcomes) -> None:
        self._request = request
        self._outcomes = outcomes
        self._blocks = Blocks()
        self._texts: list[str] = []
        self._rest = Said()
        self._has_choices = False
        self._is_text = True
        self._is_done = False

    @property
    def is_ended(self) -> bool:
        return self._is_done or self._rest.is_error

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """The events and comments that these bytes complete, but for `[DONE]` and for errors,
        which are not for users as they are."""
        for block, data in self._blocks.feed(chunk):
            if data == DONE:
                self._is_done = True
            elif data is not None:
                self._note(mapping(parsed(data)))
            if self.is_ended:
                return
            yield block

    def result(self, cut: NotSent | Unknown = _CUT) -> ChatAnswer | Failure:
        """What has become of it; `cut` is what it means if it has no end.

        With a reason to finish the answer is whole, even if usage or `[DONE]` were lost.
        """
        said = evolve(self._rest, text="".join(self._texts))
        if not self.is_ended and not said.finish_reason:
            return cut
        if said.is_error:
            meant = said.failure("answer", self._outcomes)
            # It was at work already, so whatever the error's code says, this may be charged.
            return Unknown(reason=meant.reason) if self._has_choices else meant
        if not self._has_choices:
            return said.failure("answer", self._outcomes)
        return ChatAnswer(noted=_noted(said, self._request), is_text=self._is_text)

    def _note(self, chunk: Mapping[str, Any]) -> None:
        said = Said.of(chunk)
        self._rest = self._rest.then(said)
        if said.text:
            self._texts.append(said.text)
        choices = [] if said.is_error else items(chunk.get("choices"))
        if choices:
            self._has_choices = True
            self._is_text = self._is_text and all(map(_is_text, choices))


def _is_text(choice: object) -> bool:
    """Whether a choice, or a piece of one, is the first and says nothing but text."""
    message = mapping(mapping(choice).get("message") or mapping(choice).get("delta"))
    return not mapping(choice).get("index") and not any(map(message.get, _BESIDES))


def _noted(said: Said, request: ChatRequest) -> TextAnswer:
    return TextAnswer(
        model=said.model or request.model,
        text=said.text,
        finish_reason=said.finish_reason or None,
        usage=said.usage or Usage(),
        cost_usd=said.cost_usd,
        generation_ids=said.generation_ids,
    )
