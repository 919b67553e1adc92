"""Stored files, to whoever has a fresh link."""

import re
from typing import Annotated

from fastapi import APIRouter, Query, Request, Response
from starlette.exceptions import HTTPException
from starlette.responses import FileResponse

from aigen.adapters.media.links import SignedLinks
from aigen.domain.model.errors import NotFound
from aigen.domain.model.media import SIGNATURE_BYTES, type_of
from aigen.entrypoints.api.auth import TheHouse

router = APIRouter(tags=["media"])

#: A file may be shown in a page of its own, and can do nothing there.
_SANDBOX = (
    "sandbox; default-src 'none'; img-src 'self'; media-src 'self'; style-src 'unsafe-inline'"
)
_ONE_RANGE = re.compile(r"bytes=(\d*)-(\d*)")


@router.head("/media/{key:path}", include_in_schema=False)
@router.get("/media/{key:path}", response_class=FileResponse)
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
    stat = path.stat()
    with path.open("rb") as file:
        media_type = type_of(file.read(SIGNATURE_BYTES))
    etag = f'"{stat.st_size:x}-{stat.st_mtime_ns:x}"'
    headers = {
        "ETag": etag,
        "Cache-Control": "private, max-age=300",
        "Content-Security-Policy": _SANDBOX,
        "Cross-Origin-Resource-Policy": "cross-origin",
    }
    if etag in request.headers.get("if-none-match", ""):
        return Response(status_code=304, headers=headers)
    _check_range(request, stat.st_size)
    kind = media_type.value if media_type else "application/octet-stream"
    return FileResponse(path, headers=headers, media_type=kind, stat_result=stat)


def _check_range(request: Request, size: int) -> None:
    """A range that begins behind the end is refused; one that makes no sense is passed over,
    as RFC 9110 has it."""
    wanted = request.headers.get("range")
    if wanted is None:
        return
    found = _ONE_RANGE.fullmatch(wanted.strip())
    if found is None or not any(found.groups()) or _is_backwards(*found.groups()):
        request.scope["headers"] = [
            header for header in request.scope["headers"] if header[0] != b"range"
        ]
    elif (found[1] and int(found[1]) >= size) or (not found[1] and int(found[2]) == 0):
        raise HTTPException(416, headers={"Content-Range": f"bytes */{size}"})


def _is_backwards(first: str, last: str) -> bool:
    return bool(first and last) and int(first) > int(last)
