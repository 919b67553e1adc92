"""Images: made at once or in the background, listed, removed."""

from typing import Annotated

from attrs import evolve
from fastapi import APIRouter, Header, Query, Request, Response, status

from aigen.domain.model.images import ImageStatus
from aigen.entrypoints.api.auth import TheHouse, WhoPays
from aigen.entrypoints.api.idempotency import KeyHeader, key_of, unwrapped
from aigen.entrypoints.api.paging import History, listed
from aigen.entrypoints.api.schemas.images import ImageAcceptedOut, ImageBody, ImageOut
from aigen.entrypoints.api.schemas.values import Listed

router = APIRouter(prefix="/generate/image", tags=["images"])

Prefer = Annotated[
    str | None,
    Header(max_length=200, description="`respond-async`: answer 202 now, finish later"),
]


@router.post(
    "",
    responses={
        202: {
            "model": ImageAcceptedOut,
            "description": "With `Prefer: respond-async`: it is being made.",
        }
    },
)
async def generate(
    body: ImageBody,
    caller: WhoPays,
    house: TheHouse,
    request: Request,
    response: Response,
    key: KeyHeader = None,
    prefer: Prefer = None,
) -> ImageOut | ImageAcceptedOut:
    """Generate or, with `image_url`, edit pictures. Options that the route to the model does not
    know are ignored."""
    once = await house.aigen.images.generate_once(
        caller.user.id,
        body.request(),
        key_of(key, request, body),
        key_id=caller.key_id,
        is_deferred=_wants_to_go_on(prefer),
    )
    image = unwrapped(once, response)
    if once.was_deferred:
        response.status_code = status.HTTP_202_ACCEPTED
        if not once.is_replay:
            response.headers["Preference-Applied"] = "respond-async"
            return ImageAcceptedOut(id=image.id)
    return ImageOut.of(image, house.aigen.links)


@router.get("")
async def images(
    query: History,
    house: TheHouse,
    wanted: Annotated[ImageStatus | None, Query(alias="status")] = None,
) -> Listed[ImageOut]:
    """One's own images; `q` is looked for in the prompt."""
    page = await house.aigen.images.list(evolve(query, status=wanted))
    return listed(page, lambda image: ImageOut.of(image, house.aigen.links))


@router.get("/{image_id}")
async def image(image_id: str, caller: WhoPays, house: TheHouse) -> ImageOut:
    found = await house.aigen.images.get(caller.user.id, image_id)
    return ImageOut.of(found, house.aigen.links)


@router.delete("/{image_id}", status_code=status.HTTP_204_NO_CONTENT)
async def remove_image(image_id: str, caller: WhoPays, house: TheHouse) -> None:
    await house.aigen.images.remove(caller.user.id, image_id)


def _wants_to_go_on(prefer: str | None) -> bool:
    wishes = [wish.strip().lower() for wish in (prefer or "").split(",")]
    return "respond-async" in wishes
