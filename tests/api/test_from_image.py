"""Pictures that requests build on: addresses and data URLs, for images and for videos."""

import base64

import pytest

from aigen.testing import PNG
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.test_videos import JOB, claims
from tests.api.world import Person, World

ASKED = {"model": "some/model", "prompt": "A fox"}
FROM_IMAGE = "/generate/video/from-image"
ADDRESS = "https://pictures.example.org/a/fox.png?size=1#x"


@pytest.fixture
def world(common: World) -> World:
    return common


JPEG = bytes.fromhex(
    "ffd8ffe000104a46494600010100000100010000ffc0000b080010002001011100ffd9"
)  # 32 wide, 16 high, nothing in it
WEBP = b"RIFF\x1a\0\0\0WEBPVP8L\x0d\0\0\0\x2f\0\0\0\x10\x07\x10\x11\x11\x88\x88\xfe\x07\0"


def data_url(content: bytes, kind: str = "image/png") -> str:
    return f"data:{kind};base64,{base64.b64encode(content).decode()}"


def png(width: int, height: int) -> bytes:
    """A picture that says that it is so large."""
    sides = width.to_bytes(4, "big") + height.to_bytes(4, "big")
    return PNG[:16] + sides + PNG[24:]


# --- taken ------------------------------------------------------------------------------------


async def test_an_address_is_handed_on_and_shown_as_it_is(world: World, ann: Person) -> None:
    body = ASKED | {"image_url": ADDRESS, "last_image_url": "https://example.org/end.jpg"}
    job = assert_json(await ann.post(FROM_IMAGE, body), 202)
    assert job.keys() == JOB
    assert (job["generation_type"], job["status"]) == ("image_to_video", "queued")
    assert job["image_url"] == ADDRESS
    (claim,) = await claims(world)
    assert claim.first_frame is not None
    assert claim.last_frame is not None
    assert (claim.first_frame.url, claim.last_frame.url) == (ADDRESS, body["last_image_url"])


@pytest.mark.parametrize(
    ("content", "kind", "media_type"),
    [
        (PNG, "image/png", "image/png"),
        (JPEG, "image/jpeg", "image/jpeg"),
        (JPEG, "image/png", "image/jpeg"),
        (WEBP, "image/webp", "image/webp"),
        (png(8192, 8192), "image/png", "image/png"),
    ],
)
async def test_a_data_url_is_stored_and_shown_as_a_link(
    world: World, ann: Person, content: bytes, kind: str, media_type: str
) -> None:
    body = ASKED | {"image_url": data_url(content, kind)}
    job = assert_json(await ann.post(FROM_IMAGE, body), 202)
    assert job["image_url"].startswith("https://api.example.org/media/")
    shown = await world.anonymous.get(job["image_url"])
    assert (shown.content, shown.headers["content-type"]) == (content, media_type)
    (claim,) = await claims(world)
    assert claim.first_frame is not None
    assert claim.first_frame.stored is not None
    assert await world.aigen.media.read(claim.first_frame.stored) == content


async def test_an_image_is_edited_from_an_address_or_from_data(world: World, ann: Person) -> None:
    for image_url in (ADDRESS, data_url(PNG)):
        body = ASKED | {"image_url": image_url}
        image = assert_json(await ann.post("/generate/image", body))
        assert world.provider.image_requests[-1][1] == image_url
        if image_url != ADDRESS:
            assert (await world.anonymous.get(image["image_url"])).content == PNG
        else:
            assert image["image_url"] == ADDRESS


async def test_a_retry_has_its_own_copy_of_the_picture(world: World, ann: Person) -> None:
    body = ASKED | {"image_url": data_url(PNG), "last_image_url": data_url(JPEG)}
    old = assert_json(await ann.post(FROM_IMAGE, body), 202)
    assert_json(await ann.post(f"/generate/video/{old['id']}/cancel"))
    new = assert_json(await ann.post(f"/generate/video/{old['id']}/retry"), 202)
    assert new["generation_type"] == "image_to_video"
    assert_done(await ann.delete(f"/generate/video/{old['id']}"))
    assert (await world.anonymous.get(new["image_url"])).content == PNG
    assert_problem(await world.anonymous.get(old["image_url"]), 404, "not_found")


# --- refused ----------------------------------------------------------------------------------


async def test_a_full_disk_takes_no_data_but_addresses(open_world: OpenWorld) -> None:
    world = await open_world(min_free_disk=2**60)
    ann = await world.ann()
    response = await ann.post(FROM_IMAGE, ASKED | {"image_url": data_url(PNG)})
    assert_problem(response, 503, "storage_full")
    assert_json(await ann.post(FROM_IMAGE, ASKED | {"image_url": ADDRESS}), 202)


async def test_a_refused_job_leaves_no_picture_behind(open_world: OpenWorld) -> None:
    world = await open_world(jobs_per_user=1)
    ann = await world.ann()
    body = ASKED | {"image_url": data_url(PNG), "last_image_url": data_url(PNG)}
    assert_json(await ann.post(FROM_IMAGE, body), 202)
    before = stored_files(world, ann)
    assert_problem(await ann.post(FROM_IMAGE, body), 429, "too_many_jobs")
    assert stored_files(world, ann) == before


async def test_if_the_second_picture_is_refused_the_first_is_not_kept(
    world: World, ann: Person
) -> None:
    body = ASKED | {"image_url": data_url(PNG), "last_image_url": "http://example.org/"}
    assert_problem(await ann.post(FROM_IMAGE, body), 422, "invalid_request")
    assert stored_files(world, ann) == []


@pytest.mark.parametrize("path", [FROM_IMAGE, "/generate/image"])
async def test_a_repeat_and_a_conflict_leave_no_picture_behind(
    world: World, ann: Person, path: str
) -> None:
    body = ASKED | {"image_url": data_url(PNG)}
    key = {"Idempotency-Key": "k"}
    first = await ann.post(path, body, headers=key)
    before = stored_files(world, ann)
    assert (await ann.post(path, body, headers=key)).status_code == first.status_code
    assert stored_files(world, ann) == before
    other = body | {"prompt": "Another fox"}
    assert_problem(await ann.post(path, other, headers=key), 409, "idempotency_conflict")
    assert stored_files(world, ann) == before


def stored_files(world: World, ann: Person) -> list[str]:
    """Ann's files."""
    folder = world.aigen.settings.media_dir / ann.id
    return sorted(str(path) for path in folder.rglob("*") if path.is_file())
