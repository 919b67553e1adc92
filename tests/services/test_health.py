"""Whether the provider takes our key and credit, as the latest calls have shown."""

import pytest

from aigen.domain.model.errors import AigenError
from aigen.domain.model.users import User
from aigen.ports.provider import BadAnswer, Failure, Misconfigured, NotSent, Refused, Unknown
from aigen.testing import Harness
from tests.services.worlds import MINUTE, image_request, text_request

NO_CREDIT = Misconfigured(reason="no credit")


def trouble(harness: Harness) -> str | None:
    return harness.aigen.health.trouble


async def ask(harness: Harness, user: User, failure: Failure | None = None) -> None:
    """A text that may fail."""
    if failure is not None:
        harness.provider.texts.add(failure)
    try:
        await harness.aigen.texts.generate(user.id, text_request())
    except AigenError:
        assert failure is not None


async def test_a_refusal_of_our_key_is_trouble_until_a_call_succeeds(
    harness: Harness, ann: User
) -> None:
    assert trouble(harness) is None
    await ask(harness, ann, NO_CREDIT)
    assert trouble(harness) == "no credit"
    await ask(harness, ann)
    assert trouble(harness) is None


async def test_an_image_shows_it_as_well(harness: Harness, ann: User) -> None:
    harness.provider.images.add(NO_CREDIT)
    with pytest.raises(AigenError):
        await harness.aigen.images.generate(ann.id, image_request())
    assert trouble(harness) == "no credit"
    await harness.aigen.images.generate(ann.id, image_request())
    assert trouble(harness) is None


@pytest.mark.parametrize(
    "failure",
    [
        Refused(reason="no foxes"),
        NotSent(reason="busy"),
        Unknown(reason="cut off"),
        BadAnswer(reason="only words"),
    ],
)
async def test_any_other_failure_says_nothing_about_our_key(
    harness: Harness, ann: User, failure: Failure
) -> None:
    await ask(harness, ann, failure)
    assert trouble(harness) is None
    await ask(harness, ann, NO_CREDIT)
    await ask(harness, ann, failure)
    assert trouble(harness) == "no credit"


async def test_a_key_that_is_taken_again_ends_the_trouble_within_a_minute(
    harness: Harness, ann: User
) -> None:
    """Who is not ready is sent no calls, so no call might ever show that all is well again."""
    harness.provider.key_trouble = NO_CREDIT
    await ask(harness, ann, NO_CREDIT)
    await harness.clock.advance(5 * MINUTE)
    assert trouble(harness) == "no credit"
    harness.provider.key_trouble = None
    await harness.clock.advance(MINUTE)
    assert trouble(harness) is None
    assert len(harness.provider.text_requests) == 1


async def test_a_key_that_is_taken_does_not_hide_for_long_that_there_is_no_credit(
    harness: Harness, ann: User
) -> None:
    await ask(harness, ann, NO_CREDIT)
    await harness.aigen.health.examine()
    await ask(harness, ann, NO_CREDIT)
    assert trouble(harness) == "no credit"


async def test_a_bad_key_is_found_without_buying_anything(harness: Harness) -> None:
    harness.provider.key_trouble = Misconfigured(reason="no such key")
    await harness.aigen.health.examine()
    assert trouble(harness) == "no such key"
    assert harness.provider.text_requests == []
