"""Every media store keeps the media store's contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aigen.adapters.media.bucket import bucket_at
from aigen.adapters.media.disk import DiskMedia
from aigen.adapters.media.reserve import DiskReserve
from aigen.adapters.media.s3 import S3Media
from aigen.adapters.memory.media import MemoryMedia
from aigen.ports.media import MediaStore
from aigen.testing.contracts.media import *  # noqa: F403
from tests.buckets import S3Server


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture(params=["memory", "disk", "s3", "s3 below a prefix"])
def media(request: pytest.FixtureRequest, tmp_path: Path, s3: S3Server) -> MediaStore:
    if request.param == "memory":
        return MemoryMedia()
    if request.param == "disk":
        disk = DiskMedia(tmp_path / "media", reserve=0)
        disk.open()
        return disk
    prefix = "/aigen/media/" if "prefix" in request.param else ""
    bucket = bucket_at(f"s3://{s3.new_bucket()}{prefix}", s3.variables)
    return S3Media(bucket, DiskReserve(tmp_path, 0))
