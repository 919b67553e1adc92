"""Images: whole, deferred, partial, unstored, edited."""

import base64
from collections.abc import AsyncIterable
from decimal import Decimal
from pathlib import Path

import pytest

from aigen.adapters.media.disk import DiskMedia
from aigen.domain.model.errors import StorageFull
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.media import Picture, StoredMedia
from aigen.ports.media import Accept
from aigen.ports.provider import BadAnswer, Failure, ImageAnswer
from aigen.testing import PNG
from tests.api.answers import assert_done, assert_id, assert_json, assert_problem, assert_time
from tests.api.conftest import OpenWorld
from tests.api.test_texts import assert_refusal_is_explained, failures
from tests.api.world import Person, World

# The interface names all but `image_url`, which it wants shown "likewise" (3.5).
IMAGE = set(
    """id status model prompt image_url images text cost_usd error error_code created_at""".split()
)
ASKED = {"model": "some/painter", "prompt": "A fox"}
LATER = {"Prefer": "respond-async"}

HTML = b"<!doctype html><script>alert(1)</script>"


@pytest.fixture
def world(common: World) -> World:
    return common


# --- whole ------------------------------------------------------------------------------------


async def test_an_image_is_answered_with_links_to_what_is_stored(world: World, ann: Person) -> None:
    image = assert_json(await ann.post("/generate/image", ASKED | {"n": 2}))
    assert image.keys() == IMAGE
    assert_id(image["id"])
    assert_time(image["created_at"])
    assert {name: image[name] for name in IMAGE - {"id", "created_at", "images"}} == {
        "status": "completed",
        "model": "some/painter",
        "prompt": "A fox",
        "image_url": None,
        "text": None,
        "cost_usd": 0.04,
        "error": None,
        "error_code": None,
    }
    assert len(image["images"]) == 2
    for picture in image["images"]:
        assert picture.keys() == {"url", "media_type", "width", "height"}
        assert (picture["media_type"], picture["width"], picture["height"]) == ("image/png", 1, 1)
        assert (await world.anonymous.get(picture["url"])).content == PNG
    assert assert_json(await ann.get(f"/generate/image/{image['id']}")) == image


async def test_what_the_model_says_besides_is_kept(world: World, ann: Person) -> None:
    answer = ImageAnswer(pictures=(Picture(content=PNG),), text="Here is your fox.")
    world.provider.images.add(answer)
    image = assert_json(await ann.post("/generate/image", ASKED))
    assert (image["text"], image["cost_usd"]) == ("Here is your fox.", None)


async def test_all_options_reach_the_provider_together(world: World, ann: Person) -> None:
    options = {"size": "1024x1024", "n": 10, "aspect_ratio": "16:9", "image_size": "4K"}
    assert_json(await ann.post("/generate/image", ASKED | options))
    ((request, source),) = world.provider.image_requests
    assert request == ImageRequest(
        model="some/painter",
        prompt="A fox",
        size="1024x1024",
        n=10,
        aspect_ratio="16:9",
        image_size="4K",
    )
    assert source is None


@failures
async def test_a_failure_of_the_provider_is_a_problem_and_is_kept(
    world: World, ann: Person, failure: Failure, status: int, code: str
) -> None:
    world.provider.images.add(failure)
    response = await ann.post("/generate/image", ASKED)
    problem = assert_problem(response, status, code)
    assert_refusal_is_explained(response, failure)
    (image,) = assert_json(await ann.get("/generate/image"))["items"]
    assert image.keys() == IMAGE
    assert (image["status"], image["error_code"]) == ("failed", code)
    assert image["error"] == problem["detail"]
    assert image["images"] == []
    assert len(world.provider.image_requests) == 1


# --- deferred ---------------------------------------------------------------------------------


@pytest.mark.parametrize(
    "prefer", ["respond-async", "Respond-Async, wait=10", "wait=1,respond-async"]
)
async def test_whoever_prefers_it_is_answered_at_once_and_looks_later(
    world: World, ann: Person, prefer: str
) -> None:
    world.provider.gate.clear()
    response = await ann.post("/generate/image", ASKED, headers={"Prefer": prefer})
    accepted = assert_json(response, 202)
    assert response.headers["preference-applied"] == "respond-async"
    assert accepted.keys() == {"id", "status"}
    assert accepted["status"] == "processing"
    path = f"/generate/image/{accepted['id']}"
    image = assert_json(await ann.get(path))
    assert image.keys() == IMAGE
    assert (image["status"], image["images"]) == ("processing", [])
    world.provider.gate.set()
    await world.aigen.background.drain()
    image = assert_json(await ann.get(path))
    assert (image["status"], len(image["images"])) == ("completed", 1)


