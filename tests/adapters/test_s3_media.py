"""What only a bucket can do: break off in parts, sign its own links, be away."""

import asyncio
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator
from datetime import timedelta
from pathlib import Path
from threading import Event

import httpx
import pytest

from aigen.adapters.media import s3 as s3_media
from aigen.adapters.media.bucket import Bucket, bucket_at
from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.media.links import BucketLinks
from aigen.adapters.media.reserve import DiskReserve
from aigen.adapters.media.s3 import S3Media
from aigen.adapters.memory.clock import ManualClock
from aigen.adapters.memory.provider import MP4, PNG
from aigen.domain.model.errors import CannotStart, StorageFull
from aigen.domain.model.media import FILMS, PICTURES, MediaRejected, StoredMedia
from aigen.entrypoints.maintenance import copy_files
from aigen.ports.media import Accept, MediaStore
from tests.buckets import S3Server

MIB = 2**20
FILM = Accept(types=FILMS, size=64 * MIB)
PICTURE = Accept(types=PICTURES, size=MIB)


@pytest.fixture(scope="module")
def server() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def s3(server: S3Server) -> Iterator[S3Server]:
    yield server
    server.forget()


@pytest.fixture
def name(s3: S3Server) -> str:
    return s3.new_bucket()


@pytest.fixture
def bucket(s3: S3Server, name: str) -> Bucket:
    return bucket_at(f"s3://{name}/aigen", s3.variables)


@pytest.fixture
def media(bucket: Bucket, tmp_path: Path) -> S3Media:
    return S3Media(bucket, DiskReserve(tmp_path, 0))


async def film(mebibytes: int) -> AsyncIterator[bytes]:
    yield MP4
    for _ in range(mebibytes):
        yield bytes(MIB)


async def one(content: bytes) -> AsyncIterator[bytes]:
    yield content


async def put_picture(media: MediaStore) -> StoredMedia:
    return await media.put("u/o/", "image-1", one(PNG), PICTURE)


# --- uploads ----------------------------------------------------------------------------------


async def test_a_small_file_is_one_request(media: S3Media, s3: S3Server) -> None:
    asked: list[str] = []
    s3.refused = lambda method, query: asked.append(method)
    await put_picture(media)
    assert asked == ["PUT"]


async def test_nobody_sees_a_film_before_it_is_whole(
    media: S3Media, s3: S3Server, name: str
) -> None:
    seen: list[list[str]] = []

    async def watched() -> AsyncIterator[bytes]:
        async for chunk in film(12):
            seen.append(s3.keys(name))
            yield chunk

    stored = await media.put("u/o/", "video-1", watched(), FILM)
    assert seen == [[]] * 13
    assert s3.keys(name) == ["aigen/u/o/video-1.mp4"]
    assert s3.open_uploads(name) == []
    assert await media.digest(stored.key) == stored.sha256


@pytest.mark.parametrize("after", [0, 3, 12])
async def test_a_stream_that_breaks_off_leaves_no_upload_open(
    media: S3Media, s3: S3Server, name: str, after: int
) -> None:
    async def broken() -> AsyncIterator[bytes]:
        async for chunk in film(after):
            yield chunk
        raise ConnectionResetError

    with pytest.raises(ConnectionResetError):
        await media.put("u/o/", "video-1", broken(), FILM)
    assert (s3.keys(name), s3.open_uploads(name)) == ([], [])


async def test_a_film_that_grows_too_large_leaves_no_upload_open(
    media: S3Media, s3: S3Server, name: str
) -> None:
    with pytest.raises(MediaRejected):
        await media.put("u/o/", "video-1", film(12), Accept(types=FILMS, size=11 * MIB))
    assert (s3.keys(name), s3.open_uploads(name)) == ([], [])


async def test_whoever_is_cancelled_leaves_no_upload_open(
    media: S3Media, s3: S3Server, name: str
) -> None:
    begun = asyncio.Event()

    async def endless() -> AsyncIterator[bytes]:
        async for chunk in film(12):
            yield chunk
        begun.set()
        await asyncio.Event().wait()

    putting = asyncio.create_task(media.put("u/o/", "video-1", endless(), FILM))
    await begun.wait()
    assert len(s3.open_uploads(name)) == 1
    putting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert (s3.keys(name), s3.open_uploads(name)) == ([], [])


