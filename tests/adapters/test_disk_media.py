"""Media in a folder that several processes share."""

import asyncio
import os
from collections.abc import AsyncIterator
from pathlib import Path

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
