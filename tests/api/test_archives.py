"""Several generations in one zip: what is in it, under which names, and that it is streamed."""

import asyncio
import io
import json
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from zipfile import ZIP_STORED, ZipFile

import httpx
import pytest

from aigen.adapters.media.bucket import bucket_at
from aigen.adapters.media.reserve import DiskReserve
from aigen.adapters.media.s3 import S3Media
from aigen.domain.model.media import MediaType
from aigen.domain.model.videos import VideoState
from aigen.testing import PNG, MemoryMedia
from aigen.testing.samples import a_file
from tests.api.answers import assert_json, assert_problem
from tests.api.conftest import OpenWorld, Serve
from tests.api.test_history import have
from tests.api.world import UNKNOWN_ID, Person, World
from tests.buckets import S3Server

MIB = 2**20


@pytest.fixture
def world(common: World) -> World:
    return common


async def image_of(person: Person, prompt: str = "p", n: int = 1) -> dict[str, Any]:
    body = {"model": "m", "prompt": prompt, "n": n}
    made: dict[str, Any] = assert_json(await person.post("/generate/image", body))
    return made


async def archive(person: Any, *wanted: str) -> ZipFile:
    response = await person.post("/generate/archive", {"ids": list(wanted)})
    assert response.status_code == 200, response.text
    return opened_zip(response.content)


def opened_zip(content: bytes) -> ZipFile:
    found = ZipFile(io.BytesIO(content))
    assert found.testzip() is None
    return found


def manifest_of(found: ZipFile) -> Any:
    return json.loads(found.read("manifest.json"))


# --- what is in it ----------------------------------------------------------------------------


async def test_files_bear_names_that_say_what_they_are(world: World, ann: Person) -> None:
    image = await image_of(ann, "A fox in the snow\n(at dawn)", n=2)
    (text,) = await have(world, ann, "text", {"prompt": "Say hello", "text": "Grüß **Gott**."})
    response = await ann.post("/generate/archive", {"ids": [text, image["id"]]})
    assert response.headers["content-type"] == "application/zip"
    now = world.clock.now()
    name = f"aigen-{now:%Y-%m-%d}.zip"
    assert response.headers["content-disposition"] == f'attachment; filename="{name}"'
    assert response.headers["cache-control"] == "no-store"
    found = opened_zip(response.content)
    stem = f"{now:%Y-%m-%d} A fox in the snow (at dawn) ({image['id'][-4:]})"
    names = {
        f"{stem} 1.png": PNG,
        f"{stem} 2.png": PNG,
        f"2026-01-01 Say hello ({text[-4:]}).md": "Grüß **Gott**.".encode(),
    }
    assert found.namelist() == [*names, "manifest.json"]
    assert {name: found.read(name) for name in names} == names
    for info in found.infolist():
        assert info.compress_type == ZIP_STORED
        assert info.flag_bits & 0x800 or info.filename.isascii()
    assert found.getinfo(f"{stem} 1.png").date_time[:3] == now.timetuple()[:3]


async def test_the_manifest_says_what_was_asked_for(world: World, ann: Person, bob: Person) -> None:
    image = await image_of(ann, "A fox")
    (bobs,) = await have(world, bob, "text", {})
    (failed,) = await have(world, ann, "video", {"state": VideoState.FAILED})
    found = await archive(ann, image["id"], bobs, UNKNOWN_ID, "no id", failed, image["id"])
    assert manifest_of(found) == {
        "files": [
            {
                "name": found.namelist()[0],
                "is_missing": False,
                "kind": "image",
                "id": image["id"],
                "model": "m",
                "prompt": "A fox",
                "created_at": image["created_at"],
            }
        ],
        "not_found": [bobs, UNKNOWN_ID, "no id"],
    }


async def test_a_file_that_has_gone_is_noted_and_breaks_nothing(world: World, ann: Person) -> None:
    images = [await image_of(ann, f"fox {number}") for number in range(3)]
    key = images[1]["images"][0]["url"].partition("/media/")[2].partition("?")[0]
    (world.aigen.settings.media_dir / key).unlink()
    found = await archive(ann, *(image["id"] for image in images))
    assert [name[11:16] for name in found.namelist()[:-1]] == ["fox 2", "fox 0"]
    missing = [file["id"] for file in manifest_of(found)["files"] if file["is_missing"]]
    assert missing == [images[1]["id"]]


async def test_where_there_is_no_file_there_is_no_archive(
    world: World, ann: Person, bob: Person
) -> None:
    bobs = (await image_of(bob))["id"]
    (failed,) = await have(world, ann, "video", {"state": VideoState.FAILED})
    for wanted in (bobs, UNKNOWN_ID, failed):
        response = await ann.post("/generate/archive", {"ids": [wanted]})
        assert_problem(response, 404, "not_found")


async def test_a_key_downloads_what_is_its_users(world: World, ann: Person, bob: Person) -> None:
    key = world.bearing((await world.aigen.keys.make(ann.id, "a script")).text)
    mine, bobs = (await image_of(ann))["id"], (await image_of(bob))["id"]
    found = await archive(key, mine, bobs)
    assert manifest_of(found)["not_found"] == [bobs]


async def test_files_come_from_a_bucket_as_well(open_world: OpenWorld, tmp_path: Path) -> None:
    server = S3Server()
    name = server.new_bucket()
    bucket = bucket_at(f"s3://{name}", server.variables)
    world = await open_world({"media": S3Media(bucket, DiskReserve(tmp_path, 0))})
    ann = await world.ann()
    images = [await image_of(ann, f"fox {number}") for number in range(2)]
    (gone,) = (key for key in server.keys(name) if images[0]["id"] in key)
    await world.aigen.media.remove(gone)
    found = await archive(ann, *(image["id"] for image in images))
    assert [found.read(name) for name in found.namelist()[:-1]] == [PNG]
    assert [file["is_missing"] for file in manifest_of(found)["files"]] == [False, True]
    server.stop()
    response = await ann.post("/generate/archive", {"ids": [images[1]["id"]]})
    assert_problem(response, 503, "storage_full")


