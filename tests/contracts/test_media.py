"""Every media store keeps the media store's contract."""

from pathlib import Path

import pytest

from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.memory.media import MemoryMedia
from aigen.ports.media import MediaStore
from aigen.testing.contracts.media import *  # noqa: F403


@pytest.fixture(params=["memory", "disk"])
def media(request: pytest.FixtureRequest, tmp_path: Path) -> MediaStore:
    if request.param == "memory":
        return MemoryMedia()
    disk = DiskMedia(tmp_path / "media", reserve=0)
    disk.open()
    return disk
