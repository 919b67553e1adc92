"""Requests with an Idempotency-Key: done once, answered as often as asked."""

from collections.abc import AsyncIterator, Callable, Coroutine
from datetime import timedelta
from typing import Any

import pytest

from aigen.domain.model.errors import (
    AigenError,
    Busy,
    DatabaseUnavailable,
    IdempotencyConflict,
    IdempotencyInProgress,
    NotFound,
    ProviderOutcomeUnknown,
    ProviderRefused,
)
from aigen.domain.model.idempotency import IdempotencyKey
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.inputs import data_url
from aigen.domain.model.texts import Text
from aigen.domain.model.users import User
from aigen.domain.services.repeats import Once
from aigen.ports.provider import Failure, Refused, TextDelta, Unknown
from aigen.testing import PNG, Harness
from tests.services.worlds import (
    DAY,
    FAILURES,
    HOUR,
    TICK,
    TroubledStore,
    a_key,
    image_request,
    leap,
    started,
    text_request,
)

Ask = Callable[[Harness, User, IdempotencyKey], Coroutine[Any, Any, Once[Text] | Once[Image]]]


async def ask_text(harness: Harness, user: User, key: IdempotencyKey) -> Once[Text]:
    return await harness.aigen.texts.generate_once(user.id, text_request(), key)


async def ask_stream(harness: Harness, user: User, key: IdempotencyKey) -> Once[Text]:
    once = await stream(harness, user, key)
    *_, whole = [piece async for piece in once.value]
    assert isinstance(whole, Text)
    return Once(value=whole, is_replay=once.is_replay)


async def ask_image(harness: Harness, user: User, key: IdempotencyKey) -> Once[Image]:
    return await harness.aigen.images.generate_once(user.id, image_request(), key)


async def stream(
    harness: Harness, user: User, key: IdempotencyKey
) -> Once[AsyncIterator[TextDelta | Text]]:
    return await harness.aigen.texts.stream_once(user.id, text_request(), key)


async def defer(harness: Harness, user: User, key: IdempotencyKey) -> Once[Image]:
    return await harness.aigen.images.generate_once(user.id, image_request(), key, is_deferred=True)


def calls(harness: Harness) -> int:
    """How often the provider was asked for anything."""
    return len(harness.provider.text_requests) + len(harness.provider.image_requests)


def script(harness: Harness, failure: Failure) -> None:
    harness.provider.texts.add(failure)
    harness.provider.images.add(failure)


everything = pytest.mark.parametrize("ask", [ask_text, ask_stream, ask_image])


@everything
async def test_a_repeat_gives_the_first_result_and_asks_nobody(
    harness: Harness, ann: User, ask: Ask
) -> None:
    first = await ask(harness, ann, a_key())
    await leap(harness, DAY - TICK)
    again = await ask(harness, ann, a_key())
    assert (first.is_replay, again.is_replay) == (False, True)
    assert again.value == first.value
    assert calls(harness) == 1


@everything
async def test_a_key_is_forgotten_after_a_day(harness: Harness, ann: User, ask: Ask) -> None:
    first = await ask(harness, ann, a_key())
    await leap(harness, DAY)
    again = await ask(harness, ann, a_key())
    assert not again.is_replay
    assert again.value.id != first.value.id


@everything
async def test_another_key_or_another_user_is_another_request(
    harness: Harness, ann: User, bob: User, ask: Ask
) -> None:
    for user, key in ((ann, "1"), (ann, "2"), (bob, "1")):
        assert not (await ask(harness, user, a_key(key))).is_replay
    assert calls(harness) == 3


@everything
async def test_the_same_key_with_another_request_is_a_conflict(
    harness: Harness, ann: User, ask: Ask
) -> None:
    await ask(harness, ann, a_key())
    with pytest.raises(IdempotencyConflict):
        await ask(harness, ann, a_key(fingerprint="another request"))
    assert calls(harness) == 1


