"""What every store must know of the past; the fixture `store` is an open, empty one."""

from datetime import timedelta

from attrs import evolve

from aigen.domain.model.images import ImageStatus
from aigen.domain.model.media import MediaRemoval
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.videos import (
    Unsettled,
    VideoError,
    VideoState,
    VideoStatus,
)
from aigen.ports.store import HistoryQuery, Records, Store, WorkerLease
from aigen.testing.samples import (
    LATER,
    NOW,
    a_job,
    a_remembered_request,
    a_text,
    a_user,
    an_audit_entry,
    an_image,
    new_id,
    stored,
)


async def test_history_is_ones_own_newest_first_page_by_page(store: Store) -> None:
    user, other = a_user(), a_user()
    texts = [a_text(user) for _ in range(5)]
    await stored(store, *texts, a_text(other))
    seen = []
    before = None
    for expected in (2, 2, 1):
        query = HistoryQuery(user_id=user.id, page=PageRequest(limit=2, before=before))
        page = await store.read(lambda records, query=query: records.texts.page(query))  # type: ignore[misc]
        assert len(page.items) == expected
        seen += page.items
        before = page.next_before
    assert seen == texts[::-1]
    assert before is None


async def test_a_page_that_is_just_full_is_the_last(store: Store) -> None:
    user = a_user()
    await stored(store, an_image(user), an_image(user))
    query = HistoryQuery(user_id=user.id, page=PageRequest(limit=2))
    page = await store.read(lambda records: records.images.page(query))
    assert (len(page.items), page.next_before) == (2, None)


async def test_history_is_searched_by_prompt_model_and_status(store: Store) -> None:
    user = a_user()
    fox = a_job(user, prompt="A FOX runs", model="a")
    owl = a_job(user, prompt="an owl, 100%", model="a", state=VideoState.SUBMITTING)
    bear = a_job(user, prompt="a bear_", model="b", state=VideoState.PROCESSING)
    await stored(store, fox, owl, bear)

    async def found(**criteria: object) -> list[str]:
        query = HistoryQuery(user_id=user.id, **criteria)  # type: ignore[arg-type]
        page = await store.read(lambda records: records.videos.page(query))
        return [job.prompt for job in page.items]

    assert await found(text="fOx") == [fox.prompt]
    assert await found(text="%") == [owl.prompt]
    assert await found(text="_") == [bear.prompt]
    assert await found(text="A") == [bear.prompt, owl.prompt, fox.prompt]
    assert await found(model="a") == [owl.prompt, fox.prompt]
    assert await found(status=VideoStatus.PROCESSING) == [bear.prompt, owl.prompt]
    assert await found(status=VideoStatus.FAILED) == []
    assert await found(status=ImageStatus.PROCESSING) == [bear.prompt, owl.prompt]
    assert await found(text="o", model="a", status=VideoStatus.QUEUED) == [fox.prompt]


async def test_many_are_got_at_once_in_the_order_of_their_keys(store: Store) -> None:
    user = a_user()
    texts = [a_text(user) for _ in range(5)]
    jobs = [a_job(user), a_job(user, state=VideoState.FAILED)]
    requests = [a_remembered_request(user, key=key) for key in ("a", "b")]
    await stored(store, user, *texts, *jobs, *requests)
    ids = [texts[3].id, new_id(), "no id of ours", texts[1].id, texts[3].id]

    def look(records: Records) -> tuple[object, ...]:
        return (
            records.texts.get_many(ids),
            records.texts.get_many([]),
            records.videos.get_many([job.id for job in jobs]),
            records.remembered.get_many([(user.id, "b"), (user.id, "c"), (user.id, "a")]),
        )

    found = ((texts[3], texts[1]), (), tuple(jobs), (requests[1], requests[0]))
    assert await store.read(look) == found
    assert await store.write(look) == found

    def change(records: Records) -> tuple[object, ...]:
        first, gone = records.texts.get_many([texts[0].id, texts[1].id])
        newest = evolve(first, text="newer")
        records.texts.put(newest)
        records.texts.remove(gone.id)
        seen = records.texts.get_many([gone.id, newest.id, texts[2].id])
        for text in records.texts.get_many([text.id for text in texts[2:4]]):
            records.texts.remove(text.id)
        return seen

    assert await store.write(change) == (evolve(texts[0], text="newer"), texts[2])
    left = await store.read(lambda records: records.texts.get_many([text.id for text in texts]))
    assert left == (evolve(texts[0], text="newer"), texts[4])