async def test_a_source_that_takes_too_long_leaves_no_upload_open(
    media: S3Media, s3: S3Server, name: str
) -> None:
    async with asyncio.timeout(None) as patience:

        async def endless() -> AsyncIterator[bytes]:
            async for chunk in film(12):
                yield chunk
            patience.reschedule(asyncio.get_running_loop().time())
            await asyncio.Event().wait()

        with pytest.raises(asyncio.CancelledError):
            await media.put("u/o/", "video-1", endless(), FILM)
        assert (s3.keys(name), s3.open_uploads(name)) == ([], [])
    assert patience.expired()


async def test_whoever_is_cancelled_at_the_very_end_leaves_no_upload_open(
    media: S3Media, s3: S3Server, name: str
) -> None:
    """The film may be whole then, as a file that nobody names, or nothing at all."""
    is_sending, go_on, is_read = Event(), Event(), asyncio.Event()

    def held(method: str, query: dict[str, str]) -> None:
        if "partNumber" in query:
            is_sending.set()
            go_on.wait()

    async def watched() -> AsyncIterator[bytes]:
        async for chunk in film(6):
            yield chunk
        is_read.set()

    s3.refused = held
    putting = asyncio.create_task(media.put("u/o/", "video-1", watched(), FILM))
    await asyncio.to_thread(is_sending.wait)
    await is_read.wait()
    putting.cancel()
    go_on.set()
    with pytest.raises(asyncio.CancelledError):
        await putting
    assert s3.open_uploads(name) == []


@pytest.mark.parametrize("part", ["1", "2", "3"])
async def test_a_part_that_is_refused_ends_the_upload(
    media: S3Media, s3: S3Server, name: str, part: str
) -> None:
    s3.refused = lambda method, query: "AccessDenied" if query.get("partNumber") == part else None
    with pytest.raises(StorageFull):
        await media.put("u/o/", "video-1", film(12), FILM)
    assert (s3.keys(name), s3.open_uploads(name)) == ([], [])


_STREAMED = """
import asyncio, re, sys
from pathlib import Path
from tests.adapters.test_s3_media import FILM, film
from aigen.adapters.media.bucket import bucket_at
from aigen.adapters.media.reserve import DiskReserve
from aigen.adapters.media.s3 import S3Media
from os import environ

async def through(mebibytes):
    media = S3Media(bucket_at(sys.argv[1], environ), DiskReserve(Path.cwd(), 0))
    stored = await media.put("u/o/", "video-1", film(mebibytes), FILM)
    assert await media.digest(stored.key) == stored.sha256
    status = Path("/proc/self/status").read_text()
    return int(re.search(r"VmHWM:\\s+(\\d+) kB", status)[1]) / 1024

async def main():
    before = await through(1)
    print(await through(63) - before)

asyncio.run(main())
"""