@everything
async def test_while_the_first_is_running_a_repeat_is_told_to_wait(
    harness: Harness, ann: User, ask: Ask
) -> None:
    harness.provider.gate.clear()
    first = await started(harness, ask(harness, ann, a_key()))
    with pytest.raises(IdempotencyInProgress) as refused:
        await ask(harness, ann, a_key())
    assert refused.value.retry_after > timedelta(0)
    harness.provider.gate.set()
    await first
    assert (await ask(harness, ann, a_key())).is_replay
    assert calls(harness) == 1


@everything
async def test_an_unknown_outcome_stays_unknown_and_is_never_bought_again(
    harness: Harness, ann: User, ask: Ask
) -> None:
    script(harness, Unknown(reason="cut off"))
    for _ in range(3):
        with pytest.raises(ProviderOutcomeUnknown):
            await ask(harness, ann, a_key())
        await leap(harness, HOUR)
    assert calls(harness) == 1


@everything
@pytest.mark.parametrize(
    "failure", [failure for failure, _, _ in FAILURES if not isinstance(failure, Unknown)]
)
async def test_what_was_surely_not_delivered_frees_the_key(
    harness: Harness, ann: User, ask: Ask, failure: Failure
) -> None:
    script(harness, failure)
    with pytest.raises(AigenError):
        await ask(harness, ann, a_key())
    assert not (await ask(harness, ann, a_key())).is_replay
    assert calls(harness) == 2


@everything
async def test_a_request_that_a_crash_cut_off_is_unknown(
    harness: Harness, ann: User, ask: Ask
) -> None:
    harness.provider.gate.clear()
    first = await started(harness, ask(harness, ann, a_key()))
    await leap(harness, HOUR)
    with pytest.raises(ProviderOutcomeUnknown):
        await ask(harness, ann, a_key())
    harness.provider.gate.set()  # no crash, but a very slow answer
    await first
    assert (await ask(harness, ann, a_key())).is_replay


@everything
async def test_what_was_deleted_is_not_made_anew(harness: Harness, ann: User, ask: Ask) -> None:
    first = (await ask(harness, ann, a_key())).value
    if isinstance(first, Text):
        await harness.aigen.texts.remove(ann.id, first.id)
    else:
        await harness.aigen.images.remove(ann.id, first.id)
    with pytest.raises(NotFound):
        await ask(harness, ann, a_key())
    assert calls(harness) == 1


@everything
async def test_a_full_disk_does_not_hide_what_was_bought_before(
    harness: Harness, ann: User, ask: Ask
) -> None:
    """`storage_full` says that nothing was sent, which would be a lie here."""
    first = await ask(harness, ann, a_key())
    harness.media.is_full = True
    again = await ask(harness, ann, a_key())
    assert again.is_replay
    assert again.value == first.value


@everything
@pytest.mark.parametrize(
    ("failure", "frees"), [(Refused(reason="no foxes"), True), (Unknown(reason="cut off"), False)]
)
async def test_how_a_request_failed_is_noted_once_the_database_is_back(
    harness: Harness,
    store: TroubledStore,
    ann: User,
    ask: Ask,
    failure: Failure,
    frees: bool,
) -> None:
    script(harness, failure)
    harness.provider.gate.clear()
    first = await started(harness, ask(harness, ann, a_key()))
    store.trouble = DatabaseUnavailable()
    harness.provider.gate.set()
    await harness.clock.advance(5)
    store.recover()
    await harness.clock.advance(5)
    with pytest.raises((ProviderRefused, ProviderOutcomeUnknown)):
        await first
    if frees:
        assert not (await ask(harness, ann, a_key())).is_replay
    else:
        with pytest.raises(ProviderOutcomeUnknown):
            await ask(harness, ann, a_key())


async def test_a_finished_text_asked_for_again_as_a_stream_comes_as_one_piece(
    harness: Harness, ann: User
) -> None:
    text = (await ask_text(harness, ann, a_key())).value
    again = await stream(harness, ann, a_key())
    assert again.is_replay
    assert [piece async for piece in again.value] == [TextDelta(text=text.text), text]


# --- images in the background -----------------------------------------------------------------


