"""The models on offer: asked for now and then, remembered when the provider is away."""

import asyncio

import pytest

from aigen.adapters.memory.provider import ScriptedProvider
from aigen.domain.model.catalogue import Model, Output
from aigen.domain.model.errors import ProviderUnavailable
from aigen.domain.services.background import Background
from aigen.domain.services.models import Models
from aigen.testing import ManualClock
from tests.services.worlds import MINUTE, SECOND, TICK

TALKER = Model(id="a/talker", name="Talker", output=("text",))
PAINTER = Model(id="a/painter", name="Painter", output=("text", "image"))
FILMER = Model(id="a/filmer", name="Filmer", output=("video",))


class Catalogue(ScriptedProvider):
    """A catalogue that can be away, and counts how often it is asked."""

    def __init__(self) -> None:
        super().__init__()
        self.offered = (TALKER, PAINTER, FILMER)
        self.is_away = False
        self.asked = 0

    async def models(self) -> tuple[Model, ...]:
        self.asked += 1
        await self.gate.wait()
        if self.is_away:
            raise ProviderUnavailable
        return self.offered


@pytest.fixture
def catalogue() -> Catalogue:
    return Catalogue()


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
def models(catalogue: Catalogue, clock: ManualClock) -> Models:
    return Models(catalogue, Background(), clock)


@pytest.mark.parametrize(
    ("output", "expected"),
    [
        (None, (TALKER, PAINTER, FILMER)),
        (Output.TEXT, (TALKER, PAINTER)),
        (Output.IMAGE, (PAINTER,)),
        (Output.VIDEO, (FILMER,)),
    ],
)
async def test_models_are_listed_by_what_they_make(
    models: Models, output: Output | None, expected: tuple[Model, ...]
) -> None:
    assert await models.list(output) == expected


async def test_the_provider_is_asked_every_ten_minutes_at_most(
    models: Models, catalogue: Catalogue, clock: ManualClock
) -> None:
    await models.list()
    catalogue.offered = (TALKER,)
    await clock.advance(10 * MINUTE - TICK)
    assert len(await models.list()) == 3
    await clock.advance(TICK)
    assert len(await models.list()) == 1
    assert catalogue.asked == 2


async def test_the_last_good_answer_is_kept_while_the_provider_is_away(
    models: Models, catalogue: Catalogue, clock: ManualClock
) -> None:
    await models.list()
    catalogue.is_away = True
    for asked in (2, 3):
        await clock.advance(10 * MINUTE)
        assert len(await models.list()) == 3
        assert catalogue.asked == asked


async def test_a_provider_that_is_away_is_asked_again_after_half_a_minute(
    models: Models, catalogue: Catalogue, clock: ManualClock
) -> None:
    catalogue.is_away = True
    for _ in range(3):
        with pytest.raises(ProviderUnavailable):
            await models.list()
    assert catalogue.asked == 1
    catalogue.is_away = False
    await clock.advance(30 * SECOND - TICK)
    with pytest.raises(ProviderUnavailable):
        await models.list()
    await clock.advance(TICK)
    assert len(await models.list()) == 3


async def test_many_who_ask_at_once_make_one_question(
    models: Models, catalogue: Catalogue, clock: ManualClock
) -> None:
    catalogue.gate.clear()
    asking = [asyncio.create_task(models.list()) for _ in range(20)]
    await clock.settle()
    catalogue.gate.set()
    found = await asyncio.gather(*asking)
    assert {len(listed) for listed in found} == {3}
    assert catalogue.asked == 1


async def test_an_empty_catalogue_is_an_answer(models: Models, catalogue: Catalogue) -> None:
    catalogue.offered = ()
    assert await models.list() == ()
