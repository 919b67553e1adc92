"""Conversations by /chat/completions, handed on as they are and read in passing."""

from collections.abc import AsyncIterator, Iterator

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.completions import PATH, Said
from aigen.adapters.openrouter.outcomes import Outcomes, Reply, of_garbage
from aigen.adapters.openrouter.sse import Blocks
from aigen.adapters.openrouter.streams import Hearing, heard
from aigen.adapters.openrouter.wire import items, mapping, parsed
from aigen.domain.model.chats import ChatRequest
from aigen.ports.provider import ChatAnswer, ChatProvider, Failure, Unknown

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

    def relay(self, request: ChatRequest) -> AsyncIterator[bytes | ChatAnswer | Failure]:
        post = self._stream_line.request("POST", self._url, request.content)
        hearing = ChatHearing(request, self._outcomes)
        return heard(self._stream_line, post, hearing, lambda reply: [self._whole(reply, request)])

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
        return ChatAnswer(body=reply.body, noted=said.answer(request.model), is_text=is_text)


class ChatHearing(Hearing[bytes, ChatAnswer]):
    """Hands on events and comments, but for `[DONE]` and for errors, which are not for users as
    they are."""

    def __init__(self, request: ChatRequest, outcomes: Outcomes) -> None:
        super().__init__()
        self._request = request
        self._outcomes = outcomes
        self._blocks = Blocks()
        self._has_choices = False
        self._is_text = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        for block, data in self._blocks.feed(chunk):
            if data is not None:
                self._look_at(data)
            if self.is_ended:
                return
            yield block

    def _look_at(self, data: bytes) -> None:
        said, chunk = self._note(data)
        choices = [] if said.is_error else items(chunk.get("choices"))
        if choices:
            self._has_choices = True
            self._is_text = self._is_text and all(map(_is_text, choices))

    def _meaning(self, said: Said) -> ChatAnswer | Failure:
        if said.is_error:
            meant = said.failure("answer", self._outcomes)
            # It was at work already, so whatever the error's code says, this may be charged.
            return Unknown(reason=meant.reason) if self._has_choices else meant
        if not self._has_choices:
            return said.failure("answer", self._outcomes)
        return ChatAnswer(noted=said.answer(self._request.model), is_text=self._is_text)


def _is_text(choice: object) -> bool:
    """Whether a choice, or a piece of one, is the first and says nothing but text."""
    message = mapping(mapping(choice).get("message") or mapping(choice).get("delta"))
    return not mapping(choice).get("index") and not any(map(message.get, _BESIDES))
