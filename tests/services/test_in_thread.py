"""aigen for code that is not async: scripts, notebooks, the threads of a server."""

import asyncio
import signal
import subprocess
import sys
import threading
from collections.abc import AsyncIterator
from concurrent.futures import CancelledError, ThreadPoolExecutor
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from aigen.domain.model.errors import AigenError, CannotStart, EmailTaken
from aigen.domain.model.texts import Text
from aigen.domain.model.videos import VideoStatus
from aigen.entrypoints.library import Aigen
from aigen.ports.provider import TextDelta
from aigen.testing import Harness, ScriptedProvider, bare_settings
from tests.services.worlds import PASSWORD, text_request, video_request


def test_a_script_makes_a_text_and_a_film(tmp_path: Path) -> None:
    provider = ScriptedProvider()
    with Aigen.in_thread(
        bare_settings(data_dir=tmp_path, bcrypt_cost=4, poll_interval=0.1),
        text_provider=provider,
        video_provider=provider,
        catalogue=provider,
    ) as aigen:
        ann = aigen.run(aigen.users.add("ann@example.org", PASSWORD))
        text = aigen.run(aigen.texts.generate(ann.id, text_request("hello")))
        job = aigen.run(aigen.videos.submit(ann.id, video_request()))
        with aigen.within(aigen.worker()):
            seen = [found.status for found in aigen.each(aigen.videos.watch(ann.id, job.id))]
            done = aigen.run(aigen.videos.wait(job.id))
    assert text.text == "You said: hello"
    assert seen[0] is VideoStatus.QUEUED
    assert seen[-1] is done.status is VideoStatus.COMPLETED


async def test_it_works_where_a_loop_is_running_as_in_a_notebook() -> None:
    with Harness.in_thread() as harness:
        ann = harness.aigen.run(harness.user())
        assert harness.aigen.run(harness.aigen.users.get(ann.id)) == ann


async def test_a_thread_beside_an_async_program_may_ask(harness: Harness) -> None:
    ann = await asyncio.to_thread(lambda: harness.aigen.run(harness.user()))
    assert await harness.aigen.users.get(ann.id) == ann


def test_many_threads_ask_at_a_time() -> None:
    with Harness.in_thread() as harness, ThreadPoolExecutor(8) as threads:
        ann = harness.aigen.run(harness.user())

        def said(number: int) -> str:
            request = text_request(str(number))
            return harness.aigen.run(harness.aigen.texts.generate(ann.id, request)).text

        assert list(threads.map(said, range(32))) == [f"You said: {n}" for n in range(32)]


def test_a_text_is_heard_as_it_is_written() -> None:
    with Harness.in_thread() as harness:
        aigen = harness.aigen
        ann = aigen.run(harness.user())
        stream = aigen.run(aigen.texts.stream_once(ann.id, text_request("hello"), None)).value
        *pieces, whole = aigen.each(stream)
        assert isinstance(whole, Text)
        assert [piece.text for piece in pieces if isinstance(piece, TextDelta)] == [
            "You ",
            "said: ",
            "hello",
        ]


def test_who_leaves_a_loop_closes_its_generator() -> None:
    closed = threading.Event()

    async def numbers() -> AsyncIterator[int]:
        try:
            for number in range(9):
                yield number
        finally:
            await asyncio.sleep(0)
            closed.set()

    with Harness.in_thread() as harness:
        for number in harness.aigen.each(numbers()):
            if number == 1:
                break
        assert closed.wait(30)


# --- errors ---------------------------------------------------------------------------------


def test_what_the_work_raises_is_raised() -> None:
    with Harness.in_thread() as harness:
        harness.aigen.run(harness.user())
        with pytest.raises(EmailTaken) as raised:
            harness.aigen.run(harness.user())
        assert isinstance(raised.value, AigenError)


def test_what_goes_wrong_at_the_start_is_raised_and_leaves_no_thread(tmp_path: Path) -> None:
    before = threading.active_count()
    (tmp_path / "file").touch()
    settings = bare_settings(data_dir=tmp_path / "file" / "data")
    with pytest.raises(CannotStart), Aigen.in_thread(settings):
        pytest.fail("it has started")
    assert threading.active_count() == before


