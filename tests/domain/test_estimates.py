"""What a request will cost, from what the model's listing says."""

from decimal import Decimal

import pytest

from aigen.domain.model.catalogue import Model, Price
from aigen.domain.model.estimates import Request, estimate
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.texts import TextRequest
from aigen.domain.model.video_requests import VideoRequest


def model(durations: tuple[int, ...] | None = None, /, **prices: str) -> Model:
    pricing = tuple(Price(per=per, usd=Decimal(usd)) for per, usd in prices.items())
    return Model(id="m", name="M", durations=durations, pricing=pricing)


WRITES = model(prompt_token="0.000001", completion_token="0.00001")
DRAWS = model(**{"output_image 1K": "0.03", "output_image 2K": "0.075", "prompt_token": "0"})
DRAWS_ALIKE = model(output_image="0.04")
BY_PIXELS = model(output_megapixel="0.01")
FILMS = model((4, 8), **{"per-video-second": "0.05", "per-video-second-1080p": "0.08"})
CLIPS = model(**{"generate": "0.28", "generate-1080p": "0.49"})


def text(prompt: str = "x" * 300, max_tokens: int | None = 100) -> TextRequest:
    return TextRequest(model="m", prompt=prompt, max_tokens=max_tokens)


def image(n: int = 1, image_size: str | None = None) -> ImageRequest:
    return ImageRequest(model="m", prompt="a fox", n=n, image_size=image_size)


def video(duration: int | None = None, resolution: str | None = None) -> VideoRequest:
    return VideoRequest(model="m", prompt="a fox", duration=duration, resolution=resolution)


@pytest.mark.parametrize(
    ("request_", "offered", "usd"),
    [
        (text(), WRITES, "0.0011"),  # 100 tokens asked, 100 answered
        (text(max_tokens=None), WRITES, "0.0201"),
        (text("狐" * 100), WRITES, "0.0011"),
        (text(), model(prompt_token="0", completion_token="0"), "0"),
        (text(), model(prompt_token="0", completion_token="0", request="0.01"), "0.01"),
        (image(), DRAWS, "0.075"),
        (image(image_size="1K"), DRAWS, "0.03"),
        (image(n=3, image_size="2K"), DRAWS, "0.225"),
        (image(n=10, image_size="2K"), DRAWS_ALIKE, "0.4"),
        (image(image_size="2K"), BY_PIXELS, "0.04"),
        (image(n=2), BY_PIXELS, "0.02"),
        (video(5), FILMS, "0.4"),
        (video(5, "720p"), FILMS, "0.25"),
        (video(5, "1080p"), FILMS, "0.4"),
        (video(), FILMS, "0.64"),
        (video(5, "720p"), CLIPS, "0.28"),
        (video(5), CLIPS, "0.49"),
        (text(), model(prompt_token="1e-13", completion_token="0"), "0.0000000001"),
    ],
)
def test_it_is_as_the_prices_say(request_: Request, offered: Model, usd: str) -> None:
    assert estimate(request_, offered) == Decimal(usd)


@pytest.mark.parametrize(
    ("request_", "offered"),
    [
        (text(), model()),
        (text(), model(prompt_token="0.1")),
        (image(), model(prompt_token="0", completion_token="0", image="0")),
        (image(), model(output_image="0")),
        (image(image_size="8K"), BY_PIXELS),
        (image(image_size="4K"), DRAWS),
        (video(5), model(prompt_token="0", completion_token="0")),
        (video(), model(**{"per-video-second": "0.05"})),
        (text(max_tokens=10_000_000), model(prompt_token="0", completion_token="999999")),
    ],
)
def test_what_the_prices_do_not_tell_is_unknown_and_not_free(
    request_: Request, offered: Model
) -> None:
    assert estimate(request_, offered) is None
