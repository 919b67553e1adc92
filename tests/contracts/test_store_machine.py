"""Whatever is done to both, a store on a database says what the store in memory says."""

import asyncio
import gc
import shutil
from collections.abc import Coroutine
from contextlib import ExitStack, suppress
from datetime import timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, TypeVar

import pytest
from attrs import evolve, frozen
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from aigen.adapters.duckdb import writer
from aigen.adapters.duckdb.engine import files_of
from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.memory.store import MemoryStore
from aigen.domain.model.errors import NotUnknown
from aigen.domain.model.idempotency import Attempt
from aigen.domain.model.pages import PageRequest
from aigen.domain.model.users import Role
from aigen.domain.model.videos import IllegalTransition, VideoError, VideoJob
from aigen.ports.store import HistoryQuery, Records, Store
from aigen.testing.samples import (
    LATER,
    NOW,
    a_job,
    a_refresh_token,
    a_remembered_request,
    a_session,
    a_text,
    a_user,
    new_id,
)
from tests.databases import KINDS, Databases, databases

T = TypeVar("T")

USERS = [a_user() for _ in range(3)]
JOBS = [a_job(user) for user in USERS for _ in range(2)]
TEXTS = [a_text(user) for user in USERS]
SESSIONS = [a_session(user) for user in USERS]
WORKER = new_id()


class OnPurpose(Exception):
    """A change that undoes itself."""


@frozen
class Step:
    """One thing to do within a change."""

    name: str
    number: int

    def __call__(self, records: Records) -> None:
        getattr(self, f"_{self.name}")(records)

    def _put_user(self, records: Records) -> None:
        user = USERS[self.number % 3]
        role = Role.ADMIN if self.number % 2 else Role.USER
        records.users.put(evolve(user, role=role, identity=f"{user.id}-{self.number % 4}"))

    def _remove_user(self, records: Records) -> None:
        user = USERS[self.number % 3]
        records.users.remove(user.id)
        for repository in (
            records.videos,
            records.texts,
            records.sessions,
            records.refresh_tokens,
            records.remembered,
        ):
            repository.remove_of(user.id)

    def _put_job(self, records: Records) -> None:
        job = JOBS[self.number % 6]
        if records.videos.get(job.id) is None:
            records.videos.put(evolve(job, not_before=NOW + timedelta(seconds=self.number % 5)))

    def _move_job(self, records: Records) -> None:
        """Some change of a job, if its state allows it."""
        job = records.videos.get(JOBS[self.number % 6].id)
        if job is not None:
            with suppress(IllegalTransition, NotUnknown):
                records.videos.put(self._moved(job))

    def _moved(self, job: VideoJob) -> VideoJob:
        moves = (
            lambda: job.claimed(worker_id=WORKER, nonce="n", now=NOW),
            lambda: job.accepted(provider_job_id="p", polling_url=None, now=NOW),
            lambda: job.not_accepted(not_before=LATER, now=NOW),
            lambda: job.failed(code=VideoError.DEADLINE, reason="late", now=NOW),
            lambda: job if job.is_terminal else job.cancelled(NOW),
            lambda: job.taken_over(worker_id=WORKER, now=NOW),
            job.let_go,
            lambda: job.held(NOW),
        )
        return moves[self.number % len(moves)]()

    def _remove_job(self, records: Records) -> None:
        records.videos.remove(JOBS[self.number % 6].id)

    def _put_text(self, records: Records) -> None:
        text = TEXTS[self.number % 3]
        known = records.texts.get(text.id)
        records.texts.put(evolve(known or text, text=f"version {self.number}"))

    def _put_session(self, records: Records) -> None:
        session = SESSIONS[self.number % 3]
        known = records.sessions.get(session.id)
        if known is None:
            records.sessions.put(session)
            if records.refresh_tokens.get(session.current_jti) is None:
                records.refresh_tokens.put(a_refresh_token(session))
        elif known.ended_at is None:
            records.sessions.put(known.ended(NOW))

    def _remember(self, records: Records) -> None:
        user = USERS[self.number % 3]
        key = f"key-{self.number % 2}"
        known = records.remembered.get((user.id, key))
        if known is None:
            at = NOW + timedelta(hours=self.number % 4)
            new = a_remembered_request(user, key=key, created_at=at, object_id=user.id)
            records.remembered.put(new)
        else:
            records.remembered.put(known.ended(Attempt.DONE))

    def _forget(self, records: Records) -> None:
        records.remembered.remove_older(NOW + timedelta(hours=self.number % 5))

    def _fail(self, _: Records) -> None:
        raise OnPurpose


NAMES = (
    *("put_user", "remove_user", "put_job", "move_job", "remove_job", "put_text"),
    *("put_session", "remember", "forget", "fail"),
)
STEPS = st.builds(Step, st.sampled_from(NAMES), st.integers(0, 59))
CHANGES = st.lists(STEPS, min_size=1, max_size=5)


