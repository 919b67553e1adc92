"""The job board for workers on other machines: it does over HTTP what it does in the house."""

from collections.abc import AsyncIterator
from datetime import timedelta
from decimal import Decimal
from typing import Protocol

import pytest
import pytest_asyncio

from aigen.adapters.http.board import HouseClient, HttpJobBoard
from aigen.domain.model.media import MediaType, StoredMedia
from aigen.domain.model.videos import VideoError, VideoJob, VideoState
from aigen.ports.jobs import Claim, Film, JobBoard, LeaseLost, NoFilm
from aigen.ports.provider import Accepted, Misconfigured, NotSent, Refused, SubmitOutcome, Unknown
from aigen.testing import PNG
from aigen.testing.samples import new_id
from tests.api.answers import assert_json
from tests.api.conftest import Serve
from tests.api.test_from_image import data_url
from tests.api.test_videos import submit
from tests.api.world import UNKNOWN_ID, Person, World


class Connect(Protocol):
    async def __call__(self, world: World, token: str | None = None) -> HouseClient: ...


@pytest_asyncio.fixture(loop_scope="package")
async def connect(serve: Serve) -> AsyncIterator[Connect]:
    """Connects a distant worker with the house; closed before the house is."""
    clients: list[HouseClient] = []

    async def make(world: World, token: str | None = None) -> HouseClient:
        http = await serve(world)
        client = HouseClient(str(http.base_url).rstrip("/"), token or "a-worker")
        clients.append(client)
        return client

    yield make
    for client in clients:
        await client.aclose()


@pytest.fixture
def world(common: World) -> World:
    return common


@pytest_asyncio.fixture(loop_scope="package", params=["in the house", "over http"])
async def board(request: pytest.FixtureRequest, world: World, connect: Connect) -> JobBoard:
    """The board, as a worker inside and as a distant one has it."""
    if request.param == "in the house":
        return world.aigen.work
    return HttpJobBoard(await connect(world))


async def stored(world: World, video_id: str) -> VideoJob:
    job = await world.look(lambda records: records.videos.get(video_id))
    assert job is not None
    return job


async def one_claim(board: JobBoard, worker_id: str) -> Claim:
    await board.enlist(worker_id, is_inside=False)
    (claim,) = await board.claim(worker_id, submissions=5)
    return claim


def film(claim: Claim) -> Film:
    media = StoredMedia(
        key=f"{claim.folder}video-{claim.epoch}.mp4",
        media_type=MediaType.MP4,
        size=24,
        sha256="0" * 64,
    )
    return Film(media=media, cost_usd=Decimal("0.123456789012345678"))


# --- claims -----------------------------------------------------------------------------------


async def test_a_claim_holds_all_that_a_worker_must_know(
    world: World, board: JobBoard, ann: Person
) -> None:
    body = {
        "model": "some/film",
        "prompt": 'Ein Fuchs 🦊 \\ " \n\u2028',
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "duration": 8,
        "generate_audio": True,
        "seed": 2**53 - 1,
        "image_url": data_url(PNG),
        "last_image_url": "https://example.org/end.png",
    }
    job = assert_json(await ann.post("/generate/video/from-image", body), 202)
    claim = await one_claim(board, worker_id := new_id())
    now = await stored(world, job["id"])
    assert (now.state, now.worker_id, now.epoch) == (VideoState.SUBMITTING, worker_id, 1)
    assert claim == Claim.of(
        now,
        folder=f"{ann.id}/{job['id']}/",
        callback_url=f"https://api.example.org/provider/callback/{job['id']}.{now.nonce}",
    )
    assert claim.nonce
    assert claim.first_frame is not None
    assert claim.first_frame.stored is not None


async def test_as_many_jobs_are_claimed_as_are_wanted(board: JobBoard, ann: Person) -> None:
    for _ in range(3):
        await submit(ann)
    await board.enlist(worker_id := new_id(), is_inside=False)
    assert await board.claim(worker_id, submissions=0) == ()
    assert len(await board.claim(worker_id, submissions=2)) == 2
    assert len(await board.claim(worker_id, submissions=2)) == 1
    assert await board.claim(worker_id, submissions=2) == ()


