"""Every provider of texts keeps the contract."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.adapters.openrouter.texts import OpenRouterTexts
from aigen.domain.model.texts import TextRequest
from aigen.ports.provider import TextAnswer
from aigen.testing.contracts.subjects import Subject
from aigen.testing.contracts.texts import *  # noqa: F403
from aigen.testing.contracts.texts import Texts
from tests.contracts.openrouter import ANSWERS, openrouter


def asking(prompt: str) -> TextRequest:
    return TextRequest(model="openai/gpt-4o-mini", prompt=prompt)


def scripted() -> Texts:
    provider = ScriptedProvider()

    def ending(kind: type) -> TextRequest:
        if kind is not TextAnswer:
            provider.texts.add(kind(reason="on purpose"))
        return asking("a fox")

    return Subject(provider=provider, ending=ending, endings=ANSWERS)


@pytest_asyncio.fixture(params=["scripted", "openrouter"])
async def texts(request: pytest.FixtureRequest) -> AsyncIterator[Texts]:
    if request.param == "scripted":
        yield scripted()
        return
    async with openrouter() as clients:
        yield Subject(
            provider=OpenRouterTexts(clients),
            ending=lambda kind: asking(f"a fox {ANSWERS.get(kind, '')}"),
            endings=ANSWERS,
        )
