"""What an administrator sees, and how an unknown submission is settled in all its ways."""

from decimal import Decimal

import pytest

from aigen.adapters.system_clock import SystemIds
from aigen.domain.model.audit import Action
from aigen.domain.model.errors import InvalidRequest, NotFound, NotUnknown
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.users import User
from aigen.domain.model.videos import Unsettled, VideoError, VideoJob, VideoState, VideoStatus
from aigen.domain.services.restoration import make_safe
from aigen.ports.provider import Unknown
from aigen.testing import Harness
from tests.services.boards import (
    answer,
    claimed,
    in_state,
    now_of,
    submitted,
)
from tests.services.workers import ended, running
from tests.services.worlds import (
    DAY,
    HOUR,
    PASSWORD,
    actions,
    audited,
    image_request,
    leap,
    text_request,
)

NOTHING = Decimal(0)


@pytest.fixture
async def unknown(harness: Harness, ann: User) -> VideoJob:
    """A job of which nobody knows whether the provider took it."""
    job = await submitted(harness, ann)
    await answer(harness, await claimed(harness), Unknown(reason="cut off"))
    return await now_of(harness, job)


async def held_by_restore(harness: Harness) -> int:
    return await make_safe(harness.store, harness.clock, SystemIds())


async def unsettled(harness: Harness, kind: Unsettled) -> list[VideoJob]:
    page = await harness.aigen.admin.unsettled(kind, PageRequest())
    return [found.job for found in page.items]


# --- numbers ----------------------------------------------------------------------------------


async def test_an_empty_installation_counts_nothing(harness: Harness) -> None:
    found = await harness.aigen.admin.statistics()
    assert (found.users.total, found.users.admins, found.texts, found.images) == (0, 0, 0, 0)
    assert (found.tokens.active, found.tokens.revoked, found.tokens.expired) == (0, 0, 0)
    assert found.videos == dict.fromkeys(VideoStatus, 0)
    assert (found.spend.day, found.spend.month, found.spend.total) == (NOTHING,) * 3


async def test_everything_is_counted(
    harness: Harness, admin: User, ann: User, unknown: VideoJob
) -> None:
    for state in VideoState:
        if state is not VideoState.QUEUED:
            await in_state(harness, ann, state)
    await submitted(harness, ann)
    await harness.aigen.texts.generate(ann.id, text_request())
    await harness.aigen.images.generate(ann.id, image_request(n=3))
    found = await harness.aigen.admin.statistics()
    assert (found.users.total, found.users.admins) == (2, 1)
    assert (found.texts, found.images) == (1, 1)
    assert found.videos == {
        VideoStatus.QUEUED: 1,
        VideoStatus.PROCESSING: 2,
        VideoStatus.COMPLETED: 1,
        VideoStatus.FAILED: 2,
        VideoStatus.CANCELLED: 1,
    }
    assert found.outcome_unknown == 1


async def test_tokens_are_active_revoked_or_expired(harness: Harness, ann: User) -> None:
    sessions = harness.aigen.sessions
    for _ in range(2):
        await sessions.login("ann@example.org", PASSWORD)
    rotated = await sessions.login("ann@example.org", PASSWORD)
    await sessions.refresh(rotated.refresh_token)
    left = await sessions.login("ann@example.org", PASSWORD)
    await sessions.logout(left.refresh_token)
    found = (await harness.aigen.admin.statistics()).tokens
    assert (found.active, found.revoked, found.expired) == (3, 2, 0)
    harness.clock.set(harness.clock.now() + 14 * DAY)
    found = (await harness.aigen.admin.statistics()).tokens
    assert (found.active, found.revoked, found.expired) == (0, 0, 5)


async def test_spending_is_counted_by_day_month_and_ever(harness: Harness, ann: User) -> None:
    """The fake's text costs 0.00001, its image 0.04, and the clock begins with the year."""
    await harness.aigen.images.generate(ann.id, image_request())
    await leap(harness, DAY)
    await harness.aigen.texts.generate(ann.id, text_request())
    spend = (await harness.aigen.admin.statistics()).spend
    assert (spend.day, spend.month) == (Decimal("0.00001"), Decimal("0.04001"))
    await leap(harness, 31 * DAY)
    spend = (await harness.aigen.admin.statistics()).spend
    assert (spend.day, spend.month, spend.total) == (NOTHING, NOTHING, Decimal("0.04001"))


async def test_the_audit_log_is_read_newest_first_page_by_page(
    harness: Harness, admin: User, ann: User
) -> None:
    await harness.aigen.sessions.login("ann@example.org", PASSWORD)
    assert await actions(harness) == [Action.USER_ADDED, Action.USER_ADDED, Action.LOGIN]
    first = await harness.aigen.admin.audit(PageRequest(limit=2))
    rest = await harness.aigen.admin.audit(PageRequest(limit=2, before=first.next_before))
    assert [entry.action for entry in first.items] == [Action.LOGIN, Action.USER_ADDED]
    assert [entry.target_id for entry in rest.items] == [admin.id]
    assert rest.next_before is None


