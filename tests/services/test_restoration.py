"""After a restore: tokens that were revoked later are dead, jobs that may be paid for wait."""

import pytest

from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.audit import Action
from aigen.domain.model.errors import NotHeld, ResetTokenInvalid, TokenRevoked
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoError, VideoState, VideoStatus
from aigen.domain.services.restoration import make_safe
from aigen.testing import Harness
from tests.services.boards import (
    accepted,
    claimed,
    claims,
    enlisted,
    finish,
    in_state,
    now_of,
    submitted,
)
from tests.services.workers import ended, running
from tests.services.worlds import DAY, HOUR, OTHER_PASSWORD, PASSWORD, audited, leap


async def restored(harness: Harness) -> int:
    """As after a restore; how many jobs are held."""
    return await make_safe(harness.store, harness.clock, SystemIds())


async def test_a_restore_ends_all_sessions_and_reset_links(harness: Harness, ann: User) -> None:
    sessions = harness.aigen.sessions
    tokens = await sessions.login("ann@example.org", PASSWORD)
    link = await harness.aigen.users.make_reset_link(ann.id)
    await restored(harness)
    for use in (sessions.authenticate(tokens.access_token), sessions.refresh(tokens.refresh_token)):
        with pytest.raises(TokenRevoked):
            await use
    with pytest.raises(ResetTokenInvalid):
        await harness.aigen.users.reset_password(link.secret, OTHER_PASSWORD)
    await sessions.login("ann@example.org", PASSWORD)
    (entry,) = await audited(harness, Action.RESTORED)
    assert entry.details == {"held": "0"}


async def test_a_held_job_goes_on_when_it_is_released(
    harness: Harness, admin: User, ann: User
) -> None:
    job = await submitted(harness, ann)
    assert await restored(harness) == 1
    held = await now_of(harness, job)
    assert (held.status, held.shown_error_code) == (
        VideoStatus.QUEUED,
        VideoError.HELD_AFTER_RESTORE,
    )
    async with running(harness):
        await leap(harness, DAY)  # long past its deadline: it waits all the same
        assert harness.provider.submissions == []
        released = await harness.aigen.admin.release(job.id, actor_id=admin.id, address="::1")
        assert released.deadline_at == harness.clock.now() + 2 * HOUR
        await harness.clock.settle()
        assert len(harness.provider.submissions) == 1
        assert (await ended(harness, job)).status is VideoStatus.COMPLETED
    (entry,) = await audited(harness, Action.SUBMISSION_RESOLVED)
    assert (entry.actor_id, entry.target_id, entry.details) == (
        admin.id,
        job.id,
        {"how": "released"},
    )


@pytest.mark.parametrize("state", VideoState)
async def test_only_a_held_job_is_released(harness: Harness, ann: User, state: VideoState) -> None:
    job = await in_state(harness, ann, state)
    with pytest.raises(NotHeld):
        await harness.aigen.admin.release(job.id)


async def test_a_held_job_can_be_cancelled(harness: Harness, ann: User) -> None:
    job = await submitted(harness, ann)
    await restored(harness)
    cancelled = await harness.aigen.videos.cancel(ann.id, job.id)
    assert (cancelled.status, cancelled.may_be_charged) == (VideoStatus.CANCELLED, False)
    with pytest.raises(NotHeld):
        await harness.aigen.admin.release(job.id)


async def test_a_restore_holds_only_what_was_not_submitted(harness: Harness, ann: User) -> None:
    polled = await submitted(harness, ann)
    claim = await accepted(harness)
    sent = await submitted(harness, ann)
    await claimed(harness)
    waiting = await submitted(harness, ann)
    assert await restored(harness) == 1
    states = [(await now_of(harness, job)).is_held for job in (polled, sent, waiting)]
    assert states == [False, False, True]
    assert await claims(harness, await enlisted(harness)) == ()
    assert await finish(harness, claim)
