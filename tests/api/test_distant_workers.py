"""What a distant worker sends and hears besides the board: films, pictures, events."""

import asyncio
import os
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest

from aigen.adapters.http.board import HouseClient, HttpEvents, HttpJobBoard, HttpMediaFiles
from aigen.adapters.local_events import LocalEvents
from aigen.adapters.system_clock import SystemClock, SystemIds
from aigen.domain.model.errors import DatabaseUnavailable, Forbidden, NotFound, StorageFull
from aigen.domain.model.media import FILMS, MediaRejected, MediaType, StoredMedia
from aigen.domain.model.videos import VideoState
from aigen.domain.services.worker import Worker, WorkerPolicy
from aigen.ports.events import VideoEvent
from aigen.ports.media import Accept
from aigen.testing import MP4, PNG, MemoryJournal, ScriptedProvider
from tests.api.answers import assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.test_from_image import FROM_IMAGE, data_url
from tests.api.test_images import FullDisk
from tests.api.test_videos import ended, submit
from tests.api.test_work import Connect, connect
from tests.api.world import UNKNOWN_ID, Person, World

__all__ = ["connect"]


@pytest.fixture
def world(common: World) -> World:
    return common


ACCEPT = Accept(types=FILMS, size=2**30)


async def pieces(
    content: bytes, *, size: int = 1000, then: Exception | None = None
) -> AsyncIterator[bytes]:
    for start in range(0, len(content), size):
        yield content[start : start + size]
    if then is not None:
        raise then


# --- films and pictures -------------------------------------------------------------------------


async def test_a_film_is_stored_in_the_house_however_large(
    open_world: OpenWorld, connect: Connect
) -> None:
    world = await open_world(max_body=1000)
    files = HttpMediaFiles(await connect(world))
    content = MP4 + os.urandom(100_000)
    stored = await files.put("a/b/", "video-1", pieces(content), ACCEPT)
    assert (stored.key, stored.media_type) == ("a/b/video-1.mp4", MediaType.MP4)
    assert stored.size == len(content)
    assert await world.aigen.media.digest(stored.key) == stored.sha256
    assert await files.read(stored) == content
    assert await files.has_room()


async def test_what_is_no_film_or_too_large_is_rejected(
    open_world: OpenWorld, connect: Connect
) -> None:
    world = await open_world(max_media=1000)
    files = HttpMediaFiles(await connect(world))
    for content in (PNG, b"<html>" * 100, b"", MP4 + bytes(1000)):
        with pytest.raises(MediaRejected):
            await files.put("a/b/", "video-1", pieces(content), ACCEPT)
    assert files_in(world, "a") == []


async def test_a_full_disk_of_the_house_is_said_so(
    open_world: OpenWorld, connect: Connect, tmp_path: Path
) -> None:
    world = await open_world({"media": FullDisk(tmp_path / "media", 0)})
    files = HttpMediaFiles(await connect(world))
    with pytest.raises(StorageFull):
        await files.put("a/b/", "video-1", pieces(MP4), ACCEPT)


async def test_what_breaks_a_download_is_what_the_worker_sees(
    world: World, connect: Connect
) -> None:
    files = HttpMediaFiles(await connect(world))
    with pytest.raises(LookupError, match="gone"):
        await files.put("broken/", "v", pieces(MP4 * 100, then=LookupError("gone")), ACCEPT)
    assert files_in(world, "broken") == []


async def test_pictures_are_read_and_missing_ones_missed(
    world: World, ann: Person, connect: Connect
) -> None:
    files = HttpMediaFiles(await connect(world))
    assert_json(await ann.post("/generate/image", {"model": "m", "prompt": "p"}))
    (path,) = files_in(world, ann.id)
    key = str(path.relative_to(world.aigen.settings.media_dir))
    picture = StoredMedia(key=key, media_type=MediaType.PNG, size=1, sha256="")
    assert await files.read(picture) == PNG
    for missing in ("a/b.png", "../aigen.duckdb", "../../etc/passwd"):
        with pytest.raises(NotFound):
            await files.read(StoredMedia(key=missing, media_type=MediaType.PNG, size=1, sha256=""))


async def test_whoever_has_no_worker_token_stores_and_reads_nothing(
    world: World, connect: Connect
) -> None:
    files = HttpMediaFiles(await connect(world, "a-guess"))
    with pytest.raises(Forbidden):
        await files.put("guessed/", "video-1", pieces(MP4), ACCEPT)
    assert files_in(world, "guessed") == []


@pytest.mark.parametrize(
    ("folder", "name"),
    [
        ("..%2f..%2f", "x"),
        ("%2fetc%2f", "x"),
        ("", "x"),
        ("a%2f..%2f", "x"),
        (".incoming/", "x"),
        ("x" * 300 + "/", "x"),
        ("%00/", "x"),
        ("a/", "../../../x"),
        ("a/", "%2e%2e%2fx"),
        ("a/", "\0"),
        ("a/", "x" * 300),
        ("a/", ""),
    ],
)
async def test_no_film_is_stored_outside_the_media(world: World, folder: str, name: str) -> None:
    outside = world.aigen.settings.data_dir.parent
    before = sorted(str(path) for path in outside.rglob("*.mp4"))
    path = f"/work/media/{folder}"
    response = await world.worker.put(path, content=MP4, params={"name": name})
    assert response.status_code in {404, 422}
    found = sorted(str(path) for path in outside.rglob("*.mp4"))
    inside = str(world.aigen.settings.media_dir) + os.sep
    assert all(path.startswith(inside) for path in found if path not in before)


