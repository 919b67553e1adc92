"""Whether a job may have cost something, along every way that it can go."""

from decimal import Decimal
from functools import reduce

import pytest
from hypothesis import given

from aigen.domain.model.errors import AigenError
from aigen.domain.model.videos import IllegalTransition, VideoJob
from tests.domain import jobs
from tests.domain.jobs import Change
from tests.strategies import histories


def complete_unpriced(job: VideoJob) -> VideoJob:
    return jobs.complete(job, None)


def complete_free(job: VideoJob) -> VideoJob:
    return jobs.complete(job, Decimal(0))


def fail_priced(job: VideoJob) -> VideoJob:
    return jobs.fail(job, jobs.CENT)


def fail_free(job: VideoJob) -> VideoJob:
    return jobs.fail(job, Decimal("0.00"))


#: What happened since the job was queued, and whether it may be charged then.
STORIES: list[tuple[tuple[Change, ...], bool]] = [
    ((), False),
    ((jobs.cancel,), False),
    ((jobs.time_out,), False),
    ((jobs.claim,), True),
    ((jobs.claim, jobs.requeue), False),
    ((jobs.claim, jobs.requeue, jobs.cancel), False),
    ((jobs.claim, jobs.requeue, jobs.time_out), False),
    ((jobs.claim, jobs.requeue, jobs.claim), True),
    ((jobs.claim, jobs.refuse), False),
    ((jobs.claim, jobs.lose), True),
    ((jobs.claim, jobs.lose, jobs.accept), True),
    ((jobs.claim, jobs.lose, jobs.adopt), True),
    ((jobs.claim, jobs.lose, jobs.settle_as_charged), True),
    ((jobs.claim, jobs.lose, jobs.settle_as_free), False),
    ((jobs.claim, jobs.cancel), True),
    ((jobs.claim, jobs.cancel, jobs.accept), True),
    ((jobs.claim, jobs.cancel, jobs.lose), True),
    ((jobs.claim, jobs.cancel, jobs.requeue), False),
    ((jobs.claim, jobs.cancel, jobs.refuse), False),
    ((jobs.claim, jobs.accept), True),
    ((jobs.claim, jobs.accept, jobs.take_over), True),
    ((jobs.claim, jobs.accept, jobs.cancel), True),
    ((jobs.claim, jobs.accept, jobs.complete), True),
    ((jobs.claim, jobs.accept, complete_unpriced), True),
    ((jobs.claim, jobs.accept, complete_free), False),
    ((jobs.claim, jobs.accept, jobs.fail), True),
    ((jobs.claim, jobs.accept, fail_priced), True),
    ((jobs.claim, jobs.accept, fail_free), False),
]


@pytest.mark.parametrize(
    ("story", "expected"),
    STORIES,
    ids=["-".join(change.__name__ for change in story) or "queued" for story, _ in STORIES],
)
def test_a_job_may_be_charged_once_it_may_have_been_accepted(
    story: tuple[Change, ...], expected: bool
) -> None:
    job = reduce(lambda job, change: change(job), story, jobs.queued())
    assert job.may_be_charged is expected


@given(histories())
def test_what_the_provider_has_taken_is_free_only_if_somebody_says_so(
    history: list[Change],
) -> None:
    job = jobs.queued()
    for change in history:
        try:
            job = change(job)
        except (IllegalTransition, AigenError):
            continue
        if job.provider_job_id is not None:
            assert job.may_be_charged or job.cost_usd == 0


def test_the_reported_cost_is_kept() -> None:
    assert jobs.completed(jobs.CENT).cost_usd == jobs.CENT
    assert jobs.failed(jobs.CENT).cost_usd == jobs.CENT
    assert jobs.completed(None).cost_usd is None
