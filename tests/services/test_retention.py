"""What has been kept long enough goes with its files; nothing else does, and costs stay."""

from collections.abc import AsyncIterator
from decimal import Decimal
from typing import Any

import pytest
from attrs import evolve

from aigen.domain.model.audit import Action
from aigen.domain.model.errors import InvalidRequest, NotFound
from aigen.domain.model.ledger import Grouping
from aigen.domain.model.retention import Pruned, RetentionPolicy
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoJob, VideoState
from aigen.domain.services.files import Files
from aigen.domain.services.retention import Retention
from aigen.ports.store import HistoryQuery, Records
from aigen.testing import PNG, Harness, bare_settings
from aigen.testing.samples import a_text, stored
from tests.services.boards import in_state
from tests.services.bounds import opened
from tests.services.worlds import (
    DAY,
    HOUR,
    MINUTE,
    SECOND,
    StuckMedia,
    a_key,
    audited,
    image_request,
    leap,
    text_request,
)

A_WEEK = RetentionPolicy(days=7)


async def ids_of(harness: Harness, user: User) -> set[str]:
    """All that a user still has."""
    query = HistoryQuery(user_id=user.id)
    aigen = harness.aigen
    pages = (await aigen.texts.list(query), await aigen.images.list(query))
    jobs = await aigen.videos.list(query)
    return {found.id for page in (*pages, jobs) for found in page.items}


async def make_one_of_each(harness: Harness, user: User) -> tuple[Any, ...]:
    return (
        await harness.aigen.texts.generate(user.id, text_request()),
        await harness.aigen.images.generate(user.id, image_request(n=2)),
        await in_state(harness, user, VideoState.COMPLETED),
    )


async def test_what_is_older_than_its_days_goes_with_its_files(
    harness: Harness, ann: User, bob: User
) -> None:
    old = await make_one_of_each(harness, ann)
    await leap(harness, 7 * DAY)
    new = await make_one_of_each(harness, bob)
    assert await harness.aigen.retention.prune(A_WEEK) == Pruned()
    await leap(harness, SECOND)
    pruned = await harness.aigen.retention.prune(A_WEEK)
    files = [file for generation in old for file in generation.files]
    assert pruned == Pruned(
        texts=1, images=1, videos=1, files=3, bytes=sum(file.size for file in files)
    )
    assert await ids_of(harness, ann) == set()
    assert await ids_of(harness, bob) == {generation.id for generation in new}
    assert set(harness.media.files) == {file.key for each in new for file in each.files}
    assert await harness.store.read(lambda records: records.removals.all()) == ()


async def test_a_preview_says_exactly_what_goes_and_touches_nothing(
    harness: Harness, ann: User, bob: User
) -> None:
    for user in (ann, bob):
        await make_one_of_each(harness, user)
    await in_state(harness, bob, VideoState.CANCELLED)
    await leap(harness, 8 * DAY)
    kept = await ids_of(harness, ann) | await ids_of(harness, bob)
    files = dict(harness.media.files)
    preview = await harness.aigen.retention.preview(A_WEEK)
    assert {(line.user_id, line.email) for line in preview} == {
        (user.id, user.email) for user in (ann, bob)
    }
    assert await ids_of(harness, ann) | await ids_of(harness, bob) == kept
    assert harness.media.files == files
    total = sum((line.pruned for line in preview), Pruned())
    assert await harness.aigen.retention.prune(A_WEEK) == total
    assert await harness.aigen.retention.preview(A_WEEK) == ()


async def test_of_each_user_the_newest_bytes_are_kept(harness: Harness, ann: User) -> None:
    images = [await harness.aigen.images.generate(ann.id, image_request()) for _ in range(4)]
    text = await harness.aigen.texts.generate(ann.id, text_request())
    await leap(harness, DAY + SECOND)
    await harness.aigen.retention.prune(RetentionPolicy(bytes_per_user=2 * len(PNG) + 1))
    assert await ids_of(harness, ann) == {images[2].id, images[3].id, text.id}


async def test_whoever_paid_has_a_day_to_fetch_it_and_to_repeat_the_request(
    harness: Harness, ann: User
) -> None:
    policy = RetentionPolicy(bytes_per_user=1)
    once = await harness.aigen.images.generate_once(ann.id, image_request(), a_key())
    await leap(harness, DAY)
    assert await harness.aigen.retention.prune(policy) == Pruned()
    again = await harness.aigen.images.get(ann.id, once.value.id)
    assert again == once.value
    await leap(harness, SECOND)
    assert (await harness.aigen.retention.prune(policy)).images == 1


@pytest.mark.parametrize("state", [VideoState.QUEUED, VideoState.SUBMITTING, VideoState.PROCESSING])
async def test_a_video_that_is_not_finished_stays_however_old(
    harness: Harness, ann: User, state: VideoState
) -> None:
    job = await in_state(harness, ann, state)
    await leap(harness, 1000 * DAY)
    assert await harness.aigen.retention.prune(A_WEEK) == Pruned()
    assert (await harness.aigen.videos.get(ann.id, job.id)).id == job.id


async def test_a_submission_of_which_nobody_knows_stays_until_it_is_settled(
    harness: Harness, ann: User
) -> None:
    job = await in_state(harness, ann, VideoState.SUBMITTING)
    unknown = job.outcome_unknown(reason="cut off", now=harness.clock.now())
    await replace(harness, unknown)
    await leap(harness, 1000 * DAY)
    assert await harness.aigen.retention.prune(A_WEEK) == Pruned()
    await harness.aigen.admin.close(job.id, was_charged=False)
    assert (await harness.aigen.retention.prune(A_WEEK)).videos == 1


