"""Texts: asked for once, kept in the history, answered as soon as there is something."""

import asyncio
from collections.abc import AsyncIterator, Callable

import pytest

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.adapters.memory.store import MemoryStore
from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.errors import (
    AigenError,
    Busy,
    DatabaseUnavailable,
    NotFound,
    ProviderOutcomeUnknown,
    ProviderUnavailable,
    StorageFull,
)
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.texts import Text
from aigen.domain.model.users import User
from aigen.domain.services.text_calls import TextCalls
from aigen.domain.services.texts import Texts
from aigen.ports.provider import (
    Failure,
    NotSent,
    TextAnswer,
    TextDelta,
    TextProvider,
    Unknown,
)
from aigen.ports.store import HistoryQuery
from aigen.testing import Harness
from tests.services.worlds import (
    FAILURES,
    MINUTE,
    SECOND,
    TroubledStore,
    gone_away,
    started,
    text_request,
)


async def history(harness: Harness, user: User) -> list[Text]:
    page = await harness.aigen.texts.list(HistoryQuery(user_id=user.id))
    return list(page.items)


async def streamed(harness: Harness, user: User) -> AsyncIterator[TextDelta | Text]:
    return (await harness.aigen.texts.stream_once(user.id, text_request(), None)).value


def texts_of(harness: Harness, provider: TextProvider) -> Texts:
    """The harness's texts, by another provider."""
    aigen = harness.aigen
    calls = TextCalls(
        harness.store,
        harness.media,
        aigen.health,
        harness.clock,
        SystemIds(),
        timeout=3 * MINUTE,
    )
    return Texts(harness.store, calls, provider, aigen.money, aigen.background)


class BrokenProvider(ScriptedProvider):
    """Says one word, and then `end`; or fails by a bug of ours if there is none."""

    def __init__(self, end: TextAnswer | Failure | None) -> None:
        super().__init__()
        self._end = end

    async def stream(self, request: object) -> AsyncIterator[TextDelta | TextAnswer | Failure]:
        yield TextDelta(text="Hello")
        if self._end is None:
            raise AssertionError("on purpose")
        yield self._end


# --- whole ------------------------------------------------------------------------------------


async def test_a_text_is_answered_and_kept(harness: Harness, ann: User) -> None:
    text = await harness.aigen.texts.generate(ann.id, text_request("Say hello"))
    assert text.text == "You said: Say hello"
    assert (text.user_id, text.prompt, text.finish_reason) == (ann.id, "Say hello", "stop")
    assert text.usage.total_tokens == 8
    assert text.created_at == harness.clock.now()
    assert await harness.aigen.texts.get(ann.id, text.id) == text
    assert await history(harness, ann) == [text]


async def test_a_text_is_its_owners_alone(harness: Harness, ann: User, bob: User) -> None:
    text = await harness.aigen.texts.generate(ann.id, text_request())
    with pytest.raises(NotFound):
        await harness.aigen.texts.get(bob.id, text.id)
    assert await history(harness, bob) == []


async def test_history_is_read_page_by_page_newest_first(harness: Harness, ann: User) -> None:
    texts = [await harness.aigen.texts.generate(ann.id, text_request(f"{n}")) for n in range(5)]
    seen: list[Text] = []
    before = None
    for size in (2, 2, 1):
        query = HistoryQuery(user_id=ann.id, page=PageRequest(limit=2, before=before))
        page = await harness.aigen.texts.list(query)
        assert len(page.items) == size
        seen += page.items
        before = page.next_before
    assert seen == texts[::-1]
    assert before is None


@pytest.mark.parametrize(("failure", "code", "words"), FAILURES)
async def test_each_failure_is_told_for_what_it_is(
    harness: Harness, ann: User, failure: Failure, code: str, words: str
) -> None:
    harness.provider.texts.add(failure)
    with pytest.raises(AigenError) as refused:
        await harness.aigen.texts.generate(ann.id, text_request())
    assert refused.value.code == code
    assert words in refused.value.detail
    assert await history(harness, ann) == []
    assert len(harness.provider.text_requests) == 1  # never repeated by the program


async def test_an_overloaded_provider_says_when_to_come_back(harness: Harness, ann: User) -> None:
    harness.provider.texts.add(NotSent(reason="busy", retry_after=7 * SECOND), NotSent(reason="?"))
    waits = []
    for _ in range(2):
        with pytest.raises(ProviderUnavailable) as refused:
            await harness.aigen.texts.generate(ann.id, text_request())
        waits.append(refused.value.retry_after)
    assert waits == [7 * SECOND, 5 * SECOND]