# --- how it is sent ---------------------------------------------------------------------------


class FilmsOnDemand(MemoryMedia):
    """Each film is as many pieces of a MiB as its name says; they are made when they are asked
    for, and counted. Whoever wants the last film waits for the `gate`."""

    def __init__(self) -> None:
        super().__init__()
        self.sent = 0
        self.gate = asyncio.Event()
        self.breaks = False

    async def stream(self, key: str) -> AsyncIterator[bytes]:
        if key == "last":
            await self.gate.wait()
        return self._pieces(int(key) if key.isdecimal() else 1)

    async def _pieces(self, count: int) -> AsyncIterator[bytes]:
        for number in range(count):
            if self.breaks and number:
                raise OSError("on purpose")
            self.sent += MIB
            yield bytes(MIB)


@pytest.fixture
def media() -> FilmsOnDemand:
    return FilmsOnDemand()


async def films(world: World, person: Person, *keys: str, size: int = MIB) -> list[str]:
    """Finished videos with these files, oldest first."""
    state, kind = VideoState.COMPLETED, MediaType.MP4
    fields = (
        {"state": state, "media": a_file(key=key, media_type=kind, size=size)} for key in keys
    )
    return await have(world, person, "video", *fields)


async def streamed(
    http: httpx.AsyncClient, person: Person, wanted: list[str]
) -> AsyncIterator[bytes]:
    headers = {"Authorization": f"Bearer {person.token}"}
    async with http.stream(
        "POST", "/generate/archive", json={"ids": wanted}, headers=headers
    ) as response:
        assert response.status_code == 200
        async for chunk in response.aiter_raw():
            yield chunk


async def test_the_first_bytes_come_before_the_last_file_is_read(
    open_world: OpenWorld, serve: Serve, media: FilmsOnDemand
) -> None:
    world = await open_world({"media": media})
    ann = await world.ann()
    wanted = await films(world, ann, "last", "3", "2")
    chunks = streamed(await serve(world), ann, wanted)
    content = b""
    while len(content) < 5 * MIB:  # all of the two before it
        content += await anext(chunks)
    assert media.sent == 5 * MIB
    media.gate.set()
    content += b"".join([chunk async for chunk in chunks])
    found = opened_zip(content)
    assert sorted(info.file_size for info in found.infolist())[1:] == [MIB, 2 * MIB, 3 * MIB]


async def test_an_archive_of_any_size_is_never_far_ahead_of_its_reader(
    open_world: OpenWorld, serve: Serve, media: FilmsOnDemand
) -> None:
    world = await open_world({"media": media})
    ann = await world.ann()
    wanted = await films(world, ann, "100", "100")
    received, furthest = 0, 0
    async for chunk in streamed(await serve(world), ann, wanted):
        received += len(chunk)
        furthest = max(furthest, media.sent - received)
    assert media.sent == 200 * MIB <= received
    # What the sockets of both sides hold, and the piece in hand.
    assert furthest < 16 * MIB


async def test_an_archive_that_breaks_off_does_not_pass_for_a_whole_one(
    open_world: OpenWorld, serve: Serve, media: FilmsOnDemand
) -> None:
    world = await open_world({"media": media})
    ann = await world.ann()
    wanted = await films(world, ann, "9")
    media.breaks = True
    with pytest.raises(httpx.RemoteProtocolError):
        _ = [chunk async for chunk in streamed(await serve(world), ann, wanted)]


async def test_a_film_beyond_two_gibibytes_takes_the_form_for_large_ones(
    open_world: OpenWorld, media: FilmsOnDemand
) -> None:
    world = await open_world({"media": media})
    ann = await world.ann()
    wanted = await films(world, ann, "1", size=3 * 2**30)
    found = await archive(ann, *wanted)
    assert found.infolist()[0].create_version == found.infolist()[0].extract_version == 45
    assert found.infolist()[0].file_size == MIB


# --- names ------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("prompt", "name"),
    [
        ("../../etc/passwd", "etc passwd"),
        ('C:\\a "b" <c>|d?*', "C a b c d"),
        ("a\x1b[31m\u202egpj.exe", "a[31mgpj.exe"),
        ("  many \n\t spaces  ", "many spaces"),
        ("x" * 500, "x" * 120),
        ("ü" * 500, "ü" * 60),
        ("e\u0301" * 3, "é" * 3),
        ("🦊 in the snow...", "🦊 in the snow"),
        ("???", ""),
    ],
    ids=repr,
)
async def test_a_name_can_be_written_anywhere(
    world: World, ann: Person, prompt: str, name: str
) -> None:
    (text,) = await have(world, ann, "text", {"prompt": prompt})
    found = (await archive(ann, text)).namelist()[0]
    assert found == f"2026-01-01 {name}".rstrip() + f" ({text[-4:]}).md"
    assert len(found.encode()) <= 255


async def test_names_are_unique(world: World, ann: Person) -> None:
    ends = ("0000abcd", "0001abcd", "1001abcd")
    ids = [f"{UNKNOWN_ID[:-8]}{end}" for end in ends]
    await have(world, ann, "text", *({"id": one} for one in ids))
    names = (await archive(ann, *ids)).namelist()
    assert [name.partition("(")[2] for name in names[:-1]] == [
        "abcd).md",
        "1abcd).md",
        "0abcd).md",
    ]
