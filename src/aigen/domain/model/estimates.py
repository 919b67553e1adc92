"""What a request will cost, as far as the prices of its model tell."""

from collections.abc import Iterable
from decimal import ROUND_UP, Decimal
from typing import assert_never

from aigen.domain.model.catalogue import Model
from aigen.domain.model.chats import ChatRequest
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.domain.model.video_requests import VideoRequest

Request = TextRequest | ChatRequest | ImageRequest | VideoRequest

#: UTF-8 bytes that make a token: English has four to five, Chinese three (OpenAI's rule of thumb
#: is four characters). Rather too many tokens than too few.
_BYTES_PER_TOKEN = 3
#: Tokens of an answer whose request sets no limit.
_USUAL_ANSWER = 2_000
#: Tokens of a picture, a sound or a file that is shown to a model: a picture of 1024 pixels square
#: has 765 at OpenAI, 1290 at Google.
_ATTACHMENT = 1_500

_MEGAPIXELS = {"512": Decimal("0.25"), "1K": Decimal(1), "2K": Decimal(4), "4K": Decimal(16)}


#: The smallest amount that is kept, and what nobody would believe.
_STEP, _INCREDIBLE = Decimal("1e-10"), Decimal(1_000_000)


def estimate(request: Request, model: Model) -> Decimal | None:
    """US dollars, rather too much than too little; None if the prices do not tell, or nonsense;
    never 0 for that."""
    usd = _by_price(request, model)
    return None if usd is None or usd >= _INCREDIBLE else usd.quantize(_STEP, ROUND_UP)


def _by_price(request: Request, model: Model) -> Decimal | None:
    match request:
        case TextRequest():
            written = sum(len(turn.content.encode()) for turn in request.turns())
            return _text(_tokens(written), request.max_tokens or _USUAL_ANSWER, model)
        case ChatRequest():
            read = _tokens(request.written) + _ATTACHMENT * request.attached
            answers = request.choices * (request.most_tokens or _USUAL_ANSWER)
            return _text(read, answers, model)
        case ImageRequest():
            return _image(request, model)
        case VideoRequest():
            return _video(request, model)
        case _:
            assert_never(request)


def _text(read: int, said: int, model: Model) -> Decimal | None:
    """So many tokens, read and said."""
    asked, answered = model.price("prompt_token"), model.price("completion_token")
    if asked is None or answered is None:
        return None
    return (model.price("request") or Decimal(0)) + asked * read + answered * said


def _tokens(written: int) -> int:
    return -(-written // _BYTES_PER_TOKEN)


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
