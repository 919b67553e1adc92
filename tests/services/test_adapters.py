"""Any adapter can be replaced by an object of somebody else's that is no subclass of a port."""

from decimal import Decimal
from typing import Any

import pytest

from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.texts import Usage
from aigen.domain.model.videos import VideoStatus
from aigen.entrypoints.library import Adapters, Aigen
from aigen.ports.provider import TextAnswer
from aigen.testing import (
    LocalEvents,
    ManualClock,
    MemoryJournal,
    MemoryMedia,
    MemoryStore,
    PlainEmails,
    PlainPasswords,
    PlainTokens,
    ScriptedProvider,
    SystemIds,
    bare_settings,
)
from tests.services.worlds import PASSWORD, image_request, text_request, video_request

UNPRICED = TextAnswer(
    model="any",
    text="Hello.",
    finish_reason="stop",
    usage=Usage(),
    cost_usd=None,
    generation_ids=("a-generation",),
)
CHAT = ChatRequest.of({"model": "any", "messages": [{"role": "user", "content": "hello"}]})


class Foreign:
    """Somebody else's adapter, which works like one of ours. Notes whether it is asked."""

    def __init__(self, adapter: object) -> None:
        self._adapter = adapter
        self.is_asked = False

    def __getattr__(self, name: str) -> Any:
        self.is_asked = True
        return getattr(self._adapter, name)


async def test_every_adapter_can_be_somebody_elses() -> None:
    clock, media = ManualClock(), MemoryMedia()
    provider = ScriptedProvider(clock)
    ours = {
        "text_provider": provider,
        "chat_provider": provider,
        "image_provider": provider,
        "video_provider": provider,
        "catalogue": provider,
        "cost_lookup": provider,
        "store": MemoryStore(),
        "media": media,
        "links": media,
        "journal": MemoryJournal(),
        "events": LocalEvents(),
        "passwords": PlainPasswords(),
        "tokens": PlainTokens(clock),
        "emails": PlainEmails(),
        "clock": clock,
        "ids": SystemIds(),
    }
    assert ours.keys() == Adapters.__annotations__.keys()
    foreign: dict[str, Any] = {name: Foreign(adapter) for name, adapter in ours.items()}
    provider.texts.add(UNPRICED)
    provider.costs.add(Decimal("0.5"))
    async with Aigen.open(bare_settings(), **foreign) as aigen:
        ann = await aigen.users.add("ann@example.org", PASSWORD)
        await aigen.sessions.login("ann@example.org", PASSWORD)
        text = await aigen.texts.generate(ann.id, text_request())
        await aigen.chats.complete_once(ann.id, CHAT, None)
        image = await aigen.images.generate(ann.id, image_request())
        assert aigen.links.link(image.pictures[0].key)
        job = await aigen.videos.submit(ann.id, video_request())
        async with aigen.worker():
            for _ in range(20):
                await clock.advance(10)
            done = await aigen.videos.get(ann.id, job.id)
        assert done.status is VideoStatus.COMPLETED
        assert (await aigen.texts.get(ann.id, text.id)).cost_usd == Decimal("0.5")
    assert {name for name, adapter in foreign.items() if not adapter.is_asked} == set()


async def test_what_is_no_adapter_is_named() -> None:
    with pytest.raises(TypeError, match="no adapter called clocks"):
        async with Aigen.open(bare_settings(), clocks=ManualClock()):  # type: ignore[call-arg]
            pytest.fail("it has been opened")