@pytest.mark.parametrize("key", ["%00", "x" * 300, "..%2faigen.duckdb", "%2fetc%2fpasswd", ".."])
async def test_no_file_outside_the_media_is_read(world: World, key: str) -> None:
    assert_problem(await world.worker.get(f"/work/media/{key}"), 404, "not_found")


def files_in(world: World, folder: str) -> list[Path]:
    return sorted((world.aigen.settings.media_dir / folder).rglob("*.*"))


# --- events -----------------------------------------------------------------------------------


async def test_events_of_the_house_reach_the_worker(
    world: World, ann: Person, connect: Connect
) -> None:
    distant = HttpEvents(await connect(world), LocalEvents())
    async with asyncio.timeout(5), distant.subscribe() as news:
        # The first may be published before the stream stands, and is lost then, as events may be.
        published = VideoEvent(video_id=UNKNOWN_ID, state=VideoState.CANCELLED)
        heard = asyncio.create_task(news.next())
        while not heard.done():
            await world.aigen.events.publish(published)
            await asyncio.wait({heard}, timeout=0.01)
        assert set(heard.result()) == {published}
        job = await submit(ann)
        while (found := (await news.next())[-1]) == published:
            pass
        assert found == VideoEvent(video_id=job["id"], state=VideoState.QUEUED)
        asked = VideoEvent(video_id=job["id"], state=VideoState.PROCESSING, ask_provider=True)
        await world.aigen.events.publish(asked)
        assert await news.next() == (asked,)


async def test_a_cut_stream_is_taken_up_again(
    world: World, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigen.adapters.http.board._PAUSE_SECONDS", 0.001)
    distant = HttpEvents(await connect(world), LocalEvents())
    published = VideoEvent(video_id=UNKNOWN_ID, state=VideoState.QUEUED)
    async with asyncio.timeout(5), distant.subscribe() as news:
        world.house.is_draining = True  # the house ends every stream after its next event
        heard = asyncio.create_task(news.next())
        while not heard.done():
            await world.aigen.events.publish(published)
            await asyncio.wait({heard}, timeout=0.01)
            world.house.is_draining = False
        assert published in heard.result()


async def test_an_event_stream_without_the_token_gives_nothing_and_breaks_nothing(
    world: World, connect: Connect, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("aigen.adapters.http.board._PAUSE_SECONDS", 0.001)
    distant = HttpEvents(await connect(world, "a-guess"), LocalEvents())
    async with distant.subscribe() as news:
        await world.aigen.events.publish(VideoEvent(video_id=UNKNOWN_ID, state=VideoState.QUEUED))
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(news.next(), timeout=0.1)


# --- end to end -------------------------------------------------------------------------------


def distant_worker(house: HouseClient, provider: ScriptedProvider) -> Worker:
    policy = WorkerPolicy(sweep=timedelta(seconds=0.05), poll=timedelta(seconds=0.01))
    return Worker(
        HttpJobBoard(house),
        provider,
        HttpMediaFiles(house),
        HttpEvents(house, LocalEvents()),
        MemoryJournal(),
        SystemClock(),
        SystemIds(),
        policy,
        is_inside=False,
    )


async def test_a_distant_worker_makes_films_from_end_to_end(busy: World, connect: Connect) -> None:
    ann = await busy.ann()
    body = {"model": "m", "prompt": "p", "image_url": data_url(PNG)}
    provider = ScriptedProvider()
    worker = distant_worker(await connect(busy), provider)
    working = asyncio.create_task(worker.run())
    jobs = [
        await submit(ann),
        assert_json(await ann.post(FROM_IMAGE, body), 202),
    ]
    done = [await ended(busy, ann, job) for job in jobs]
    assert assert_json(await busy.anonymous.get("/readyz"))["workers"] == 1
    worker.stop()
    await working
    assert [job["status"] for job in done] == ["completed", "completed"]
    for job in done:
        assert (await busy.anonymous.get(job["video_url"])).content == MP4
    frames = {submission.first_frame for submission in provider.submissions}
    assert frames == {None, data_url(PNG)}
    assert busy.provider.submissions == []
    assert assert_json(await busy.anonymous.get("/readyz"))["workers"] == 0


async def test_a_distant_worker_with_a_wrong_token_does_not_start(
    busy: World, connect: Connect
) -> None:
    worker = distant_worker(await connect(busy, "a-guess"), ScriptedProvider())
    with pytest.raises(Forbidden):
        async with asyncio.timeout(5):
            await worker.run()


async def test_the_files_of_a_house_out_of_reach_are_an_outage(unused_tcp_port: int) -> None:
    house = HouseClient(f"http://127.0.0.1:{unused_tcp_port}", "a-worker")
    files = HttpMediaFiles(house)
    with pytest.raises(DatabaseUnavailable):
        await files.put("a/b/", "video-1", pieces(MP4), ACCEPT)
    await house.aclose()