def test_an_error_in_the_block_closes_the_installation_and_passes() -> None:
    before = threading.active_count()
    with pytest.raises(ZeroDivisionError), Harness.in_thread() as harness:
        _ = 1 / 0
    assert threading.active_count() == before
    with pytest.raises(RuntimeError, match="closed"):
        harness.aigen.run(harness.user())


def test_an_error_in_a_block_within_leaves_the_manager_first() -> None:
    left: list[str] = []

    @asynccontextmanager
    async def manager() -> AsyncIterator[str]:
        yield "entered"
        left.append("left")

    with Harness.in_thread() as harness:
        with pytest.raises(ZeroDivisionError), harness.aigen.within(manager()) as value:
            _ = len(value) / 0
        assert left == ["left"]


async def test_the_loops_own_thread_is_told_to_await(harness: Harness) -> None:
    with pytest.raises(RuntimeError, match="use await"):
        harness.aigen.run(harness.user())


# --- interruptions --------------------------------------------------------------------------


def test_an_interruption_cancels_the_work_and_the_installation_stays_open() -> None:
    """As in a notebook whose kernel is interrupted."""
    cancelled = threading.Event()

    async def endless() -> None:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            cancelled.set()

    with Harness.in_thread() as harness:
        with pytest.raises(KeyboardInterrupt):
            harness.aigen.run(endless())
        assert cancelled.wait(30)
        assert harness.aigen.run(harness.user()).email == "ann@example.org"


def test_an_interruption_of_a_block_within_undoes_what_was_begun() -> None:
    undone = threading.Event()

    @asynccontextmanager
    async def slow() -> AsyncIterator[None]:
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.Event().wait()
            yield
        finally:
            undone.set()

    with Harness.in_thread() as harness:
        with pytest.raises(KeyboardInterrupt), harness.aigen.within(slow()):
            pytest.fail("it has been entered")
        assert undone.wait(30)


def test_an_interruption_of_a_loop_passes() -> None:
    async def slow_to_end() -> AsyncIterator[int]:
        yield 1
        signal.pthread_kill(threading.main_thread().ident or 0, signal.SIGINT)
        try:
            await asyncio.Event().wait()
        finally:
            for _ in range(100):
                await asyncio.sleep(0)

    with Harness.in_thread() as harness, pytest.raises(KeyboardInterrupt):
        assert list(harness.aigen.each(slow_to_end())) == [1]


def test_who_still_waits_when_the_installation_closes_is_told() -> None:
    began = threading.Event()

    async def endless() -> None:
        began.set()
        await asyncio.Event().wait()

    with ThreadPoolExecutor(1) as threads:
        with Harness.in_thread() as harness:
            waiting = threads.submit(harness.aigen.run, endless())
            assert began.wait(30)
        with pytest.raises(CancelledError):
            waiting.result(30)


_NEVER_LEFT = """
from contextlib import ExitStack
from aigen import Aigen, Settings, VideoRequest

opened = ExitStack()
aigen = opened.enter_context(Aigen.in_thread(Settings(data_dir="data")))
opened.enter_context(aigen.within(aigen.worker()))
ann = aigen.run(aigen.users.add("ann@example.org", "a long pass phrase"))
request = VideoRequest(model="google/veo-3.1-lite", prompt="a fox", duration=4)
aigen.run(aigen.videos.submit(ann.id, request))
"""


_FORKED = """
import multiprocessing
from aigen.testing import Harness

with Harness.in_thread():
    child = multiprocessing.get_context("fork").Process(target=int)
    child.start()
    child.join(30)
    print(child.exitcode)
    child.kill()
"""


def ended(program: str, folder: Path) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-c", program]
    return subprocess.run(
        command, cwd=folder, capture_output=True, text=True, check=False, timeout=60
    )


def test_a_program_that_never_leaves_the_block_closes_it_at_its_end(tmp_path: Path) -> None:
    done = ended(_NEVER_LEFT, tmp_path)
    assert (done.returncode, done.stdout, done.stderr) == (0, "", "")
    assert not list(tmp_path.rglob("*.wal")), "the database was closed"


def test_a_forked_child_ends_without_closing_what_is_its_parents(tmp_path: Path) -> None:
    done = ended(_FORKED, tmp_path)
    assert (done.returncode, done.stdout) == (0, "0\n"), done.stderr
