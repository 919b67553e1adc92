"""Several texts, images and videos at once: deleted, downloaded."""

from collections.abc import AsyncIterator
from typing import Any

from fastapi import APIRouter
from starlette.responses import StreamingResponse

from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.bundles import zipped
from aigen.entrypoints.api.schemas.history import IdsBody, RemovedOut

router = APIRouter(prefix="/generate", tags=["history"])

_ZIP = "application/zip"
_ANSWER: dict[int | str, dict[str, Any]] = {
    200: {
        "description": "A zip of their files; its `manifest.json` says what they are and what is "
        "missing.",
        "content": {_ZIP: {"schema": {"type": "string", "format": "binary"}}},
    }
}


class Zip(StreamingResponse):
    media_type = _ZIP


@router.post("/delete")
async def remove_many(body: IdsBody, caller: WhoPays, house: TheHouse) -> RemovedOut:
    """Delete one's own texts, images and videos with their files, in one go. What cannot be
    deleted is kept, with the reason; unfinished videos have to be cancelled first."""
    return RemovedOut.of(await house.aigen.history.remove(caller.user.id, body.ids))


@router.post("/archive", response_class=Zip, responses=_ANSWER)
async def download_many(body: IdsBody, caller: WhoPays, house: TheHouse) -> Zip:
    """The files of one's own texts, images and videos as one zip, sent while it is made."""
    bundle = await house.aigen.history.bundle(caller.user.id, body.ids)
    pieces = zipped(bundle, house.aigen.media)
    first = await anext(pieces)  # what goes wrong before it is an ordinary problem
    name = f"aigen-{house.aigen.clock.now():%Y-%m-%d}.zip"
    headers = {"Content-Disposition": f'attachment; filename="{name}"'}
    return Zip(_joined(first, pieces), headers=headers)


async def _joined(first: bytes, rest: AsyncIterator[bytes]) -> AsyncIterator[bytes]:
    yield first
    async for piece in rest:
        yield piece