async def test_a_repeat_of_a_deferred_image_gives_it_as_it_is_now(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    first = await defer(harness, ann, a_key())
    again = await defer(harness, ann, a_key())
    assert (again.is_replay, again.was_deferred) == (True, True)
    assert again.value == first.value
    harness.provider.gate.set()
    await harness.aigen.background.drain()
    done = await defer(harness, ann, a_key())
    assert (done.value.id, done.value.status) == (first.value.id, ImageStatus.COMPLETED)
    assert calls(harness) == 1


async def test_a_repeat_of_a_deferred_image_of_unknown_outcome_gives_it_as_it_is_now(
    harness: Harness, ann: User
) -> None:
    """The first answer was 202 with the image, so a repeat of it is, too."""
    script(harness, Unknown(reason="cut off"))
    first = await defer(harness, ann, a_key())
    await harness.aigen.background.drain()
    again = await defer(harness, ann, a_key())
    assert (again.is_replay, again.was_deferred) == (True, True)
    assert (again.value.id, again.value.status) == (first.value.id, ImageStatus.FAILED)
    assert again.value.error_code == "provider_outcome_unknown"


async def test_a_deferred_image_that_was_refused_is_not_asked_for_again(
    harness: Harness, ann: User
) -> None:
    script(harness, Refused(reason="no foxes"))
    first = await defer(harness, ann, a_key())
    await harness.aigen.background.drain()
    again = await defer(harness, ann, a_key())
    assert (again.is_replay, again.value.id) == (True, first.value.id)
    assert again.value.error_code == "provider_refused"
    assert calls(harness) == 1


# --- what a refused repeat leaves behind ------------------------------------------------------


@pytest.mark.parametrize("fingerprint", ["the request", "another request"])
async def test_a_repeat_that_is_refused_leaves_no_picture_behind(
    harness: Harness, ann: User, fingerprint: str
) -> None:
    request = image_request(image_url=data_url(PNG, "image/png"))
    images = harness.aigen.images
    harness.provider.gate.clear()
    first = await started(harness, images.generate_once(ann.id, request, a_key()))
    before = dict(harness.media.files)
    with pytest.raises((IdempotencyConflict, IdempotencyInProgress)):
        await images.generate_once(ann.id, request, a_key(fingerprint=fingerprint))
    assert harness.media.files == before
    harness.provider.gate.set()
    await first


async def test_a_repeat_leaves_no_picture_behind(harness: Harness, ann: User) -> None:
    request = image_request(image_url=data_url(PNG, "image/png"))
    await harness.aigen.images.generate_once(ann.id, request, a_key())
    before = dict(harness.media.files)
    assert (await harness.aigen.images.generate_once(ann.id, request, a_key())).is_replay
    assert harness.media.files == before


async def test_of_two_at_once_the_second_leaves_no_picture_behind(
    harness: Harness, ann: User
) -> None:
    request = image_request(image_url=data_url(PNG, "image/png"))
    images = harness.aigen.images
    harness.provider.gate.clear()
    asked = [
        await started(harness, images.generate_once(ann.id, request, a_key())) for _ in range(2)
    ]
    assert [task.done() for task in asked] == [False, True]
    assert isinstance(asked[1].exception(), IdempotencyInProgress)
    assert len(harness.media.files) == 1
    harness.provider.gate.set()
    assert not (await asked[0]).is_replay


async def test_a_full_disk_does_not_hide_an_image_that_was_made_from_a_picture(
    harness: Harness, ann: User
) -> None:
    request = image_request(image_url=data_url(PNG, "image/png"))
    first = await harness.aigen.images.generate_once(ann.id, request, a_key())
    harness.media.is_full = True
    again = await harness.aigen.images.generate_once(ann.id, request, a_key())
    assert (again.is_replay, again.value) == (True, first.value)


async def test_a_busy_database_leaves_no_picture_of_an_image_behind(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    request = image_request(image_url=data_url(PNG, "image/png"))
    store.trouble = Busy()
    with pytest.raises(Busy):
        await harness.aigen.images.generate(ann.id, request)
    assert harness.media.files == {}
    assert calls(harness) == 0
