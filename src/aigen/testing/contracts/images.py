"""What every provider of images must do; the fixture `images` is a Subject with one.

Success is ImageAnswer, failures are Refused, NotSent, Misconfigured, Unknown and BadAnswer.
"""

import asyncio
from decimal import Decimal

from attrs import evolve

from aigen.adapters.memory.provider import PNG
from aigen.domain.model.images import ImageRequest
from aigen.domain.model.inputs import data_url
from aigen.domain.model.media import PICTURES, MediaType, type_of
from aigen.ports.provider import ImageAnswer, ImageProvider, Refused
from aigen.testing.contracts.subjects import Subject, check_failure

Images = Subject[ImageProvider, ImageRequest]


def check_pictures(answer: object, most: int) -> None:
    assert isinstance(answer, ImageAnswer), answer
    assert 1 <= len(answer.pictures) <= most
    assert {type_of(picture.content[:16]) for picture in answer.pictures} <= PICTURES
    assert answer.cost_usd is None or Decimal(0) <= answer.cost_usd < Decimal("Infinity")


async def test_pictures_are_drawn_and_not_more_than_asked(images: Images) -> None:
    request = images.ending(ImageAnswer)
    for most in (1, 2):
        check_pictures(await images.provider.generate(evolve(request, n=most)), most)


async def test_a_picture_is_edited_or_that_is_refused(images: Images) -> None:
    request = images.ending(ImageAnswer)
    answer = await images.provider.generate(request, data_url(PNG, MediaType.PNG))
    if isinstance(answer, Refused):
        check_failure(answer, Refused)
    else:
        check_pictures(answer, request.n)


async def test_many_draw_at_a_time(images: Images) -> None:
    requests = [images.ending(ImageAnswer) for _ in range(8)]
    for answer in await asyncio.gather(*map(images.provider.generate, requests)):
        check_pictures(answer, 1)


async def test_every_failure_of_an_image_is_a_value(images: Images) -> None:
    for kind in images.endings:
        check_failure(await images.provider.generate(images.ending(kind)), kind)
