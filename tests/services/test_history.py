"""Generations of whatever kind together: as one list, removed in one change, or packed."""

import pytest

from aigen.domain.model.errors import InvalidRequest, JobUnfinished, NotFound
from aigen.domain.model.generations import Generation
from aigen.domain.model.images import ImageStatus
from aigen.domain.model.ledger import Kind
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.users import User
from aigen.domain.model.videos import VideoState, VideoStatus
from aigen.domain.services.history import MOST_AT_ONCE
from aigen.ports.store import HistoryQuery
from aigen.testing import Harness
from aigen.testing.samples import a_job, a_text, an_image, stored
from tests.services.boards import in_state
from tests.services.worlds import TroubledStore, image_request, text_request


async def test_all_kinds_are_one_list_page_by_page(harness: Harness, ann: User, bob: User) -> None:
    mine = [make(ann) for make in (an_image, an_image, a_text, a_job, a_text)]
    await stored(harness.store, *mine, a_text(bob))
    seen: list[Generation] = []
    before = None
    for expected in (2, 2, 1):
        query = HistoryQuery(user_id=ann.id, page=PageRequest(limit=2, before=before))
        page = await harness.aigen.history.list(query)
        assert len(page.items) == expected
        seen += page.items
        before = page.next_before
    assert seen == mine[::-1]
    assert before is None


async def test_a_list_has_the_kinds_and_the_status_that_were_asked_for(
    harness: Harness, ann: User
) -> None:
    text, image, job = mine = (
        a_text(ann),
        an_image(ann, status=ImageStatus.COMPLETED),
        a_job(ann, state=VideoState.COMPLETED),
    )
    await stored(harness.store, *mine, an_image(ann, status=ImageStatus.FAILED))

    async def found(status: VideoStatus | ImageStatus, *kinds: Kind) -> list[Generation]:
        query = HistoryQuery(user_id=ann.id, status=status)
        return list((await harness.aigen.history.list(query, kinds or tuple(Kind))).items)

    for completed in (VideoStatus.COMPLETED, ImageStatus.COMPLETED):
        assert await found(completed) == [job, image, text]
        assert await found(completed, Kind.TEXT, Kind.VIDEO) == [job, text]
    assert await found(VideoStatus.FAILED, Kind.TEXT, Kind.VIDEO) == []
    nothing = await harness.aigen.history.list(HistoryQuery(user_id=ann.id), ())
    assert (nothing.items, nothing.next_before) == ((), None)


async def test_all_go_in_one_change_with_their_files(
    harness: Harness, store: TroubledStore, ann: User
) -> None:
    aigen = harness.aigen
    text = await aigen.texts.generate(ann.id, text_request())
    image, kept = [await aigen.images.generate(ann.id, image_request(n=2)) for _ in range(2)]
    job = await in_state(harness, ann, VideoState.COMPLETED)
    before = store.writes
    removed = await aigen.history.remove(ann.id, [job.id, image.id, text.id])
    assert (removed.deleted, removed.kept) == ((job.id, image.id, text.id), {})
    assert store.writes == before + 2, "one for them, one for the notes of their files"
    assert set(harness.media.files) == {file.key for file in kept.files}
    assert await store.read(lambda records: records.provider_jobs.get(f"job-of-{job.id}")) is None


async def test_what_cannot_go_stays_and_keeps_nothing_else(
    harness: Harness, ann: User, bob: User
) -> None:
    unfinished = await in_state(harness, ann, VideoState.PROCESSING)
    bobs = await harness.aigen.texts.generate(bob.id, text_request())
    anns = await harness.aigen.texts.generate(ann.id, text_request())
    removed = await harness.aigen.history.remove(
        ann.id, [unfinished.id, bobs.id, "no id", anns.id, anns.id]
    )
    assert removed.deleted == (anns.id,)
    assert {kept: type(error) for kept, error in removed.kept.items()} == {
        unfinished.id: JobUnfinished,
        bobs.id: NotFound,
        "no id": NotFound,
    }
    assert (await harness.aigen.videos.get(ann.id, unfinished.id)).id == unfinished.id
    assert (await harness.aigen.texts.get(bob.id, bobs.id)).id == bobs.id


async def test_a_bundle_has_what_was_made_and_not_what_it_was_made_from(
    harness: Harness, ann: User, bob: User
) -> None:
    aigen = harness.aigen
    image = await aigen.images.generate(ann.id, image_request(n=2))
    text = await aigen.texts.generate(ann.id, text_request())
    cancelled = await in_state(harness, ann, VideoState.CANCELLED)
    bobs = await aigen.texts.generate(bob.id, text_request())
    bundle = await aigen.history.bundle(ann.id, [image.id, cancelled.id, bobs.id, text.id])
    assert [file.content for file in bundle.files] == [text, *image.pictures]
    assert bundle.unknown == (bobs.id,)
    with pytest.raises(NotFound):
        await aigen.history.bundle(ann.id, [cancelled.id])


async def test_there_is_a_limit_to_how_many(harness: Harness, ann: User) -> None:
    texts = [a_text(ann) for _ in range(MOST_AT_ONCE + 1)]
    await stored(harness.store, *texts)
    ids = [text.id for text in texts]
    for wrong in (ids, []):
        with pytest.raises(InvalidRequest):
            await harness.aigen.history.remove(ann.id, wrong)
        with pytest.raises(InvalidRequest):
            await harness.aigen.history.bundle(ann.id, wrong)
    await harness.aigen.history.remove(ann.id, ids[1:])
    left = await harness.aigen.texts.list(HistoryQuery(user_id=ann.id))
    assert [text.id for text in left.items] == ids[:1]
