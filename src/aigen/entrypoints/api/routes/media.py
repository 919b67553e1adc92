"""Stored files, to whoever has a fresh link."""

import asyncio
import os
import re
from pathlib import Path
from typing import Annotated, Any

from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from aigen.adapters.media.links import SignedLinks
from aigen.domain.model.errors import NotFound
from aigen.domain.model.media import SIGNATURE_BYTES, MediaType, type_of
from aigen.entrypoints.api.auth import TheHouse

router = APIRouter(tags=["media"])

_BYTES: dict[str, Any] = {media_type.value: {} for media_type in MediaType}
_ANSWERS: dict[int | str, dict[str, Any]] = {
    200: {"description": "The file.", "content": _BYTES},
    206: {"description": "The `Range` of it that was asked for.", "content": _BYTES},
    304: {"description": "It is still what `If-None-Match` says."},
}

#: A file may be shown in a page of its own, and can do nothing there.
_SANDBOX = (
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
)
#: No file has a byte whose number needs more digits.
_ONE_RANGE = re.compile(r"bytes=(\d{0,18})-(\d{0,18})")


@router.head("/media/{key:path}", include_in_schema=False)
@router.get("/media/{key:path}", response_class=FileResponse, responses=_ANSWERS)
async def media(
    key: str,
    house: TheHouse,
    request: Request,
    expires: Annotated[str | None, Query(max_length=20)] = None,
    signature: Annotated[str | None, Query(max_length=200)] = None,
) -> Response:
    """The bytes of a file; Range, HEAD and ETag as browsers need them to seek in a film."""
    links = house.aigen.links
    if not isinstance(links, SignedLinks):
        raise NotFound  # links lead elsewhere
    links.check(key, expires, signature)
    path = await house.aigen.media.path(key)
    if path is None:
        raise NotFound
    return await served(path, request)


async def served(path: Path, request: Request) -> Response:
    """A stored file, or the part of it that was asked for. Raises NotFound."""
    stat, head = await asyncio.to_thread(_look_at, path)
    etag = f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=300",
        "Content-Security-Policy": _SANDBOX,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    known = request.headers.get("if-none-match", "")
    if etag in known or known.strip() == "*":
        return Response(status_code=304, headers=headers)
    _check_range(request, stat.st_size, etag)
    media_type = type_of(head)
    kind = media_type.value if media_type else "application/octet-stream"
    return FileResponse(path, headers=headers, media_type=kind, stat_result=stat)


def _look_at(path: Path) -> tuple[os.stat_result, bytes]:
    """Facts and first bytes of a file; raises NotFound if it was deleted a moment ago."""
    try:
        with path.open("rb") as file:
            return os.fstat(file.fileno()), file.read(SIGNATURE_BYTES)
    except FileNotFoundError as error:
        raise NotFound from error


def _check_range(request: Request, size: int, etag: str) -> None:
    """A range that begins behind the end is refused; one that makes no sense, or is of another
    version of the file, is passed over, as RFC 9110 has it."""
    wanted = request.headers.get("range")
    if wanted is None:
        return
    found = _ONE_RANGE.fullmatch(wanted.strip())
    is_of_this = request.headers.get("if-range", etag) == etag
    if found is None or not is_of_this or not _makes_sense(*found.groups()):
        request.scope["headers"] = [
            header for header in request.scope["headers"] if header[0] != b"range"
        ]
    elif not _begins_within(*found.groups(), size=size):
        raise HTTPException(416, headers={"Content-Range": f"bytes */{size}"})


def _makes_sense(first: str, last: str) -> bool:
    return int(first) <= int(last) if first and last else bool(first or last)


def _begins_within(first: str, last: str, *, size: int) -> bool:
    """Without a first byte, it is the last so many that are wanted."""
    return int(first) < size if first else size > 0 and int(last) > 0
