"""Every provider of videos keeps the contract."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.ports.provider import Done, Ended, Missing, Unreachable, VideoSubmission
from aigen.testing.contracts.subjects import Subject
from aigen.testing.contracts.videos import *  # noqa: F403
from aigen.testing.contracts.videos import Videos
from tests.contracts.openrouter import FAILURES, JOBS, openrouter


def asking(prompt: str) -> VideoSubmission:
    return VideoSubmission(model="google/veo-3.1-lite", prompt=prompt, duration=4)


def scripted() -> Videos:
    provider = ScriptedProvider()

    def ending(kind: type) -> VideoSubmission:
        if kind in FAILURES:
            provider.submits.add(kind(reason="on purpose"))
        elif kind is Ended:
            provider.polls.add(Ended(how="failed", reason="on purpose"))
        elif kind is Missing:
            provider.polls.add(Missing())
        elif kind is Unreachable:
            provider.polls.add(Unreachable(reason="on purpose"))
        elif kind is not Done:
            provider.films.add(kind())
        return asking("a fox")

    return Subject(provider=provider, ending=ending, endings=JOBS)


@pytest_asyncio.fixture(params=["scripted", "openrouter"])
async def videos(request: pytest.FixtureRequest) -> AsyncIterator[Videos]:
    if request.param == "scripted":
        yield scripted()
        return
    async with openrouter() as clients:
        yield Subject(
            provider=OpenRouterVideos(clients),
            ending=lambda kind: asking(f"a fox {JOBS.get(kind, '')}"),
            endings=JOBS,
        )
