"""What every store must do; the fixture `store` is an open, empty one."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from aigen.domain.model.idempotency import Attempt
from aigen.domain.model.images import ImageStatus
from aigen.domain.model.media import InputImage, MediaRemoval
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.statistics import SpendSince
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import ResetLink, Role
from aigen.domain.model.videos import (
    ProviderJob,
    Unsettled,
    VideoError,
    VideoState,
    VideoStatus,
)
from aigen.ports.store import HistoryQuery, Records, Store, WorkerLease
from aigen.testing.samples import (
    LATER,
    NOW,
    a_file,
    a_job,
    a_refresh_token,
    a_remembered_request,
    a_session,
    a_text,
    a_user,
    an_audit_entry,
    an_image,
    new_id,
    stored,
)

# --- changes --------------------------------------------------------------------------------


async def test_what_is_put_is_read_again_as_it_was(store: Store) -> None:
    user = a_user(last_login_at=NOW + timedelta(microseconds=1))
    session = a_session(user)
    token = a_refresh_token(session, rotation_key="k", replaced_by=new_id(), revoked_at=NOW)
    text = a_text(user, prompt="Grüße 🦊 'quoted' \\ %_", finish_reason=None, cost_usd=None)
    image = an_image(user, text="", cost_usd=Decimal("0.04"), input_image=InputImage(url="x"))
    job = a_job(
        user,
        state=VideoState.COMPLETED,
        media=a_file(),
        first_frame=InputImage(stored=a_file()),
        generate_audio=False,
        seed=2**53 - 1,
        cost_usd=Decimal("0.2500000001"),
        error_code=VideoError.DEADLINE,
        finished_at=LATER,
    )
    remembered = a_remembered_request(user, attempt=Attempt.DONE, is_deferred=True)
    failed = FailedLogins(subject="account:x", count=3, since=NOW, blocked_until=LATER)
    lease = WorkerLease(worker_id=new_id(), expires_at=LATER, trouble="no credit")
    link = ResetLink(digest="d", user_id=user.id, expires_at=LATER)

    def put(records: Records) -> None:
        records.users.put(user)
        records.sessions.put(session)
        records.refresh_tokens.put(token)
        records.texts.put(text)
        records.images.put(image)
        records.videos.put(job)
        records.remembered.put(remembered)
        records.failures.put(failed)
        records.workers.put(lease)
        records.reset_links.put(link)

    await store.write(put)
    assert await store.read(lambda records: records.users.get(user.id)) == user
    assert await store.read(lambda records: records.sessions.get(session.id)) == session
    assert await store.read(lambda records: records.refresh_tokens.get(token.jti)) == token
    assert await store.read(lambda records: records.texts.get(text.id)) == text
    assert await store.read(lambda records: records.images.get(image.id)) == image
    assert await store.read(lambda records: records.videos.get(job.id)) == job
    key = (user.id, remembered.key)
    assert await store.read(lambda records: records.remembered.get(key)) == remembered
    assert await store.read(lambda records: records.failures.get(failed.subject)) == failed
    assert await store.read(lambda records: records.workers.all()) == (lease,)
    assert await store.read(lambda records: records.reset_links.get("d")) == link


async def test_a_change_sees_what_it_has_done(store: Store) -> None:
    user = a_user()

    def change(records: Records) -> list[object]:
        records.users.put(user)
        seen: list[object] = [records.users.get(user.id), records.users.by_identity(user.identity)]
        records.users.put(user.with_role(Role.ADMIN))
        seen.append(records.users.count_admins())
        records.users.remove(user.id)
        seen += [records.users.get(user.id), records.users.count_admins()]
        return seen

    assert await store.write(change) == [user, user, 1, None, 0]


async def test_a_change_that_raises_leaves_no_trace(store: Store) -> None:
    kept, lost = a_user(), a_user()
    job = a_job(kept)

    def prepare(records: Records) -> None:
        records.users.put(kept)
        records.videos.put(job)

    await store.write(prepare)

    def change(records: Records) -> None:
        records.users.put(lost)
        records.users.put(kept.with_role(Role.ADMIN))
        records.videos.remove_of(kept.id)
        records.audit.append(an_audit_entry())
        raise RuntimeError("on purpose")

    with pytest.raises(RuntimeError, match="on purpose"):
        await store.write(change)
    assert await store.read(lambda records: records.users.get(lost.id)) is None
    assert await store.read(lambda records: records.users.by_identity(lost.identity)) is None
    assert await store.read(lambda records: records.users.get(kept.id)) == kept
    assert await store.read(lambda records: records.users.count_admins()) == 0
    assert await store.read(lambda records: records.videos.get(job.id)) == job
    assert await store.read(lambda records: records.videos.ready(NOW, 9)) == (job,)
    assert (await store.read(lambda records: records.audit.page(PageRequest()))).items == ()


async def test_changes_made_at_once_are_as_if_made_one_after_the_other(store: Store) -> None:
    failed = FailedLogins(subject="s", count=0, since=NOW)
    await store.write(lambda records: records.failures.put(failed))

    def count_one(records: Records) -> None:
        found = records.failures.get("s")
        assert found is not None
        records.failures.put(evolve(found, count=found.count + 1))

    await asyncio.gather(*(store.write(count_one) for _ in range(300)))
    found = await store.read(lambda records: records.failures.get("s"))
    assert found is not None
    assert found.count == 300


async def test_a_failing_change_does_not_harm_those_made_at_once(store: Store) -> None:
    users = [a_user() for _ in range(40)]

    async def put(place: int) -> None:
        def change(records: Records) -> None:
            records.users.put(users[place])
            if place % 3 == 0:
                raise RuntimeError("on purpose")

        await store.write(change)

    results = await asyncio.gather(*map(put, range(40)), return_exceptions=True)
    assert sum(isinstance(result, RuntimeError) for result in results) == 14
    assert (await store.read(lambda records: records.users.count())).total == 26


async def test_two_admins_who_demote_each_other_leave_one(store: Store) -> None:
    admins = [a_user(role=Role.ADMIN) for _ in range(2)]
    await stored(store, *admins)

    async def demote(user_id: str) -> None:
        def change(records: Records) -> None:
            user = records.users.get(user_id)
            assert user is not None
            if records.users.count_admins() > 1:
                records.users.put(user.with_role(Role.USER))

        await store.write(change)

    await asyncio.gather(*(demote(admin.id) for admin in admins))
    assert (await store.read(lambda records: records.users.count())).admins == 1


async def test_an_identity_can_pass_from_one_user_to_another_in_one_change(store: Store) -> None:
    ann, bob = a_user(), a_user()
    await stored(store, ann, bob)

    def swap(records: Records) -> None:
        records.users.put(evolve(ann, identity=bob.identity))
        records.users.put(evolve(bob, identity=ann.identity))

    await store.write(swap)
    found = await store.read(lambda records: records.users.by_identity(ann.identity))
    assert found is not None
    assert found.id == bob.id


async def test_what_is_removed_and_put_again_is_there(store: Store) -> None:
    user = a_user()
    text = a_text(user)
    await stored(store, user, text)

    def again(records: Records) -> None:
        assert records.texts.get(text.id) == text
        records.texts.remove(text.id)
        assert records.texts.get(text.id) is None
        records.texts.put(evolve(text, text="Hello again."))

    await store.write(again)
    found = await store.read(lambda records: records.texts.get(text.id))
    assert found == evolve(text, text="Hello again.")


async def test_an_id_of_another_form_is_nobodys(store: Store) -> None:
    user = a_user(id=new_id())
    text = a_text(user)
    await stored(store, user, text)
    for strange in ("nobody", "", text.id.upper() + "x", "\0", "🦊"):
        assert await store.read(lambda records, key=strange: records.texts.get(key)) is None  # type: ignore[misc]
        assert await store.write(lambda records, key=strange: records.videos.get(key)) is None  # type: ignore[misc]


# --- owners and age -------------------------------------------------------------------------


async def test_everything_goes_with_its_user_and_nothing_else(store: Store) -> None:
    ann, bob = a_user(), a_user()

    def put(records: Records) -> None:
        for user in (ann, bob):
            session = a_session(user, id=new_id())
            records.users.put(user)
            records.sessions.put(session)
            records.refresh_tokens.put(a_refresh_token(session))
            records.refresh_tokens.put(a_refresh_token(session, jti=new_id(), revoked_at=NOW))
            records.texts.put(a_text(user))
            records.images.put(an_image(user))
            records.videos.put(a_job(user))
            records.videos.put(a_job(user, state=VideoState.COMPLETED))
            records.remembered.put(a_remembered_request(user, attempt=Attempt.DONE))
            job_id = f"job-of-{user.id}"
            records.provider_jobs.put(
                ProviderJob(provider_job_id=job_id, video_id=new_id(), user_id=user.id)
            )

    await store.write(put)

    def remove(records: Records) -> None:
        records.texts.put(a_text(ann))  # in the same change: it has to go as well
        for repository in (
            records.sessions,
            records.refresh_tokens,
            records.texts,
            records.images,
            records.videos,
            records.remembered,
            records.provider_jobs,
        ):
            repository.remove_of(ann.id)
        records.users.remove(ann.id)

    await store.write(remove)

    def look(records: Records) -> tuple[object, ...]:
        return (
            records.users.count().total,
            records.texts.count(),
            records.images.count(),
            sum(records.videos.count_by_status().values()),
            records.sessions.live_of(ann.id),
            records.videos.unfinished_of(ann.id),
            records.provider_jobs.get(f"job-of-{ann.id}"),
            records.remembered.get((ann.id, "a-key")),
            len(records.sessions.live_of(bob.id)),
            len(records.videos.unfinished_of(bob.id)),
            records.refresh_tokens.count(NOW).active,
            records.refresh_tokens.count(NOW).revoked,
        )

    assert await store.read(look) == (1, 1, 1, 2, (), (), None, None, 1, 1, 1, 1)


async def test_what_is_too_old_goes(store: Store) -> None:
    user = a_user()
    old, young = a_session(user), a_session(user, ends_at=LATER + timedelta(days=1))

    def put(records: Records) -> None:
        records.users.put(user)
        for session in (old, young):
            records.sessions.put(session)
            records.refresh_tokens.put(a_refresh_token(session, expires_at=session.ends_at))
        ended = a_refresh_token(old, jti=new_id(), revoked_at=NOW, expires_at=NOW)
        records.refresh_tokens.put(ended)
        records.reset_links.put(ResetLink(digest="o", user_id=user.id, expires_at=NOW))
        records.reset_links.put(ResetLink(digest="y", user_id=user.id, expires_at=young.ends_at))
        records.remembered.put(a_remembered_request(user, key="o", created_at=NOW))
        records.remembered.put(a_remembered_request(user, key="y", created_at=young.ends_at))
        records.failures.put(FailedLogins(subject="o", count=1, since=NOW))
        records.failures.put(FailedLogins(subject="y", count=1, since=young.ends_at))

    await store.write(put)
    limit = LATER + timedelta(hours=1)

    def prune(records: Records) -> None:
        records.sessions.remove_older(limit)
        records.refresh_tokens.remove_older(limit)
        records.reset_links.remove_older(limit)
        records.remembered.remove_older(limit)
        records.failures.remove_older(limit)

    await store.write(prune)

    def look(records: Records) -> tuple[object, ...]:
        counts = records.refresh_tokens.count(NOW)
        return (
            records.sessions.live_of(user.id),
            (counts.active, counts.revoked, counts.expired),
            [records.reset_links.get(name) is not None for name in "oy"],
            [records.remembered.get((user.id, name)) is not None for name in "oy"],
            [records.failures.get(name) is not None for name in "oy"],
        )

    assert await store.read(look) == (
        (young,),
        (1, 0, 0),
        [False, True],
        [False, True],
        [False, True],
    )


async def test_what_is_put_after_a_sweep_stays(store: Store) -> None:
    user = a_user()
    old = [a_remembered_request(user, key=key, attempt=Attempt.DONE) for key in ("a", "b")]
    running = a_remembered_request(user, key="c")
    await stored(store, user, *old, running)
    again = [evolve(request, created_at=LATER) for request in (old[0], running)]
    new = a_remembered_request(user, key="d")

    def renew(records: Records) -> None:
        records.remembered.put(a_remembered_request(user, key="e"))
        records.remembered.remove_of(user.id)
        for request in (*again, new):
            records.remembered.put(request)

    await store.write(renew)

    async def found(key: str) -> object:
        return await store.read(lambda records: records.remembered.get((user.id, key)))

    assert [await found(key) for key in "abcde"] == [again[0], None, again[1], new, None]


# --- sessions -------------------------------------------------------------------------------


async def test_live_sessions_are_those_not_ended(store: Store) -> None:
    user = a_user()
    live, ended = a_session(user), a_session(user)
    await stored(store, live, ended)
    await store.write(lambda records: records.sessions.put(ended.ended(NOW)))
    assert await store.read(lambda records: records.sessions.live_of(user.id)) == (live,)
    found = await store.read(lambda records: records.sessions.get(ended.id))
    assert found == ended.ended(NOW)


async def test_tokens_are_counted_as_active_revoked_or_expired(store: Store) -> None:
    session = a_session(a_user())
    tokens = [
        a_refresh_token(session),
        a_refresh_token(session, jti=new_id(), revoked_at=NOW),
        a_refresh_token(session, jti=new_id(), revoked_at=NOW),
        a_refresh_token(session, jti=new_id(), revoked_at=NOW, expires_at=NOW),
        a_refresh_token(session, jti=new_id(), expires_at=NOW),
        a_refresh_token(session, jti=new_id(), expires_at=NOW),
    ]
    await stored(store, *tokens)
    counts = await store.read(lambda records: records.refresh_tokens.count(NOW))
    assert (counts.active, counts.revoked, counts.expired) == (1, 2, 3)


# --- the queue ------------------------------------------------------------------------------


async def test_ready_jobs_go_round_the_users(store: Store) -> None:
    ann, bob, eve = a_user(), a_user(), a_user()
    jobs = {user.id: [a_job(user) for _ in range(count)] for user, count in ((ann, 3), (bob, 1))}
    await stored(store, *jobs[ann.id], *jobs[bob.id])
    late = a_job(eve)
    await stored(store, late)
    first, second, third = jobs[ann.id]
    (only,) = jobs[bob.id]
    ready = await store.write(lambda records: records.videos.ready(NOW, 9))
    assert ready == (first, only, late, second, third)

    def claim_one(records: Records) -> str:
        (job,) = records.videos.ready(NOW, 1)
        records.videos.put(job.claimed(worker_id=new_id(), nonce="n", now=NOW))
        return job.user_id

    order = [await store.write(claim_one) for _ in range(5)]
    assert order == [ann.id, bob.id, eve.id, ann.id, ann.id]
    assert await store.write(lambda records: records.videos.ready(NOW, 9)) == ()


async def test_jobs_that_wait_or_are_held_are_not_ready(store: Store) -> None:
    user = a_user()
    waiting = a_job(user, not_before=NOW + timedelta(seconds=5))
    held = a_job(user, is_held=True)
    ready = a_job(user)
    await stored(store, waiting, held, ready)
    assert await store.write(lambda records: records.videos.ready(NOW, 9)) == (ready,)
    soon = NOW + timedelta(seconds=5)
    found = await store.write(lambda records: records.videos.ready(soon, 9))
    assert set(found) == {ready, waiting}


async def test_queued_jobs_past_their_deadline_are_overdue_unless_held(store: Store) -> None:
    user = a_user()
    overdue = a_job(user, deadline_at=NOW)
    held = a_job(user, deadline_at=NOW, is_held=True)
    working = a_job(user, deadline_at=NOW, state=VideoState.PROCESSING)
    in_time = a_job(user, deadline_at=NOW + timedelta(microseconds=1))
    jobs = (overdue, held, working, in_time)
    await stored(store, *jobs)
    assert await store.write(lambda records: records.videos.overdue(NOW)) == (overdue,)


async def test_jobs_at_work_are_found_by_their_worker(store: Store) -> None:
    user, worker = a_user(), new_id()
    submitting = a_job(user).claimed(worker_id=worker, nonce="n", now=NOW)
    processing = submitting.accepted(provider_job_id="p", polling_url=None, now=NOW)
    free = evolve(processing.let_go(), id=new_id())
    queued, done = a_job(user), a_job(user, state=VideoState.COMPLETED, worker_id=worker)
    jobs = (submitting, evolve(processing, id=new_id()), free, queued, done)
    await stored(store, *jobs)
    held = await store.write(lambda records: records.videos.held_by(worker, 9))
    assert {job.id for job in held} == {jobs[0].id, jobs[1].id}
    assert await store.write(lambda records: records.videos.held_by(None, 9)) == (free,)
    assert len(await store.write(lambda records: records.videos.held_by(worker, 1))) == 1


async def test_unfinished_jobs_are_found_by_their_owner(store: Store) -> None:
    user = a_user()
    jobs = [a_job(user, state=state) for state in VideoState]
    await stored(store, *jobs)
    unfinished = await store.read(lambda records: records.videos.unfinished_of(user.id))
    assert [job.state for job in unfinished] == [
        VideoState.QUEUED,
        VideoState.SUBMITTING,
        VideoState.PROCESSING,
    ]


async def test_images_being_made_are_found(store: Store) -> None:
    user = a_user()
    making, made = an_image(user, status=ImageStatus.PROCESSING), an_image(user)
    await stored(store, making, made)
    assert await store.read(lambda records: records.images.unfinished()) == (making,)


# --- history --------------------------------------------------------------------------------


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
    assert await found(text="o", model="a", status=VideoStatus.QUEUED) == [fox.prompt]


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


async def test_spending_is_summed_exactly_over_all_kinds(store: Store) -> None:
    user = a_user()
    yesterday, last_month = NOW - timedelta(days=1), NOW - timedelta(days=40)
    now = NOW + timedelta(days=1)  # the second of January
    cent = Decimal("0.0000000001")

    def put(records: Records) -> None:
        for _ in range(3):
            records.texts.put(a_text(user, cost_usd=cent, created_at=now))
        records.texts.put(a_text(user, cost_usd=None, created_at=now))
        records.images.put(an_image(user, cost_usd=Decimal("0.1"), created_at=NOW))
        records.images.put(an_image(user, cost_usd=Decimal("0.2"), created_at=NOW))
        records.videos.put(a_job(user, cost_usd=Decimal(5), created_at=yesterday))
        records.videos.put(a_job(user, cost_usd=Decimal(7), created_at=last_month))

    await store.write(put)
    spent = await store.read(lambda records: records.spent(SpendSince.of(now)))
    assert spent.day == cent * 3
    assert spent.month == cent * 3 + Decimal("0.3")
    assert spent.total == cent * 3 + Decimal("12.3")


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


async def test_reads_see_only_what_is_committed_and_all_of_it(store: Store) -> None:
    """While changes are made in pairs, no look may find half a pair."""
    ann, bob = a_user(), a_user()
    await stored(store, ann, bob)
    role = Role.USER

    def flip(records: Records) -> None:
        nonlocal role
        role = Role.ADMIN if role is Role.USER else Role.USER
        for user in (ann, bob):
            records.users.put(user.with_role(role))

    def look(records: Records) -> tuple[Role, ...]:
        found = [records.users.get(user.id) for user in (ann, bob)]
        return tuple(user.role for user in found if user is not None)

    changing = [asyncio.ensure_future(store.write(flip)) for _ in range(50)]
    while not all(change.done() for change in changing):
        first, second = await store.read(look)
        assert first is second
        await asyncio.sleep(0)
    await asyncio.gather(*changing)
