"""Keeping the house tidy: what has expired goes, what is left over is deleted, nothing else."""

import pytest

from aigen.domain.model.errors import DatabaseUnavailable, InvalidCredentials, TooManyAttempts
from aigen.domain.model.media import MediaRemoval
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import User
from aigen.ports.provider import Misconfigured
from aigen.testing import Harness
from tests.services.worlds import (
    DAY,
    HOUR,
    MINUTE,
    PASSWORD,
    SECOND,
    TroubledStore,
    a_key,
    image_request,
    leap,
    text_request,
)


async def test_leftover_files_are_deleted_every_minute(harness: Harness, ann: User) -> None:
    kept, gone = [await harness.aigen.images.generate(ann.id, image_request()) for _ in range(2)]
    prefix = gone.pictures[0].key.rpartition("/")[0] + "/"
    await harness.store.write(lambda records: records.removals.put(MediaRemoval(prefix=prefix)))
    await harness.clock.advance(MINUTE)
    assert list(harness.media.files) == [kept.pictures[0].key]
    assert await harness.store.read(lambda records: records.removals.all()) == ()


async def test_expired_tokens_are_shown_for_a_day_and_then_forgotten(
    harness: Harness, ann: User
) -> None:
    await harness.aigen.sessions.login("ann@example.org", PASSWORD)
    await leap(harness, 14 * DAY)
    await harness.aigen.housekeeping.prune()
    assert (await harness.aigen.admin.statistics()).tokens.expired == 1
    await leap(harness, DAY + SECOND)
    await harness.aigen.housekeeping.prune()
    assert (await harness.aigen.admin.statistics()).tokens.expired == 0


async def test_old_sessions_links_keys_and_failures_are_forgotten(
    harness: Harness, ann: User
) -> None:
    aigen = harness.aigen
    tokens = await aigen.sessions.login("ann@example.org", PASSWORD)
    session_id = (await aigen.sessions.authenticate(tokens.access_token)).session_id
    await aigen.texts.generate_once(ann.id, text_request(), a_key())
    link = await aigen.users.make_reset_link(ann.id)
    with pytest.raises(InvalidCredentials):
        await aigen.sessions.login("ann@example.org", "a wrong pass phrase", address="::1")

    async def left() -> list[bool]:
        return await harness.store.read(
            lambda records: [
                records.sessions.get(session_id) is not None,
                records.remembered.get((ann.id, "a-key")) is not None,
                records.failures.get("address:::1") is not None,
            ]
        )

    assert await left() == [True, True, True]
    await leap(harness, HOUR)
    await aigen.housekeeping.prune()
    assert await left() == [True, True, False]
    await leap(harness, DAY)
    await aigen.housekeeping.prune()
    assert await left() == [True, False, False]
    await leap(harness, 91 * DAY)
    await aigen.housekeeping.prune()
    assert await left() == [False, False, False]
    assert link.expires_at < harness.clock.now()


async def test_what_is_still_good_is_kept(harness: Harness, ann: User) -> None:
    aigen = harness.aigen
    tokens = await aigen.sessions.login("ann@example.org", PASSWORD)
    first = await aigen.texts.generate_once(ann.id, text_request(), a_key())
    link = await aigen.users.make_reset_link(ann.id)
    for _ in range(9):
        with pytest.raises(InvalidCredentials):
            await aigen.sessions.login("ann@example.org", "a wrong pass phrase")
    await leap(harness, 14 * MINUTE)
    await aigen.housekeeping.prune()
    await aigen.sessions.authenticate(tokens.access_token)
    assert (await aigen.texts.generate_once(ann.id, text_request(), a_key())).value == first.value
    with pytest.raises(InvalidCredentials):
        await aigen.sessions.login("ann@example.org", "a wrong pass phrase")
    with pytest.raises(TooManyAttempts):
        await aigen.sessions.login("ann@example.org", PASSWORD)
    await aigen.users.reset_password(link.secret, PASSWORD)


async def test_the_house_is_tidied_every_hour_without_being_told(
    harness: Harness, ann: User
) -> None:
    failed = FailedLogins(subject="s", count=1, since=harness.clock.now())
    await harness.store.write(lambda records: records.failures.put(failed))
    await harness.clock.advance(HOUR + MINUTE)
    assert await harness.store.read(lambda records: records.failures.get("s")) is None


async def test_an_outage_puts_housekeeping_off_and_does_not_end_it(
    harness: Harness, store: TroubledStore
) -> None:
    store.trouble = DatabaseUnavailable()
    await harness.clock.advance(5 * MINUTE)
    store.recover()
    await harness.store.write(lambda records: records.removals.put(MediaRemoval(prefix="a/")))
    await harness.clock.advance(MINUTE)
    assert await harness.store.read(lambda records: records.removals.all()) == ()


async def test_a_bug_does_not_end_housekeeping(harness: Harness, store: TroubledStore) -> None:
    store.trouble = ZeroDivisionError("on purpose")
    await harness.clock.advance(5 * MINUTE)
    store.recover()
    await harness.store.write(lambda records: records.removals.put(MediaRemoval(prefix="a/")))
    await harness.clock.advance(MINUTE)
    assert await harness.store.read(lambda records: records.removals.all()) == ()


async def test_the_key_is_examined_every_hour(harness: Harness) -> None:
    await harness.clock.settle()
    assert harness.aigen.health.trouble is None
    harness.provider.key_trouble = Misconfigured(reason="no such key")
    await harness.clock.advance(HOUR + MINUTE)
    assert harness.aigen.health.trouble == "no such key"
