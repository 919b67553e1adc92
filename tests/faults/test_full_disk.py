"""A disk that is full: nothing is bought that cannot be stored, and nothing is lost."""

import os
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from aigen.adapters.memory.provider import MP4
from tests.e2e.processes import VIDEO_MODEL, Person, until
from tests.faults.books import books
from tests.faults.hostile import hostile, in_progress, saying
from tests.faults.houses import House, ends, job, jobs_of, until_job

MIB = 2**20
RESERVE = 2 * MIB


@pytest.fixture
def disk(tmp_path: Path) -> Iterator[Path]:
    """A disk of its own, 24 MiB large, where it may be mounted."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["/bin/mount", "-t", "tmpfs", "-o", "size=24m", "tmpfs", str(folder)]
    if subprocess.run(mount, check=False, capture_output=True).returncode != 0:
        pytest.skip("no file system may be mounted here")
    try:
        yield folder
    finally:
        subprocess.run(["/bin/umount", "--lazy", str(folder)], check=True)


def fill(disk: Path, *, but: int) -> Path:
    """Leave so many bytes free."""
    ballast = disk / "ballast"
    with ballast.open("wb") as file:
        os.posix_fallocate(file.fileno(), 0, free(disk) - but)
    return ballast


def free(disk: Path) -> int:
    return shutil.disk_usage(disk).free


def test_a_full_disk_buys_nothing_and_loses_nothing(
    new_house: Callable[..., House], disk: Path
) -> None:
    with hostile() as provider:
        provider.polls = in_progress
        house = new_house(
            provider.url,
            AIGEN_DATA_DIR=str(disk / "data"),
            AIGEN_MIN_FREE_DISK=str(RESERVE),
            AIGEN_WORKER_INTERVAL="0.3",
        )
        ann = house.root()
        bought = ann.video("bought before")
        until_job(ann, bought, lambda found: found["submitted_at"], "the submission")

        # Below the reserve: accepted while it can be recorded, and not sent.
        ballast = fill(disk, but=RESERVE - MIB // 4)
        until(lambda: "disk nearly full" in str(house.ready()["reasons"]), "readiness to go")
        queued = ann.video("accepted while nearly full")
        polls = provider.asked_for("/job-bought-before")
        until(lambda: provider.asked_for("/job-bought-before") > polls + 2, "polls")
        assert job(ann, queued)["status"] == "queued"
        assert provider.sent("accepted while nearly full") == 0

        # Nothing left at all: what cannot be recorded is refused, and nothing breaks.
        ballast.unlink()
        ballast = fill(disk, but=0)
        answers = [submit(ann, number) for number in range(300)]
        assert {status for status, _ in answers} <= {202, 503}
        accepted = {job_id for status, job_id in answers if status == 202}

        ballast.unlink()
        until(lambda: house.ready()["status"] == "ready", "readiness to return", house.output)
        provider.polls = None
        until(lambda: submit(ann, 300)[0] == 202, "a job to be accepted again")
        everybody = jobs_of(ann)
        assert accepted <= set(everybody), "who was answered 202 has a job"
        codes = {found["id"]: found["error_code"] for found in ends(ann, everybody)}
        assert codes == dict.fromkeys(codes)
        house.stop()
        found = books(house.data)
        found.must_balance()
        found.must_have_their_films(house.media)
        assert all(provider.sent(job.prompt) == 1 for job in found.jobs.values())


def test_a_film_that_finds_no_room_half_way_is_fetched_again(
    new_house: Callable[..., House], disk: Path
) -> None:
    with hostile() as provider:
        provider.contents = saying(200, MP4 + bytes(8 * MIB), content_type="video/mp4")
        house = new_house(
            provider.url,
            AIGEN_MEDIA_URL=f"file://{disk}/media",
            AIGEN_MIN_FREE_DISK=str(MIB),
            AIGEN_WORKER_INTERVAL="0.3",
            AIGEN_JOB_DEADLINE="3",
        )
        ann = house.root()
        ballast = fill(disk, but=4 * MIB)
        job_id = ann.video("too large for now")
        until(lambda: provider.asked_for("/content"), "the download")
        found = ann.wait(job_id)
        # It is tried again until the deadline, and then said for what it is.
        assert (found["error_code"], found["may_be_charged"]) == ("deadline", True)
        assert not any((disk / "media").rglob("*.mp4"))
        assert free(disk) >= 4 * MIB - MIB // 8, "no half of it stays"
        ballast.unlink()
        assert ann.wait(ann.video("with room"))["status"] == "completed"
        house.stop()
        books(house.data).must_balance()


def submit(person: Person, number: int) -> tuple[int, str]:
    body = {"model": VIDEO_MODEL, "prompt": f"full {number} {'x' * 2000}"}
    answer = person.client.post("/generate/video", json=body)
    return answer.status_code, answer.json().get("id", "")
