"""What the provider offers: asked now and then, remembered when it is away."""

from datetime import timedelta
from decimal import Decimal
from typing import Any

import pytest

from aigen.domain.model.catalogue import Model, Price
from aigen.domain.model.errors import ProviderUnavailable
from aigen.testing import ScriptedProvider
from tests.api.answers import assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.world import Person, World

MODEL = set(
    """id name description input output image_input aspect_ratios resolutions sizes durations
    pricing""".split()
)

WRITER = Model(id="a/writer", name="Writer", input=("text",), output=("text",))
PAINTER = Model(
    id="a/painter",
    name="Painter",
    description="Paints.",
    input=("text", "image"),
    output=("image", "text"),
    image_input=True,
    aspect_ratios=("1:1", "16:9"),
    sizes=(),
    pricing=(Price(per="image", usd=Decimal("0.04")), Price(per="token", usd=Decimal("1e-7"))),
)
FILMER = Model(
    id="a/filmer",
    name="Filmer",
    input=("text",),
    output=("video",),
    resolutions=("720p",),
    durations=(4, 8),
)


class Catalogue(ScriptedProvider):
    """Counts how often it is asked, and can be away."""

    def __init__(self, *offered: Model) -> None:
        super().__init__()
        self.offered = offered
        self.times = 0
        self.is_away = False

    async def models(self) -> tuple[Model, ...]:
        self.times += 1
        if self.is_away:
            raise ProviderUnavailable
        return self.offered


async def names(person: Person, query: str = "") -> list[str]:
    answer = assert_json(await person.get(f"/models{query}"))
    assert answer.keys() == {"items"}
    return [model["id"] for model in answer["items"]]


def later(world: World, **duration: float) -> None:
    world.clock.set(world.clock.now() + timedelta(**duration))


async def test_a_model_is_shown_as_the_provider_describes_it(world: World, ann: Person) -> None:
    world.provider.offered = (PAINTER, FILMER)
    painter, filmer = assert_json(await ann.get("/models"))["items"]
    assert painter == {
        "id": "a/painter",
        "name": "Painter",
        "description": "Paints.",
        "input": ["text", "image"],
        "output": ["image", "text"],
        "image_input": True,
        "aspect_ratios": ["1:1", "16:9"],
        "resolutions": None,
        "sizes": [],
        "durations": None,
        "pricing": [{"per": "image", "usd": 0.04}, {"per": "token", "usd": 1e-7}],
    }
    assert painter.keys() == filmer.keys() == MODEL
    assert (filmer["durations"], filmer["resolutions"]) == ([4, 8], ["720p"])
    assert (filmer["image_input"], filmer["pricing"]) == (False, [])


@pytest.mark.parametrize(
    ("query", "found"),
    [
        ("", ["a/writer", "a/painter", "a/filmer"]),
        ("?output=text", ["a/writer", "a/painter"]),
        ("?output=image", ["a/painter"]),
        ("?output=video", ["a/filmer"]),
    ],
)
async def test_models_are_listed_by_what_they_make(
    world: World, ann: Person, query: str, found: list[str]
) -> None:
    world.provider.offered = (WRITER, PAINTER, FILMER)
    assert await names(ann, query) == found


async def test_the_list_is_whole_however_long(world: World, ann: Person) -> None:
    world.provider.offered = tuple(Model(id=f"a/{n}", name="n") for n in range(500))
    assert len(await names(ann)) == 500


async def test_only_users_see_the_models(world: World, ann: Person) -> None:
    assert_problem(await world.anonymous.get("/models"), 401, "unauthenticated")
    assert_problem(await world.operator.get("/models"), 401, "token_invalid")


async def opened_with(open_world: OpenWorld, catalogue: Any) -> tuple[World, Person]:
    # The access token outlives what happens here.
    world = await open_world({"catalogue": catalogue}, access_token_ttl=7 * 24 * 3600)
    return world, await world.ann()


async def test_the_provider_is_asked_now_and_then(open_world: OpenWorld) -> None:
    catalogue = Catalogue(WRITER)
    world, ann = await opened_with(open_world, catalogue)
    assert await names(ann) == await names(ann, "?output=text") == ["a/writer"]
    assert catalogue.times == 1
    catalogue.offered = (WRITER, FILMER)
    later(world, minutes=9)
    assert await names(ann) == ["a/writer"]
    later(world, minutes=1)
    assert await names(ann) == ["a/writer", "a/filmer"]
    assert catalogue.times == 2


async def test_the_last_answer_is_kept_while_the_provider_is_away(open_world: OpenWorld) -> None:
    catalogue = Catalogue(WRITER)
    world, ann = await opened_with(open_world, catalogue)
    assert await names(ann) == ["a/writer"]
    catalogue.is_away = True
    later(world, days=1)
    assert await names(ann) == ["a/writer"]
    catalogue.is_away, catalogue.offered = False, (FILMER,)
    later(world, seconds=30)
    assert await names(ann) == ["a/filmer"]


async def test_if_there_never_was_an_answer_it_is_said(open_world: OpenWorld) -> None:
    catalogue = Catalogue(WRITER)
    catalogue.is_away = True
    world, ann = await opened_with(open_world, catalogue)
    for _ in range(3):
        assert_problem(await ann.get("/models"), 503, "provider_unavailable")
    assert catalogue.times == 1  # not at every request
    catalogue.is_away = False
    later(world, seconds=30)
    assert await names(ann) == ["a/writer"]
