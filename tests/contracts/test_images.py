"""Every provider of images keeps the contract."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.adapters.openrouter.images import OpenRouterImages
from aigen.domain.model.images import ImageRequest
from aigen.ports.provider import ImageAnswer
from aigen.testing.contracts.images import *  # noqa: F403
from aigen.testing.contracts.images import Images
from aigen.testing.contracts.subjects import Subject
from tests.contracts.openrouter import ANSWERS, openrouter

#: One for each route.
MODELS = ("google/gemini-2.5-flash-image", "black-forest-labs/flux.2-pro")


def scripted() -> Images:
    provider = ScriptedProvider()

    def ending(kind: type) -> ImageRequest:
        if kind is not ImageAnswer:
            provider.images.add(kind(reason="on purpose"))
        return ImageRequest(model="any", prompt="a fox")

    return Subject(provider=provider, ending=ending, endings=ANSWERS)


@pytest_asyncio.fixture(params=["scripted", *MODELS])
async def images(request: pytest.FixtureRequest) -> AsyncIterator[Images]:
    if request.param == "scripted":
        yield scripted()
        return

    def ending(kind: type) -> ImageRequest:
        return ImageRequest(model=request.param, prompt=f"a fox {ANSWERS.get(kind, '')}")

    async with openrouter() as clients:
        provider = OpenRouterImages(clients, route="auto")
        yield Subject(provider=provider, ending=ending, endings=ANSWERS)
