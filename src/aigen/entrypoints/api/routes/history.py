"""Texts, images and videos together: listed, deleted, downloaded."""

from collections.abc import AsyncIterator
from typing import Annotated, Any

from attrs import evolve
from fastapi import APIRouter, Query
from starlette.responses import StreamingResponse

from aigen.domain.model.ledger import Kind
from aigen.domain.model.videos import VideoStatus
from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.bundles import zipped
from aigen.entrypoints.api.paging import History, listed
from aigen.entrypoints.api.schemas.history import IdsBody, ItemOut, RemovedOut, item
from aigen.entrypoints.api.schemas.values import Listed

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


@router.get("")
async def generations(
    query: History,
    house: TheHouse,
    kinds: Annotated[
        list[Kind] | None,
        Query(alias="kind", description="all unless said; `kind=image&kind=video` is both"),
    ] = None,
    wanted: Annotated[
        VideoStatus | None,
        Query(alias="status", description="gives nothing of a kind that cannot have it"),
    ] = None,
) -> Listed[ItemOut]:
    """One's own texts, images and videos as one list; `q` is looked for in the prompt."""
    page = await house.aigen.history.list(evolve(query, status=wanted), kinds or tuple(Kind))
    return listed(page, lambda generation: item(generation, house.aigen.links))


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