def picture_of(records: Records) -> dict[str, Any]:
    """Everything that can be asked of a store, in a form that can be compared."""
    history = [HistoryQuery(user_id=user.id, page=PageRequest(limit=2)) for user in USERS]
    return {
        "users": [records.users.get(user.id) for user in USERS],
        "identities": [
            found and found.id
            for user in USERS
            for number in range(4)
            for found in (records.users.by_identity(f"{user.id}-{number}"),)
        ],
        "admins": (records.users.count_admins(), records.users.count()),
        "jobs": [records.videos.get(job.id) for job in JOBS],
        "unfinished": [set(records.videos.unfinished_of(user.id)) for user in USERS],
        "held": [set(records.videos.held_by(worker, 99)) for worker in (WORKER, None)],
        "statuses": records.videos.count_by_status(),
        "texts": [records.texts.get(text.id) for text in TEXTS],
        "at once": (
            records.texts.get_many(text.id for text in TEXTS),
            records.videos.get_many(job.id for job in JOBS),
        ),
        "pages": [(records.videos.page(query), records.texts.page(query)) for query in history],
        "sessions": [records.sessions.get(session.id) for session in SESSIONS],
        "live": [set(records.sessions.live_of(user.id)) for user in USERS],
        "tokens": records.refresh_tokens.count(NOW),
        "remembered": [
            records.remembered.get((user.id, f"key-{number}"))
            for user in USERS
            for number in range(2)
        ],
    }


def queue_of(records: Records) -> Any:
    """Who may be submitted; the order among users depends on who was served before a restart."""
    return set(records.videos.ready(LATER, 99)), set(records.videos.overdue(LATER))


#: A new database for each example takes PostgreSQL longer.
EXAMPLES = {"duckdb": 25, "postgres": 12}


class StoreMachine(RuleBasedStateMachine):
    """On one database. The embedded one makes changes that come at once in the order in which they
    came; the other one is given them one after the other."""

    def __init__(self, databases: Databases, *, is_embedded: bool) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.stack = ExitStack()
        self.new_store = self.stack.enter_context(databases())
        self.is_embedded = is_embedded
        self.memory = MemoryStore()
        self.store = self.new_store()
        self.run(self.store.open())
        self.has_changed = False

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @rule(changes=st.lists(CHANGES, min_size=1, max_size=6))
    def changes_at_once(self, changes: list[list[Step]]) -> None:
        """Several changes, which DuckDB's writer finds waiting and commits together."""

        def change(steps: list[Step]) -> Any:
            def run(records: Records) -> str:
                for step in steps:
                    step(records)
                return "done"

            return run

        async def made(store: Store, steps: list[Step]) -> Any:
            try:
                return await store.write(change(steps))
            except OnPurpose as error:
                return error

        async def both() -> None:
            if self.is_embedded:
                waiting = (made(self.store, steps) for steps in changes)
                on_database = list(await asyncio.gather(*waiting))
            else:
                on_database = [await made(self.store, steps) for steps in changes]
            in_memory = [await made(self.memory, steps) for steps in changes]
            assert [type(result) for result in on_database] == [type(r) for r in in_memory]

        self.run(both())
        self.has_changed = True

    @precondition(lambda self: self.has_changed)
    @rule()
    def the_process_ends_and_another_begins(self) -> None:
        self.run(self.store.close())
        self.store = self.new_store()
        self.run(self.store.open())
        self.has_changed = False

    @precondition(lambda self: self.has_changed and self.is_embedded)
    @rule()
    def the_process_is_killed_and_another_begins(self) -> None:
        """What a kill leaves behind is what lies on disk at that moment."""
        assert isinstance(self.store, DuckdbStore)
        with TemporaryDirectory() as folder:
            files = [file for file in files_of(self.store.file) if file.exists()]
            copies = [Path(shutil.copy2(file, folder)) for file in files]
            self.run(self.store.close())
            for file, copy in zip(files, copies, strict=True):
                shutil.move(copy, file)
        self.store = self.new_store()
        self.run(self.store.open())
        self.has_changed = False

    @invariant()
    def both_say_the_same(self) -> None:
        async def both() -> None:
            assert await self.store.read(picture_of) == await self.memory.read(picture_of)
            assert await self.store.write(queue_of) == await self.memory.write(queue_of)

        self.run(both())

    def teardown(self) -> None:
        self.run(self.store.close())
        del self.store
        gc.collect()  # or the binding complains at the end of a long run
        self.loop.close()
        self.stack.close()


@pytest.mark.parametrize("kind", KINDS)
def test_a_store_on_a_database_says_what_the_one_in_memory_says(
    kind: str, request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(writer, "BREATH_SECONDS", 600)  # so that it does nothing while it is killed
    new = databases(kind, request)
    run_state_machine_as_test(
        lambda: StoreMachine(new, is_embedded=kind == "duckdb"),  # type: ignore[arg-type]
        settings=settings(
            max_examples=EXAMPLES[kind],
            stateful_step_count=12,
            deadline=None,
            suppress_health_check=[HealthCheck.too_slow],
        ),
    )
