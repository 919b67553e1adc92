"""Media in a folder that several processes share."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

import obstore
import pytest
from obstore.exceptions import GenericError
from obstore.store import LocalStore

from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.memory.provider import MP4
from aigen.domain.model.media import FILMS
from aigen.ports.media import Accept

A_FILM = Accept(types=FILMS, size=2**30)
#: More than is kept in memory before anything is written.
MUCH = b"\0" * 2**24


async def test_a_start_leaves_alone_what_others_are_writing(tmp_path: Path) -> None:
    ours, theirs = DiskMedia(tmp_path, reserve=0), DiskMedia(tmp_path, reserve=0)
    theirs.open()
    half_way, go_on = asyncio.Event(), asyncio.Event()

    async def film() -> AsyncIterator[bytes]:
        yield MP4 + MUCH
        half_way.set()
        await go_on.wait()

    storing = asyncio.create_task(theirs.put("user/object/", "film", film(), A_FILM))
    await half_way.wait()
    ours.open()
    go_on.set()
    assert (await storing).size == len(MP4 + MUCH)


async def test_a_start_deletes_what_was_left_half_written_long_ago(tmp_path: Path) -> None:
    left = tmp_path / ".incoming" / "half"
    left.parent.mkdir()
    left.write_bytes(MP4)
    DiskMedia(tmp_path, reserve=0).open()
    assert left.exists()
    os.utime(left, (0, 0))
    DiskMedia(tmp_path, reserve=0).open()
    assert not left.exists()


async def test_a_file_comes_while_the_last_one_of_its_folder_goes(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A folder is deleted with its last file: then it is made again, as often as that takes."""
    media = DiskMedia(tmp_path, reserve=0)
    media.open()
    rename, tried = obstore.rename_async, []

    async def at_a_bad_moment(store: LocalStore, source: str, target: str) -> None:
        tried.append(target)
        if len(tried) < 3:
            raise GenericError("Unable to create dir: No such file or directory (os error 2)")
        await rename(store, source, target)

    async def film() -> AsyncIterator[bytes]:
        yield MP4

    monkeypatch.setattr(obstore, "rename_async", at_a_bad_moment)
    stored = await media.put("user/object/", "film", film(), A_FILM)
    assert len(tried) == 3
    assert await media.digest(stored.key) == stored.sha256