async def replace(harness: Harness, job: VideoJob) -> None:
    def change(records: Records) -> None:
        assert records.videos.get(job.id) is not None
        records.videos.put(job)

    await harness.store.write(change)


async def test_costs_stay(harness: Harness, ann: User) -> None:
    await make_one_of_each(harness, ann)
    await harness.aigen.background.drain()
    before = await harness.aigen.money.report(Grouping.USER)
    assert before[0].cost_usd > Decimal(0)
    await leap(harness, 8 * DAY)
    await harness.aigen.retention.prune(A_WEEK)
    assert await harness.aigen.money.report(Grouping.USER) == before


async def test_the_id_that_the_provider_gave_a_job_is_free_again(
    harness: Harness, ann: User
) -> None:
    job = await in_state(harness, ann, VideoState.COMPLETED)
    await leap(harness, 8 * DAY)
    await harness.aigen.retention.prune(A_WEEK)
    provider_id = job.provider_job_id or ""
    taken = await harness.store.read(lambda records: records.provider_jobs.get(provider_id))
    assert taken is None


async def test_however_much_it_is_it_goes_in_many_changes_and_is_audited(
    harness: Harness, ann: User
) -> None:
    long_ago = harness.clock.now() - 100 * DAY
    texts = [a_text(ann, created_at=long_ago) for _ in range(450)]
    await stored(harness.store, *texts)
    assert (await harness.aigen.retention.prune(A_WEEK, most=300)).texts == 400
    assert (await harness.aigen.retention.prune(A_WEEK)).texts == 50
    entries = await audited(harness, Action.HISTORY_PRUNED)
    assert [entry.details["texts"] for entry in entries] == ["50", "200", "200"]
    assert entries[0].details == {
        "days": "7",
        "texts": "50",
        "images": "0",
        "videos": "0",
        "files": "0",
        "bytes": "0",
    }
    assert (entries[0].actor_id, entries[0].target_id) == (None, None)


async def test_nothing_is_audited_when_nothing_goes(harness: Harness, ann: User) -> None:
    await make_one_of_each(harness, ann)
    await harness.aigen.retention.prune(A_WEEK)
    assert await audited(harness, Action.HISTORY_PRUNED) == []


async def test_while_files_cannot_be_deleted_no_more_goes(harness: Harness, ann: User) -> None:
    media = StuckMedia()
    aigen = harness.aigen
    retention = Retention(
        harness.store, Files(harness.store, media), harness.clock, aigen.work._ids, A_WEEK
    )
    images = [await aigen.images.generate(ann.id, image_request()) for _ in range(250)]
    media.files = harness.media.files
    await leap(harness, 8 * DAY)
    assert (await retention.prune()).images == 200
    noted = await harness.store.read(lambda records: records.removals.all())
    assert len(noted) == 200, "no row without its files, no file without a note"
    media.is_stuck = False
    assert (await retention.prune()).images == 50
    assert media.files == {}
    with pytest.raises(NotFound):
        await aigen.images.get(ann.id, images[0].id)


# --- as the installation is set ---------------------------------------------------------------


@pytest.fixture
async def keeping_a_week() -> AsyncIterator[Harness]:
    async with opened(bare_settings(retention_days=7)) as harness:
        yield harness


async def test_housekeeping_carries_it_out_every_hour(keeping_a_week: Harness) -> None:
    harness = keeping_a_week
    ann = await harness.user()
    await make_one_of_each(harness, ann)
    await leap(harness, 7 * DAY)
    assert len(await ids_of(harness, ann)) == 3
    await harness.clock.advance(HOUR + HOUR)
    assert await ids_of(harness, ann) == set()
    assert harness.media.files == {}


async def test_a_great_deal_goes_little_by_little(keeping_a_week: Harness) -> None:
    harness = keeping_a_week
    ann = await harness.user()
    await harness.clock.advance(MINUTE)
    long_ago = harness.clock.now() - 100 * DAY
    await stored(harness.store, *(a_text(ann, created_at=long_ago) for _ in range(5100)))
    await harness.clock.advance(HOUR - MINUTE)
    assert (await harness.aigen.admin.statistics()).texts == 100
    await harness.clock.advance(MINUTE)
    assert (await harness.aigen.admin.statistics()).texts == 0


async def test_by_default_everything_is_kept_for_ever(harness: Harness, ann: User) -> None:
    await make_one_of_each(harness, ann)
    await leap(harness, 10_000 * DAY)
    await harness.clock.advance(HOUR + HOUR)
    assert len(await ids_of(harness, ann)) == 3
    assert await harness.aigen.retention.preview() == ()
    assert await harness.aigen.retention.prune() == Pruned()


@pytest.mark.parametrize("days", [0, -1, 10**9])
def test_a_policy_that_makes_no_sense_is_refused(days: int) -> None:
    with pytest.raises(InvalidRequest):
        RetentionPolicy(days=days)
    with pytest.raises(InvalidRequest):
        RetentionPolicy(bytes_per_user=min(days, 0))


async def test_a_job_that_went_on_meanwhile_is_not_removed(harness: Harness, ann: User) -> None:
    """Between being found and being removed, a submission may turn out to have been accepted."""
    job = await in_state(harness, ann, VideoState.FAILED)
    await leap(harness, 8 * DAY)
    retention = harness.aigen.retention
    await replace(harness, evolve(job, state=VideoState.PROCESSING, finished_at=None))
    pruned = await harness.store.write(
        lambda records: retention._remove(records, (job.id,), A_WEEK)
    )
    assert pruned == Pruned()
    assert (await harness.aigen.videos.get(ann.id, job.id)).state is VideoState.PROCESSING