@failures
async def test_a_deferred_image_that_failed_says_why(
    world: World, ann: Person, failure: Failure, status: int, code: str
) -> None:
    world.provider.images.add(failure)
    accepted = assert_json(await ann.post("/generate/image", ASKED, headers=LATER), 202)
    await world.aigen.background.drain()
    image = assert_json(await ann.get(f"/generate/image/{accepted['id']}"))
    assert image.keys() == IMAGE
    assert (image["status"], image["error_code"]) == ("failed", code)
    assert image["error"]


@pytest.mark.parametrize("prefer", ["wait=10", "respond-sync", "return=minimal", ""])
async def test_other_preferences_are_answered_whole(ann: Person, prefer: str) -> None:
    response = await ann.post("/generate/image", ASKED, headers={"Prefer": prefer})
    assert assert_json(response)["status"] == "completed"
    assert "preference-applied" not in response.headers


async def test_an_image_deleted_while_it_is_made_leaves_nothing(world: World, ann: Person) -> None:
    world.provider.gate.clear()
    accepted = assert_json(await ann.post("/generate/image", ASKED, headers=LATER), 202)
    path = f"/generate/image/{accepted['id']}"
    assert_done(await ann.delete(path))
    world.provider.gate.set()
    await world.aigen.background.drain()
    assert_problem(await ann.get(path), 404, "not_found")
    folder = world.aigen.settings.media_dir / ann.id
    assert [file for file in folder.rglob("*") if file.is_file()] == []


# --- what was paid for is kept ------------------------------------------------------------------


class FullDisk(DiskMedia):
    """A disk that fills up while the provider is at work: nothing more can be put on it."""

    room_for = 0

    async def put(
        self, folder: str, name: str, chunks: AsyncIterable[bytes], accept: Accept
    ) -> StoredMedia:
        if self.room_for <= 0:
            raise StorageFull
        self.room_for -= 1
        return await super().put(folder, name, chunks, accept)


async def test_a_picture_that_cannot_be_stored_leaves_as_a_data_url(
    open_world: OpenWorld, tmp_path: Path
) -> None:
    world = await open_world({"media": FullDisk(tmp_path / "media", 0)})
    ann = await world.ann()
    image = assert_json(await ann.post("/generate/image", ASKED))
    assert image.keys() == IMAGE
    assert (image["status"], image["cost_usd"]) == ("completed", 0.04)
    assert image["images"] == [
        {
            "url": "data:image/png;base64," + base64.b64encode(PNG).decode(),
            "media_type": "image/png",
            "width": None,
            "height": None,
        }
    ]
    kept = assert_json(await ann.get(f"/generate/image/{image['id']}"))
    assert (kept["status"], kept["images"], kept["cost_usd"]) == ("completed", [], 0.04)


async def test_of_several_pictures_those_that_fit_are_stored(
    open_world: OpenWorld, tmp_path: Path
) -> None:
    disk = FullDisk(tmp_path / "media", 0)
    disk.room_for = 1
    world = await open_world({"media": disk})
    ann = await world.ann()
    image = assert_json(await ann.post("/generate/image", ASKED | {"n": 2}))
    kinds = [picture["url"].partition(":")[0] for picture in image["images"]]
    assert kinds == ["http", "data"]


async def test_what_is_no_picture_is_not_shown(world: World, ann: Person) -> None:
    pictures = (Picture(content=HTML), Picture(content=PNG), Picture(content=b"<svg/>"))
    world.provider.images.add(ImageAnswer(pictures=pictures, cost_usd=Decimal("0.1")))
    image = assert_json(await ann.post("/generate/image", ASKED | {"n": 3}))
    assert [picture["media_type"] for picture in image["images"]] == ["image/png"]
    world.provider.images.add(ImageAnswer(pictures=(Picture(content=HTML),)))
    response = await ann.post("/generate/image", ASKED)
    assert_problem(response, 502, "provider_bad_answer")


async def test_what_is_no_picture_leaves_as_no_data_url_either(
    open_world: OpenWorld, tmp_path: Path
) -> None:
    world = await open_world({"media": FullDisk(tmp_path / "media", 0)})
    world.provider.images.add(ImageAnswer(pictures=(Picture(content=HTML),)))
    response = await (await world.ann()).post("/generate/image", ASKED)
    assert base64.b64encode(HTML).decode() not in response.text
    assert "text/html" not in response.text


async def test_a_bad_answer_keeps_its_cost(world: World, ann: Person) -> None:
    world.provider.images.add(BadAnswer(reason="I cannot draw foxes.", cost_usd=Decimal("0.02")))
    assert_problem(await ann.post("/generate/image", ASKED), 502, "provider_bad_answer")
    (image,) = assert_json(await ann.get("/generate/image"))["items"]
    assert image["cost_usd"] == 0.02
    assert "I cannot draw foxes." in image["error"]