async def test_a_worker_without_a_lease_gets_nothing(world: World, board: JobBoard) -> None:
    worker_id = new_id()
    with pytest.raises(LeaseLost):
        await board.claim(worker_id, submissions=1)
    with pytest.raises(LeaseLost):
        await board.renew(worker_id, trouble=None)
    await board.release(worker_id)
    assert await world.look(lambda records: records.workers.all()) == ()


async def test_a_renewal_extends_the_lease_and_carries_trouble(
    world: World, board: JobBoard
) -> None:
    await board.enlist(worker_id := new_id(), is_inside=False)
    world.clock.set(world.clock.now() + timedelta(seconds=30))
    await board.renew(worker_id, trouble="no credit — at all")
    (lease,) = await world.look(lambda records: records.workers.all())
    assert (lease.worker_id, lease.is_inside) == (worker_id, False)
    assert lease.expires_at == world.clock.now() + timedelta(seconds=60)
    assert lease.trouble == "no credit — at all"


async def test_what_a_worker_releases_another_takes_over(board: JobBoard, ann: Person) -> None:
    await submit(ann)
    claim = await one_claim(board, first := new_id())
    accepted = Accepted(provider_job_id="job-1", polling_url="/api/v1/videos/job-1")
    await board.record(claim.video_id, claim.nonce or "", accepted)
    await board.release(first)
    again = await one_claim(board, new_id())
    assert (again.video_id, again.epoch, again.nonce) == (claim.video_id, 2, None)
    assert (again.provider_job_id, again.polling_url) == ("job-1", "/api/v1/videos/job-1")
    with pytest.raises(LeaseLost):
        await board.renew(first, trouble=None)


async def test_a_distant_worker_goes_by_the_clock_of_the_house(
    world: World, connect: Connect
) -> None:
    """Deadlines are the house's; a worker whose own clock is ahead would give up at once."""
    house = await connect(world)
    board, worker_id = HttpJobBoard(house), new_id()
    house.clock.set(world.clock.now() + timedelta(hours=3))
    for lease in (board.enlist(worker_id, is_inside=False), board.renew(worker_id, trouble=None)):
        await lease
        assert abs(house.clock.now() - world.clock.now()) < timedelta(seconds=5)
        house.clock.set(world.clock.now() - timedelta(hours=3))


async def test_what_a_worker_never_heard_of_is_recalled(board: JobBoard, ann: Person) -> None:
    jobs = [await submit(ann) for _ in range(2)]
    await board.enlist(worker_id := new_id(), is_inside=False)
    claims = await board.claim(worker_id, submissions=2)
    assert {claim.video_id for claim in claims} == {job["id"] for job in jobs}
    assert set(await board.recall(worker_id, holding=[])) == set(claims)
    first, second = claims
    assert await board.recall(worker_id, holding={first.video_id}) == (second,)
    assert await board.recall(worker_id, holding={first.video_id, second.video_id}) == ()
    assert await board.recall(new_id(), holding=()) == ()


# --- what came of a submission ------------------------------------------------------------------


async def test_an_acceptance_gives_the_claim_to_poll_with_also_when_repeated(
    world: World, board: JobBoard, ann: Person
) -> None:
    await submit(ann)
    claim = await one_claim(board, new_id())
    for _ in range(2):
        polling = await board.record(
            claim.video_id, claim.nonce or "", Accepted(provider_job_id="job-1")
        )
        assert polling is not None
        assert (polling.provider_job_id, polling.nonce, polling.epoch) == ("job-1", None, 1)
    assert (await stored(world, claim.video_id)).state is VideoState.PROCESSING