async def test_history_of_any_kind_is_cut_by_when_it_was_made(store: Store) -> None:
    user, other = a_user(), a_user()
    instants = [NOW + timedelta(microseconds=microseconds) for microseconds in range(4)]
    made = {
        kind: [make(user, created_at=instant) for instant in instants]
        for kind, make in (("texts", a_text), ("images", an_image), ("videos", a_job))
    }
    others = [make(other) for make in (a_text, an_image, a_job)]
    await stored(store, *(value for values in made.values() for value in values), *others)

    async def found(kind: str, **bounds: object) -> list[str]:
        query = HistoryQuery(user_id=user.id, **bounds)  # type: ignore[arg-type]
        page = await store.read(lambda records: getattr(records, kind).page(query))
        return [item.id for item in page.items]

    for kind, values in made.items():
        newest_first = [value.id for value in reversed(values)]
        assert await found(kind, since=instants[1]) == newest_first[:3]
        assert await found(kind, until=instants[1]) == newest_first[3:]
        assert await found(kind, since=instants[1], until=instants[3]) == newest_first[1:3]
        assert await found(kind, since=LATER) == []
        query = {"since": instants[1], "page": PageRequest(limit=2, before=newest_first[0])}
        assert await found(kind, **query) == newest_first[1:3]


async def test_users_are_listed_with_their_jobs(store: Store) -> None:
    ann = a_user(email="Ann@example.org", last_login_at=LATER)
    bob = a_user(email="bob@example.org")
    jobs = [a_job(ann), a_job(ann, state=VideoState.FAILED)]

    def put(records: Records) -> None:
        records.users.put(ann)
        records.users.put(bob)
        for job in jobs:
            records.videos.put(job)

    await store.write(put)
    everybody = await store.read(lambda records: records.users.page(None, PageRequest()))
    assert [(item.user, item.video_jobs) for item in everybody.items] == [(bob, 0), (ann, 2)]
    found = await store.read(lambda records: records.users.page("aNN", PageRequest()))
    assert [item.user.id for item in found.items] == [ann.id]
    nobody = await store.read(lambda records: records.users.page("eve", PageRequest()))
    assert nobody.items == ()


async def test_jobs_that_wait_for_an_administrator_are_listed(store: Store) -> None:
    ann, bob = a_user(), a_user()
    unknown = [
        a_job(user)
        .claimed(worker_id=new_id(), nonce="n", now=NOW)
        .outcome_unknown(reason="cut off", now=NOW)
        for user in (ann, bob)
    ]
    held = a_job(ann, is_held=True)
    failed = a_job(ann, state=VideoState.FAILED, error_code=VideoError.DEADLINE)
    await stored(store, *unknown, held, failed)
    kinds = {
        kind: await store.read(
            lambda records, kind=kind: records.videos.page_unsettled(kind, PageRequest())  # type: ignore[misc]
        )
        for kind in Unsettled
    }
    assert kinds[Unsettled.OUTCOME_UNKNOWN].items == tuple(unknown[::-1])
    assert kinds[Unsettled.HELD].items == (held,)
    assert await store.read(lambda records: records.videos.count_unknown()) == 2


async def test_jobs_are_counted_by_public_status(store: Store) -> None:
    user = a_user()
    jobs = [a_job(user, state=state) for state in (*VideoState, VideoState.QUEUED)]
    await stored(store, *jobs)
    counts = await store.read(lambda records: records.videos.count_by_status())
    assert counts == {
        VideoStatus.QUEUED: 2,
        VideoStatus.PROCESSING: 2,
        VideoStatus.COMPLETED: 1,
        VideoStatus.FAILED: 1,
        VideoStatus.CANCELLED: 1,
    }


async def test_the_audit_log_is_read_newest_first(store: Store) -> None:
    entries = [an_audit_entry(address="::1", actor_id=new_id()) for _ in range(3)]
    for entry in entries:
        await store.write(lambda records, entry=entry: records.audit.append(entry))  # type: ignore[misc]
    page = await store.read(lambda records: records.audit.page(PageRequest(limit=2)))
    assert page.items == tuple(entries[:0:-1])
    rest = PageRequest(limit=2, before=page.next_before)
    assert (await store.read(lambda records: records.audit.page(rest))).items == (entries[0],)


async def test_removals_and_leases_are_listed_until_they_are_done(store: Store) -> None:
    removals = [MediaRemoval(prefix="a/"), MediaRemoval(prefix="b/")]
    leases = [WorkerLease(worker_id=new_id(), expires_at=LATER, is_inside=i > 0) for i in range(2)]

    def put(records: Records) -> None:
        for removal in removals:
            records.removals.put(removal)
        for lease in leases:
            records.workers.put(lease)

    await store.write(put)

    def done(records: Records) -> None:
        records.removals.remove("a/")
        records.workers.remove(leases[0].worker_id)

    await store.write(done)
    assert await store.read(lambda records: records.removals.all()) == (removals[1],)
    assert await store.read(lambda records: records.workers.all()) == (leases[1],)