def test_memory_stays_flat_however_long_the_film(s3: S3Server, name: str) -> None:
    done = subprocess.run(
        [sys.executable, "-c", _STREAMED, f"s3://{name}"],
        env=s3.variables | {"PYTHONPATH": str(Path(__file__).parents[2])},
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert float(done.stdout) < 24


# --- links ------------------------------------------------------------------------------------


async def test_a_link_is_read_by_anybody_in_ranges_until_it_expires(
    media: S3Media, bucket: Bucket, s3: S3Server
) -> None:
    stored = await put_picture(media)
    link = BucketLinks(bucket, ManualClock()).link(stored.key)
    async with httpx.AsyncClient(trust_env=False) as browser:
        whole = await browser.get(link)
        assert (whole.status_code, whole.content) == (200, PNG)
        assert whole.headers["content-type"] == "image/png"
        assert whole.headers["content-disposition"] == "inline"
        assert whole.headers["cache-control"] == "private, max-age=300"
        part = await browser.get(link, headers={"Range": "bytes=1-3"})
        assert (part.status_code, part.content) == (206, PNG[1:4])
        assert part.headers["content-range"] == f"bytes 1-3/{len(PNG)}"
        for wrong in (link.replace("image-1", "image-2"), link[:-1], link.partition("?")[0]):
            assert (await browser.get(wrong + "&x")).status_code in {400, 403, 404}
        s3.passes = timedelta(minutes=5)
        assert (await browser.get(link)).status_code == 403


async def test_links_made_within_a_step_are_the_same(bucket: Bucket) -> None:
    clock = ManualClock()
    links = BucketLinks(bucket, clock)
    first = links.link("u/o/a.png")
    assert links.link("u/o/a.png") is first
    await clock.advance(timedelta(minutes=3))
    assert links.link("u/o/a.png") is not first


def test_links_lead_to_the_endpoint(bucket: Bucket, s3: S3Server) -> None:
    links = BucketLinks(bucket, ManualClock())
    assert links.origin == s3.url
    assert links.link("u/o/a b.png").startswith(f"{s3.url}/")


def test_without_an_endpoint_links_lead_to_aws() -> None:
    variables = {
        "AWS_ACCESS_KEY_ID": "k",
        "AWS_SECRET_ACCESS_KEY": "s",
        "AWS_DEFAULT_REGION": "eu-west-1",
    }
    links = BucketLinks(bucket_at("s3://films/x", variables), ManualClock())
    assert links.origin == "https://s3.eu-west-1.amazonaws.com"
    assert "/films/x/u/a.png?" in links.link("u/a.png")


# --- starting ---------------------------------------------------------------------------------


async def test_a_start_leaves_nothing_in_the_bucket(
    media: S3Media, s3: S3Server, name: str
) -> None:
    await media.open()
    assert s3.keys(name) == []


@pytest.mark.parametrize(
    ("wrong", "said"),
    [
        ({"AWS_ACCESS_KEY_ID": "nobodys"}, "AWS_ACCESS_KEY_ID"),
        ({"AWS_ENDPOINT_URL": "http://127.0.0.1:9"}, "AWS_ENDPOINT_URL"),
    ],
)
async def test_a_bucket_that_cannot_be_used_stops_the_start(
    s3: S3Server, tmp_path: Path, name: str, wrong: dict[str, str], said: str
) -> None:
    bucket = bucket_at(f"s3://{name}", s3.variables | wrong)
    with pytest.raises(CannotStart, match=f"AIGEN_MEDIA_URL: .*{name}.*{said}"):
        await S3Media(bucket, DiskReserve(tmp_path, 0)).open()


async def test_a_bucket_that_does_not_exist_stops_the_start(s3: S3Server, tmp_path: Path) -> None:
    bucket = bucket_at("s3://nowhere", s3.variables)
    with pytest.raises(CannotStart, match="nowhere cannot be used, since there is no such bucket"):
        await S3Media(bucket, DiskReserve(tmp_path, 0)).open()


@pytest.mark.parametrize("forbidden", ["PUT", "GET", "POST"])
async def test_a_key_that_may_not_do_everything_stops_the_start(
    media: S3Media, s3: S3Server, forbidden: str
) -> None:
    s3.refused = lambda method, query: "AccessDenied" if method == forbidden else None
    with pytest.raises(CannotStart, match="may not get, put, delete and list"):
        await media.open()


# --- outages ----------------------------------------------------------------------------------


async def test_while_the_bucket_is_away_nothing_can_be_stored_and_then_it_can(
    media: S3Media, server: S3Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(s3_media, "_LOOK_EVERY_SECONDS", 0)
    stored = await put_picture(media)
    assert await media.has_room()
    server.stop()
    try:
        assert not await media.has_room()
        for asked in (
            put_picture(media),
            media.put("u/o/", "video-1", film(12), FILM),
            media.read(stored),
            media.copy(stored, "u/p/"),
            media.digest(stored.key),
            media.remove(stored.key),
            media.remove("u/"),
        ):
            with pytest.raises(StorageFull, match="storage of files"):
                await asked
    finally:
        server.start()
    assert await media.has_room()
    assert await media.read(stored) == PNG


async def test_a_bucket_that_is_gone_is_no_missing_file(s3: S3Server, tmp_path: Path) -> None:
    media = S3Media(bucket_at("s3://nowhere", s3.variables), DiskReserve(tmp_path, 0))
    assert not await media.has_room()
    with pytest.raises(StorageFull):
        await media.stream("u/o/a.png")


async def test_the_disk_of_the_data_dir_counts_too(bucket: Bucket, tmp_path: Path) -> None:
    assert not await S3Media(bucket, DiskReserve(tmp_path, 2**60)).has_room()


# --- copies -----------------------------------------------------------------------------------


async def test_files_move_between_folder_and_bucket_unchanged(
    media: S3Media, tmp_path: Path
) -> None:
    disk = DiskMedia(tmp_path / "backup", reserve=0)
    disk.open()
    stored = [
        await put_picture(media),
        await media.put("v/o/", "video-1", film(12), FILM),
    ]
    await copy_files(media, disk)
    await media.remove("u/")
    await media.remove("v/")
    assert [await media.digest(file.key) for file in stored] == [None, None]
    await copy_files(disk, media)
    assert [await media.digest(file.key) for file in stored] == [file.sha256 for file in stored]
