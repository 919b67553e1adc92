"""What goes with a user, and what goes with one generation; files too."""

import asyncio

import pytest

from aigen.adapters.memory.media import MemoryMedia
from aigen.domain.model.audit import Action
from aigen.domain.model.errors import (
    InvalidCredentials,
    JobUnfinished,
    NotFound,
    ResetTokenInvalid,
    TokenRevoked,
)
from aigen.domain.model.inputs import data_url
from aigen.domain.model.media import MediaRemoval
from aigen.domain.model.users import Role, User
from aigen.domain.model.videos import VideoState
from aigen.domain.services.files import Files
from aigen.ports.store import HistoryQuery
from aigen.testing import PNG, Harness
from tests.services.boards import accepted, film_of, finish, in_state, submitted
from tests.services.worlds import (
    PASSWORD,
    StuckMedia,
    a_key,
    audited,
    image_request,
    started,
    text_request,
    video_request,
)


async def test_everything_that_a_user_has_goes_with_the_user(
    harness: Harness, admin: User, ann: User, bob: User
) -> None:
    aigen = harness.aigen
    tokens = await aigen.sessions.login("ann@example.org", PASSWORD)
    for user in (ann, bob):
        await aigen.texts.generate_once(user.id, text_request(), a_key())
        await aigen.images.generate(user.id, image_request(n=2))
        await in_state(harness, user, VideoState.COMPLETED)
        await in_state(harness, user, VideoState.PROCESSING)
    for user in (ann, bob):
        await submitted(harness, user)
    link = await aigen.users.make_reset_link(ann.id)
    await aigen.users.remove(ann.id, actor_id=admin.id, address="::1")
    query = HistoryQuery(user_id=ann.id)
    assert (await aigen.texts.list(query)).items == ()
    assert (await aigen.images.list(query)).items == ()
    assert (await aigen.videos.list(query)).items == ()
    assert all(key.startswith(f"{bob.id}/") for key in harness.media.files)
    assert len(harness.media.files) == 3
    counts = await aigen.admin.statistics()
    assert (counts.users.total, counts.texts, counts.images) == (2, 1, 1)
    assert sum(counts.videos.values()) == 3
    assert counts.tokens.active == 0
    with pytest.raises(TokenRevoked):
        await aigen.sessions.authenticate(tokens.access_token)
    with pytest.raises(TokenRevoked):
        await aigen.sessions.refresh(tokens.refresh_token)
    with pytest.raises(InvalidCredentials):
        await aigen.sessions.login("ann@example.org", PASSWORD)
    with pytest.raises(ResetTokenInvalid):
        await aigen.users.reset_password(link.secret, PASSWORD)
    (entry,) = await audited(harness, Action.USER_REMOVED)
    assert (entry.actor_id, entry.target_id, entry.address) == (admin.id, ann.id, "::1")


async def test_an_address_is_free_again_when_its_user_has_gone(harness: Harness, ann: User) -> None:
    await harness.aigen.users.remove(ann.id)
    again = await harness.user("ann@example.org")
    assert again.id != ann.id


async def test_nobody_is_removed_twice(harness: Harness, ann: User) -> None:
    await harness.aigen.users.remove(ann.id)
    with pytest.raises(NotFound):
        await harness.aigen.users.remove(ann.id)


async def test_two_admins_who_remove_each_other_at_once_leave_one(
    harness: Harness, admin: User
) -> None:
    other = await harness.aigen.users.add("eve@example.org", PASSWORD, Role.ADMIN)
    results = await asyncio.gather(
        harness.aigen.users.remove(admin.id),
        harness.aigen.users.remove(other.id),
        return_exceptions=True,
    )
    assert results.count(None) == 1
    assert (await harness.aigen.admin.statistics()).users.admins == 1


async def test_a_film_that_comes_when_its_owner_has_gone_is_deleted(
    harness: Harness, ann: User
) -> None:
    await submitted(harness, ann)
    claim = await accepted(harness)
    await harness.aigen.users.remove(ann.id)
    assert not await finish(harness, claim, await film_of(harness.media, claim))
    await harness.clock.advance(60)
    assert harness.media.files == {}