# --- settling ---------------------------------------------------------------------------------


async def test_jobs_that_wait_for_an_administrator_are_listed(
    harness: Harness, ann: User, bob: User, unknown: VideoJob
) -> None:
    await in_state(harness, bob, VideoState.FAILED)
    waiting = await submitted(harness, bob)
    await held_by_restore(harness)
    assert await unsettled(harness, Unsettled.OUTCOME_UNKNOWN) == [unknown]
    assert [job.id for job in await unsettled(harness, Unsettled.HELD)] == [waiting.id]


async def test_an_adopted_job_is_polled_and_done(
    harness: Harness, admin: User, unknown: VideoJob
) -> None:
    async with running(harness):
        await leap(harness, DAY)
        adopted = await harness.aigen.admin.adopt(
            unknown.id, "found-1", actor_id=admin.id, address="::1"
        )
        assert (adopted.state, adopted.provider_job_id) == (VideoState.PROCESSING, "found-1")
        assert adopted.deadline_at == harness.clock.now() + 2 * HOUR
        await harness.clock.settle()  # at once, not at the next sweep
        assert harness.provider.polled == ["found-1"]
        assert (await ended(harness, unknown)).status is VideoStatus.COMPLETED
    assert harness.provider.submissions == []
    (entry,) = await audited(harness, Action.SUBMISSION_RESOLVED)
    assert (entry.actor_id, entry.target_id, entry.address) == (admin.id, unknown.id, "::1")
    assert entry.details == {"how": "adopted"}
    assert await unsettled(harness, Unsettled.OUTCOME_UNKNOWN) == []


@pytest.mark.parametrize("state", [VideoState.PROCESSING, VideoState.COMPLETED])
async def test_an_id_that_another_job_has_is_not_adopted(
    harness: Harness, bob: User, unknown: VideoJob, state: VideoState
) -> None:
    other = await in_state(harness, bob, state)
    with pytest.raises(InvalidRequest) as refused:
        await harness.aigen.admin.adopt(unknown.id, other.provider_job_id or "")
    assert refused.value.field == "provider_job_id"
    assert await now_of(harness, unknown) == unknown


@pytest.mark.parametrize("provider_job_id", ["", "  ", "x" * 201, "a\0b", "\ud800"])
async def test_an_id_must_be_one(harness: Harness, unknown: VideoJob, provider_job_id: str) -> None:
    with pytest.raises(InvalidRequest) as refused:
        await harness.aigen.admin.adopt(unknown.id, provider_job_id)
    assert refused.value.field == "provider_job_id"


@pytest.mark.parametrize(
    ("was_charged", "how", "cost_usd"),
    [(True, "charged", None), (False, "not charged", NOTHING)],
)
async def test_a_closed_job_stays_failed_and_says_what_it_cost(
    harness: Harness, admin: User, unknown: VideoJob, was_charged: bool, how: str, cost_usd: object
) -> None:
    closed = await harness.aigen.admin.close(
        unknown.id, was_charged=was_charged, actor_id=admin.id, address="::1"
    )
    assert closed == await now_of(harness, unknown)
    assert (closed.state, closed.error_code) == (VideoState.FAILED, VideoError.SUBMISSION_SETTLED)
    assert (closed.may_be_charged, closed.cost_usd) == (was_charged, cost_usd)
    (entry,) = await audited(harness, Action.SUBMISSION_RESOLVED)
    assert (entry.actor_id, entry.details) == (admin.id, {"how": how})
    assert (await harness.aigen.admin.statistics()).outcome_unknown == 0


@pytest.mark.parametrize("state", VideoState)
async def test_only_an_unknown_submission_is_settled(
    harness: Harness, ann: User, state: VideoState
) -> None:
    job = await in_state(harness, ann, state)
    admin = harness.aigen.admin
    for settle in (admin.close(job.id, was_charged=False), admin.adopt(job.id, "found-1")):
        with pytest.raises(NotUnknown):
            await settle
    assert await now_of(harness, job) == job
    assert await audited(harness, Action.SUBMISSION_RESOLVED) == []


async def test_what_was_settled_is_not_settled_again(harness: Harness, unknown: VideoJob) -> None:
    await harness.aigen.admin.close(unknown.id, was_charged=False)
    with pytest.raises(NotUnknown):
        await harness.aigen.admin.close(unknown.id, was_charged=True)


async def test_nothing_is_settled_that_is_not_there(harness: Harness) -> None:
    admin = harness.aigen.admin
    for settle in (
        admin.close("nothing", was_charged=True),
        admin.adopt("nothing", "found-1"),
        admin.release("nothing"),
    ):
        with pytest.raises(NotFound):
            await settle


async def test_a_failed_job_that_was_settled_can_be_tried_again(
    harness: Harness, ann: User, unknown: VideoJob
) -> None:
    await harness.aigen.admin.close(unknown.id, was_charged=False)
    retry = (await harness.aigen.videos.retry(ann.id, unknown.id)).value
    assert retry.retry_of == unknown.id
