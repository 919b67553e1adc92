"""What every store must do; the fixture `store` is an open, empty one."""

import asyncio
from datetime import timedelta
from decimal import Decimal

import pytest
from attrs import evolve

from aigen.domain.model.idempotency import Attempt
from aigen.domain.model.media import InputImage
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.throttle import FailedLogins
from aigen.domain.model.users import ResetLink, Role
from aigen.domain.model.videos import (
    ProviderJob,
    VideoError,
    VideoState,
)
from aigen.ports.store import Records, Store, WorkerLease
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
