"""What every provider of videos must do; the fixture `videos` is a Subject with one.

Success is Done, after at most a hundred polls. Refused, NotSent, Misconfigured and Unknown end a
submission; Ended, Missing and Unreachable the polls of an accepted one; ContentMissing and
ContentUnavailable the fetching of a finished one.
"""

import asyncio

import pytest

from aigen.domain.model.media import FILMS, type_of
from aigen.ports.provider import (
    Accepted,
    ContentMissing,
    ContentUnavailable,
    Done,
    Ended,
    InProgress,
    Misconfigured,
    Missing,
    NotSent,
    PollOutcome,
    Refused,
    Unknown,
    Unreachable,
    VideoProvider,
    VideoSubmission,
)
from aigen.testing.contracts.subjects import Subject, check_failure

Videos = Subject[VideoProvider, VideoSubmission]

_SUBMISSIONS = (Refused, NotSent, Misconfigured, Unknown)
_POLLS = (Ended, Missing, Unreachable)
_FILMS = (ContentMissing, ContentUnavailable)
_MOST_POLLS = 100


async def submitted(videos: Videos, kind: type) -> Accepted:
    outcome = await videos.provider.submit(videos.ending(kind))
    assert isinstance(outcome, Accepted), outcome
    assert outcome.provider_job_id
    return outcome


async def polled(videos: Videos, job: Accepted) -> PollOutcome:
    for _ in range(_MOST_POLLS):
        outcome = await videos.provider.poll(job.provider_job_id, job.polling_url)
        if not isinstance(outcome, InProgress):
            return outcome
    raise AssertionError(f"it is still in progress after {_MOST_POLLS} polls")


async def finished(videos: Videos, job: Accepted) -> Done:
    outcome = await polled(videos, job)
    assert isinstance(outcome, Done), outcome
    return outcome


async def fetched(videos: Videos, job: Accepted, done: Done) -> bytes:
    """The film, from the first address or, if there is none, from the job itself."""
    address = next(iter(done.addresses), None)
    async with videos.provider.fetch(job.provider_job_id, address) as chunks:
        return b"".join([chunk async for chunk in chunks])


async def test_a_video_is_submitted_polled_and_fetched(videos: Videos) -> None:
    job = await submitted(videos, Done)
    film = await fetched(videos, job, await finished(videos, job))
    assert type_of(film[:16]) in FILMS


async def test_many_videos_are_made_at_a_time(videos: Videos) -> None:
    jobs = await asyncio.gather(*(submitted(videos, Done) for _ in range(8)))
    assert len({job.provider_job_id for job in jobs}) == len(jobs)
    await asyncio.gather(*(finished(videos, job) for job in jobs))


async def test_a_finished_video_is_polled_and_fetched_again(videos: Videos) -> None:
    """A worker that was restarted does."""
    job = await submitted(videos, Done)
    first = await fetched(videos, job, await finished(videos, job))
    assert await fetched(videos, job, await finished(videos, job)) == first


async def test_every_failure_of_a_submission_is_a_value(videos: Videos) -> None:
    for kind in set(_SUBMISSIONS) & set(videos.endings):
        check_failure(await videos.provider.submit(videos.ending(kind)), kind)


async def test_every_bad_end_of_a_video_is_told_by_its_polls(videos: Videos) -> None:
    for kind in set(_POLLS) & set(videos.endings):
        outcome = await polled(videos, await submitted(videos, kind))
        assert type(outcome) is kind, outcome
        if isinstance(outcome, Ended):
            assert outcome.how in {"failed", "cancelled", "expired"}
            assert outcome.reason.strip()


async def test_a_film_that_cannot_be_fetched_is_an_error_of_the_port(videos: Videos) -> None:
    for kind in set(_FILMS) & set(videos.endings):
        job = await submitted(videos, kind)
        done = await finished(videos, job)
        with pytest.raises(kind):
            await fetched(videos, job, done)