OUTCOMES: list[tuple[SubmitOutcome, VideoState, VideoError | None]] = [
    (Refused(reason="no such model"), VideoState.FAILED, VideoError.PROVIDER_REFUSED),
    (
        Unknown(reason="reset"),
        VideoState.FAILED,
        VideoError.SUBMISSION_OUTCOME_UNKNOWN,
    ),
    (Misconfigured(reason="no credit"), VideoState.QUEUED, None),
    (NotSent(reason="overload"), VideoState.QUEUED, None),
    (
        NotSent(reason="overload", retry_after=timedelta(minutes=3)),
        VideoState.QUEUED,
        None,
    ),
]


@pytest.mark.parametrize(("outcome", "state", "code"), OUTCOMES)
async def test_every_other_outcome_ends_or_requeues_the_job(
    world: World,
    board: JobBoard,
    ann: Person,
    outcome: SubmitOutcome,
    state: VideoState,
    code: VideoError | None,
) -> None:
    await submit(ann)
    claim = await one_claim(board, new_id())
    assert await board.record(claim.video_id, claim.nonce or "", outcome) is None
    job = await stored(world, claim.video_id)
    assert (job.state, job.error_code) == (state, code)
    if isinstance(outcome, NotSent) and outcome.retry_after:
        assert job.not_before - world.clock.now() >= outcome.retry_after * 0.8


async def test_an_answer_without_the_right_nonce_changes_nothing(
    world: World, board: JobBoard, ann: Person
) -> None:
    await submit(ann)
    claim = await one_claim(board, new_id())
    before = await stored(world, claim.video_id)
    accepted = Accepted(provider_job_id="job-1")
    assert await board.record(claim.video_id, "another", accepted) is None
    assert await board.record(UNKNOWN_ID, claim.nonce or "", accepted) is None
    assert await stored(world, claim.video_id) == before


# --- the end ----------------------------------------------------------------------------------


async def processing(board: JobBoard, ann: Person) -> Claim:
    await submit(ann)
    claim = await one_claim(board, new_id())
    polling = await board.record(
        claim.video_id, claim.nonce or "", Accepted(provider_job_id="job-1")
    )
    assert polling is not None
    return polling


async def test_a_film_completes_the_job_once_and_with_its_exact_cost(
    world: World, board: JobBoard, ann: Person
) -> None:
    claim = await processing(board, ann)
    made = film(claim)
    assert await board.finish(claim.video_id, claim.epoch, made) is True
    job = await stored(world, claim.video_id)
    assert (job.state, job.media) == (VideoState.COMPLETED, made.media)
    assert job.cost_usd is not None
    assert abs(job.cost_usd - Decimal("0.123456789")) < Decimal("1e-9")
    assert await board.finish(claim.video_id, claim.epoch, made) is True
    late = NoFilm(code=VideoError.DEADLINE, reason="too late")
    assert await board.finish(claim.video_id, claim.epoch, late) is False
    assert await stored(world, claim.video_id) == job


async def test_a_failure_ends_the_job_with_its_reason(
    world: World, board: JobBoard, ann: Person
) -> None:
    claim = await processing(board, ann)
    failure = NoFilm(code=VideoError.NO_CONTENT, reason="Nothing — there.", cost_usd=Decimal(0))
    assert await board.finish(claim.video_id, claim.epoch, failure) is True
    job = await stored(world, claim.video_id)
    assert (job.state, job.error_code) == (VideoState.FAILED, VideoError.NO_CONTENT)
    assert (job.error, job.may_be_charged) == ("Nothing — there.", False)


async def test_a_stale_worker_cannot_finish_a_taken_over_job(
    world: World, board: JobBoard, ann: Person
) -> None:
    claim = await processing(board, ann)
    world.clock.set(world.clock.now() + timedelta(seconds=61))
    taken = await one_claim(board, new_id())
    assert taken.epoch == claim.epoch + 1
    assert await board.finish(claim.video_id, claim.epoch, film(claim)) is False
    assert (await stored(world, claim.video_id)).state is VideoState.PROCESSING
    assert await board.finish(taken.video_id, taken.epoch, film(taken)) is True