async def test_nothing_is_asked_for_while_the_disk_is_full(harness: Harness, ann: User) -> None:
    harness.media.is_full = True
    with pytest.raises(StorageFull):
        await harness.aigen.texts.generate(ann.id, text_request())
    with pytest.raises(StorageFull):
        await streamed(harness, ann)
    assert harness.provider.text_requests == []


# --- in pieces --------------------------------------------------------------------------------


async def test_a_text_comes_in_pieces_and_then_whole(harness: Harness, ann: User) -> None:
    *pieces, whole = [piece async for piece in await streamed(harness, ann)]
    assert [piece.text for piece in pieces] == ["You ", "said: ", "Say ", "hello"]
    assert isinstance(whole, Text)
    assert await history(harness, ann) == [whole]


@pytest.mark.parametrize(("failure", "code", "words"), FAILURES)
async def test_what_fails_before_the_first_piece_is_an_ordinary_error(
    harness: Harness, ann: User, failure: Failure, code: str, words: str
) -> None:
    harness.provider.texts.add(failure)
    with pytest.raises(AigenError) as refused:
        await streamed(harness, ann)
    assert refused.value.code == code
    assert words in refused.value.detail


@pytest.mark.parametrize("end", [Unknown(reason="cut off"), None])
async def test_what_breaks_off_is_told_after_the_pieces(
    harness: Harness, ann: User, end: Failure | None
) -> None:
    texts = texts_of(harness, BrokenProvider(end))
    pieces = (await texts.stream_once(ann.id, text_request(), None)).value
    assert await anext(pieces) == TextDelta(text="Hello")
    with pytest.raises(ProviderOutcomeUnknown):
        await anext(pieces)
    assert await history(harness, ann) == []


async def test_a_listener_may_leave_in_the_middle(harness: Harness, ann: User) -> None:
    pieces = await streamed(harness, ann)
    await anext(pieces)
    await harness.aigen.background.drain()
    (text,) = await history(harness, ann)
    assert text.text == "You said: Say hello"


# --- paid for is kept -------------------------------------------------------------------------


@pytest.mark.parametrize(
    "ask",
    [
        lambda harness, ann: harness.aigen.texts.generate(ann.id, text_request()),
        lambda harness, ann: harness.aigen.texts.stream_once(ann.id, text_request(), None),
    ],
    ids=["whole", "in pieces"],
)
async def test_a_client_that_has_gone_away_finds_the_text_in_its_history(
    harness: Harness, ann: User, ask: Callable[[Harness, User], "asyncio.Future[object]"]
) -> None:
    await gone_away(harness, ask(harness, ann))  # type: ignore[arg-type]
    (text,) = await history(harness, ann)
    assert text.text == "You said: Say hello"
    assert len(harness.provider.text_requests) == 1


@pytest.mark.parametrize("trouble", [DatabaseUnavailable(), Busy(), StorageFull()])
async def test_a_text_waits_for_a_database_that_is_away(
    harness: Harness, store: TroubledStore, ann: User, trouble: AigenError
) -> None:
    harness.provider.gate.clear()
    task = await started(harness, harness.aigen.texts.generate(ann.id, text_request()))
    store.trouble = trouble
    harness.provider.gate.set()
    await harness.clock.advance(MINUTE)
    assert not task.done()
    store.recover()
    await harness.clock.advance(SECOND)
    assert [await task] == await history(harness, ann)


@pytest.mark.parametrize("trouble", [DatabaseUnavailable(), Busy(), StorageFull()])
async def test_who_waits_is_given_after_two_minutes_what_could_not_be_recorded(
    harness: Harness, store: TroubledStore, ann: User, trouble: AigenError
) -> None:
    """An error would make them buy it again."""
    harness.provider.gate.clear()
    task = await started(harness, harness.aigen.texts.generate(ann.id, text_request()))
    store.trouble = trouble
    harness.provider.gate.set()
    await harness.clock.advance(2 * MINUTE - SECOND)
    assert not task.done()
    await harness.clock.advance(2 * SECOND)
    assert (await task).text == "You said: Say hello"
    store.recover()
    assert await history(harness, ann) == []


async def test_closing_waits_for_what_is_being_bought() -> None:
    store = MemoryStore()
    async with Harness.open(store=store) as harness:
        ann = await harness.user()
        harness.provider.gate.clear()
        task = await started(harness, harness.aigen.texts.generate(ann.id, text_request()))
        asyncio.get_running_loop().call_soon(harness.provider.gate.set)
    assert task.done()
    counted = await store.read(lambda records: records.texts.count())
    assert counted == 1
