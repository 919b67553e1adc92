"""What a request will cost, as far as the prices of its model tell."""

from collections.abc import Iterable
from decimal import Decimal
from typing import assert_never

from aigen.domain.model.catalogue import Model
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.domain.model.video_requests import VideoRequest

Request = TextRequest | ImageRequest | VideoRequest

#: UTF-8 bytes that make a token: English has four to five, Chinese three (OpenAI's rule of thumb
#: is four characters). Rather too many tokens than too few.
_BYTES_PER_TOKEN = 3
#: Tokens of an answer whose request sets no limit.
_USUAL_ANSWER = 2_000

_MEGAPIXELS = {"512": Decimal("0.25"), "1K": Decimal(1), "2K": Decimal(4), "4K": Decimal(16)}


def estimate(request: Request, model: Model) -> Decimal | None:
    """US dollars, rather too much than too little; None if the prices do not tell, never 0 for
    that."""
    match request:
        case TextRequest():
            return _text(request, model)
        case ImageRequest():
            return _image(request, model)
        case VideoRequest():
            return _video(request, model)
        case _:
            assert_never(request)


def _text(request: TextRequest, model: Model) -> Decimal | None:
    asked, answered = model.price("prompt_token"), model.price("completion_token")
    if asked is None or answered is None:
        return None
    written = sum(len(turn.content.encode()) for turn in request.turns())
    tokens = -(-written // _BYTES_PER_TOKEN)
    fee = model.price("request") or Decimal(0)
    return fee + asked * tokens + answered * (request.max_tokens or _USUAL_ANSWER)


def _image(request: ImageRequest, model: Model) -> Decimal | None:
    picture = _dearest(model, "output_image", " ", request.image_size)
    if picture is None:
        megapixel = _dearest(model, "output_megapixel", " ", request.image_size)
        size = _MEGAPIXELS.get(request.image_size or "1K")
        picture = megapixel * size if megapixel is not None and size is not None else None
    return None if picture is None else picture * request.n


def _video(request: VideoRequest, model: Model) -> Decimal | None:
    film = _dearest(model, "generate", "-", request.resolution)
    second = _dearest(model, "per-video-second", "-", request.resolution)
    seconds = request.duration or max(model.durations or (), default=None)
    if second is not None and seconds is not None:
        return second * seconds
    return film


def _dearest(model: Model, per: str, joint: str, variant: str | None) -> Decimal | None:
    """The price `per` something: for this variant if it has one, else the common one; where the
    variant is left to the provider, the highest that it may be."""
    if variant is not None:
        exact = model.price(f"{per}{joint}{variant}")
        return _positive([exact if exact is not None else model.price(per)])
    return _positive(
        price.usd
        for price in model.pricing
        if price.per == per or price.per.startswith(per + joint)
    )


def _positive(prices: Iterable[Decimal | None]) -> Decimal | None:
    """The highest; a listing that says 0 for a picture or a film means that it does not know."""
    return max((price for price in prices if price), default=None)
