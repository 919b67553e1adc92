"""What every store must know of what has been kept long enough; the fixture `store` is an open,
empty one."""

from datetime import timedelta

from attrs import evolve

from aigen.domain.model.images import ImageStatus
from aigen.domain.model.media import InputImage
from aigen.domain.model.retention import Expired, Pruned, RetentionPolicy
from aigen.domain.model.videos import VideoError, VideoState
from aigen.ports.store import Records, Store
from aigen.testing.samples import NOW, a_file, a_job, a_text, a_user, an_image, stored

_DAY = timedelta(days=1)
_LONG_AGO = NOW - 100 * _DAY
_A_WEEK = RetentionPolicy(days=7)


async def _expired(store: Store, policy: RetentionPolicy, limit: int = 100) -> list[str]:
    expiry = policy.at(NOW)
    return list(await store.read(lambda records: records.expired(expiry, limit)))


async def _by_user(store: Store, policy: RetentionPolicy) -> list[Expired]:
    expiry = policy.at(NOW)
    return list(await store.read(lambda records: records.expired_by_user(expiry)))


async def test_what_is_too_old_goes_the_oldest_first(store: Store) -> None:
    ann, bob = a_user(), a_user()
    old = [
        make(user, created_at=NOW - age)
        for user, make, age in (
            (ann, a_text, 9 * _DAY),
            (bob, an_image, 8 * _DAY),
            (ann, an_image, 7 * _DAY + timedelta(microseconds=1)),
        )
    ]
    film = a_job(bob, created_at=_LONG_AGO, state=VideoState.CANCELLED)
    kept = [make(ann, created_at=NOW - 7 * _DAY) for make in (a_text, an_image)]
    await stored(store, ann, bob, *old, film, *kept)
    ids = [*(value.id for value in old), film.id]
    assert await _expired(store, _A_WEEK) == ids
    assert await _expired(store, _A_WEEK, limit=2) == ids[:2]
    assert await _expired(store, RetentionPolicy(days=101)) == []
    assert await _expired(store, RetentionPolicy()) == []


async def test_what_goes_is_counted_for_each_user_whoever_has_most_first(store: Store) -> None:
    ann, bob = a_user(), a_user()
    film = a_file(size=2**40)
    await stored(
        store,
        ann,
        bob,
        a_text(ann, created_at=_LONG_AGO),
        an_image(ann, created_at=_LONG_AGO, input_image=InputImage(stored=a_file(size=2))),
        an_image(ann, created_at=NOW),
        a_job(bob, created_at=_LONG_AGO, state=VideoState.COMPLETED, media=film),
        a_text(a_user(), created_at=NOW),
    )
    assert await _by_user(store, _A_WEEK) == [
        Expired(user_id=bob.id, email=bob.email, pruned=Pruned(videos=1, files=1, bytes=film.size)),
        Expired(
            user_id=ann.id,
            email=ann.email,
            pruned=Pruned(texts=1, images=1, files=3, bytes=2 * a_file().size + 2),
        ),
    ]


async def test_what_is_being_made_or_not_settled_stays(store: Store) -> None:
    user = a_user()
    unfinished = [
        a_job(user, created_at=_LONG_AGO, state=state)
        for state in (VideoState.QUEUED, VideoState.SUBMITTING, VideoState.PROCESSING)
    ]
    unknown = a_job(
        user,
        created_at=_LONG_AGO,
        state=VideoState.FAILED,
        error_code=VideoError.SUBMISSION_OUTCOME_UNKNOWN,
    )
    image = an_image(user, created_at=_LONG_AGO, status=ImageStatus.PROCESSING)
    failed = a_job(
        user, created_at=_LONG_AGO, state=VideoState.FAILED, error_code=VideoError.DEADLINE
    )
    await stored(store, *unfinished, unknown, image, failed)
    policy = RetentionPolicy(days=1, bytes_per_user=1)
    assert await _expired(store, policy) == [failed.id]


async def test_the_days_of_a_video_begin_when_it_is_finished(store: Store) -> None:
    user = a_user()
    ends = (NOW - 8 * _DAY, NOW - 6 * _DAY)
    old, new = (
        a_job(user, created_at=_LONG_AGO, state=VideoState.COMPLETED, finished_at=end)
        for end in ends
    )
    await stored(store, old, new)
    assert await _expired(store, _A_WEEK) == [old.id]


async def test_of_each_user_the_newest_files_that_fit_are_kept(store: Store) -> None:
    ann, bob = a_user(), a_user()

    def picture(size: int) -> dict[str, object]:
        return {"created_at": _LONG_AGO, "pictures": (a_file(size=size),)}

    first, second, text = an_image(ann, **picture(1)), an_image(ann, **picture(50)), a_text(ann)
    third = a_job(ann, created_at=_LONG_AGO, state=VideoState.COMPLETED, media=a_file(size=50))
    failed = an_image(ann, status=ImageStatus.FAILED, created_at=_LONG_AGO, pictures=())
    fourth, bobs = an_image(ann, **picture(50)), an_image(bob, **picture(100))
    await stored(store, first, second, text, third, failed, fourth, bobs)
    assert await _expired(store, RetentionPolicy(bytes_per_user=100)) == [first.id, second.id]
    assert await _expired(store, RetentionPolicy(bytes_per_user=99)) == [
        first.id,
        second.id,
        third.id,
        bobs.id,
    ]
    assert await _expired(store, RetentionPolicy(bytes_per_user=151)) == []


async def test_what_is_surplus_is_spared_for_a_day(store: Store) -> None:
    user = a_user()
    images = [an_image(user, created_at=NOW - age) for age in (_DAY, 2 * _DAY)]
    await stored(store, *images)
    policy = RetentionPolicy(bytes_per_user=1)
    assert await _expired(store, policy) == [images[1].id]


async def test_what_is_too_old_and_surplus_goes_once(store: Store) -> None:
    user = a_user()
    image = an_image(user, created_at=_LONG_AGO)
    await stored(store, user, image)
    policy = RetentionPolicy(days=7, bytes_per_user=1)
    assert await _expired(store, policy) == [image.id]
    (line,) = await _by_user(store, policy)
    assert line.pruned == Pruned.of(image)


async def test_files_that_come_and_go_later_are_counted_too(store: Store) -> None:
    user = a_user()
    job = a_job(user, created_at=_LONG_AGO, first_frame=InputImage(stored=a_file(size=5)))
    image = an_image(user, created_at=_LONG_AGO, status=ImageStatus.PROCESSING, pictures=())
    await stored(store, user, job, image)

    def finish(records: Records) -> None:
        for found in records.videos.get_many([job.id]):
            records.videos.put(evolve(found, state=VideoState.COMPLETED, media=a_file(size=7)))
        for made in records.images.get_many([image.id]):
            pictures = (a_file(size=11),)
            records.images.put(evolve(made, status=ImageStatus.COMPLETED, pictures=pictures))

    await store.write(finish)
    (line,) = await _by_user(store, _A_WEEK)
    assert line.pruned == Pruned(images=1, videos=1, files=3, bytes=23)