async def test_a_text_that_comes_when_its_owner_has_gone_is_kept_nowhere(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    asked = await started(harness, harness.aigen.texts.generate(ann.id, text_request()))
    await harness.aigen.users.remove(ann.id)
    harness.provider.gate.set()
    with pytest.raises(TokenRevoked):
        await asked
    assert (await harness.aigen.admin.statistics()).texts == 0


async def test_pictures_that_come_when_their_owner_has_gone_are_deleted(
    harness: Harness, ann: User
) -> None:
    harness.provider.gate.clear()
    asked = await started(harness, harness.aigen.images.generate(ann.id, image_request()))
    await harness.aigen.users.remove(ann.id)
    harness.provider.gate.set()
    await asyncio.gather(asked, return_exceptions=True)
    assert harness.media.files == {}
    assert (await harness.aigen.admin.statistics()).images == 0


# --- one generation ---------------------------------------------------------------------------


async def test_an_image_goes_with_its_files_and_no_others(harness: Harness, ann: User) -> None:
    images = harness.aigen.images
    gone, kept = [await images.generate(ann.id, image_request()) for _ in range(2)]
    await images.remove(ann.id, gone.id)
    assert list(harness.media.files) == [kept.pictures[0].key]
    with pytest.raises(NotFound):
        await images.get(ann.id, gone.id)
    with pytest.raises(NotFound):
        await images.remove(ann.id, gone.id)


async def test_an_image_removed_while_it_is_made_leaves_no_files(
    harness: Harness, ann: User
) -> None:
    images = harness.aigen.images
    harness.provider.gate.clear()
    once = await images.generate_once(ann.id, image_request(), None, is_deferred=True)
    await harness.clock.settle()
    await images.remove(ann.id, once.value.id)
    harness.provider.gate.set()
    await harness.aigen.background.drain()
    assert harness.media.files == {}
    assert (await images.list(HistoryQuery(user_id=ann.id))).items == ()


@pytest.mark.parametrize("state", [VideoState.COMPLETED, VideoState.FAILED, VideoState.CANCELLED])
async def test_a_finished_job_goes_with_its_files(
    harness: Harness, ann: User, state: VideoState
) -> None:
    job = await in_state(harness, ann, state)
    await harness.aigen.videos.remove(ann.id, job.id)
    assert harness.media.files == {}
    with pytest.raises(NotFound):
        await harness.aigen.videos.get(ann.id, job.id)


@pytest.mark.parametrize("state", [VideoState.QUEUED, VideoState.SUBMITTING, VideoState.PROCESSING])
async def test_an_unfinished_job_must_be_cancelled_before_it_is_removed(
    harness: Harness, ann: User, state: VideoState
) -> None:
    job = await in_state(harness, ann, state)
    with pytest.raises(JobUnfinished):
        await harness.aigen.videos.remove(ann.id, job.id)
    await harness.aigen.videos.cancel(ann.id, job.id)
    await harness.aigen.videos.remove(ann.id, job.id)


async def test_input_pictures_go_with_their_job(harness: Harness, ann: User) -> None:
    job = await harness.aigen.videos.submit(
        ann.id, video_request(image_url=data_url(PNG, "image/png"))
    )
    await harness.aigen.videos.cancel(ann.id, job.id)
    assert len(harness.media.files) == 1
    await harness.aigen.videos.remove(ann.id, job.id)
    assert harness.media.files == {}


async def test_a_text_is_removed_by_its_owner_alone(harness: Harness, ann: User, bob: User) -> None:
    texts = harness.aigen.texts
    text = await texts.generate(ann.id, text_request())
    with pytest.raises(NotFound):
        await texts.remove(bob.id, text.id)
    await texts.remove(ann.id, text.id)
    with pytest.raises(NotFound):
        await texts.get(ann.id, text.id)


# --- files that cannot be deleted now ---------------------------------------------------------


async def test_files_that_cannot_be_deleted_now_are_deleted_later(
    harness: Harness, ann: User
) -> None:
    image = await harness.aigen.images.generate(ann.id, image_request())
    media = StuckMedia()
    media.files = harness.media.files
    files = Files(harness.store, media)
    await harness.store.write(
        lambda records: records.removals.put(MediaRemoval(prefix=image.pictures[0].key))
    )
    await files.carry_out_removals()
    assert list(media.files) == [image.pictures[0].key]
    media.is_stuck = False
    await files.carry_out_removals()
    assert media.files == {}
    assert await harness.store.read(lambda records: records.removals.all()) == ()


async def test_many_who_remove_at_once_delete_each_file_once(harness: Harness, ann: User) -> None:
    asked: list[str] = []

    class Counted(MemoryMedia):
        async def remove(self, prefix: str) -> None:
            asked.append(prefix)
            await asyncio.sleep(0)
            await super().remove(prefix)

    files = Files(harness.store, Counted())

    async def remove(number: int) -> None:
        prefix = f"{ann.id}/{number}/"
        noted = MediaRemoval(prefix=prefix)
        await harness.store.write(lambda records: records.removals.put(noted))
        for _ in range(number):
            await asyncio.sleep(0)  # some come while others are at it
        assert await files.carry_out_removals()
        assert prefix in asked, "what was noted before is done afterwards"

    await asyncio.gather(*map(remove, range(20)))
    assert len(asked) == len(set(asked)) == 20
