"""Videos of the simulator: ordered, polled until they are made, and fetched."""

from decimal import Decimal

import pytest

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.simulator import SimulatorOptions, serve_simulator
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.ports.provider import (
    Accepted,
    ContentMissing,
    ContentUnavailable,
    Done,
    Ended,
    InProgress,
    Missing,
    PollOutcome,
    Unreachable,
    VideoSubmission,
)
from tests.openrouter.conftest import KEY, Connect


async def accepted(clients: OpenRouterClients, prompt: str) -> Accepted:
    outcome = await OpenRouterVideos(clients).submit(
        VideoSubmission(model="google/veo-3.1-lite", prompt=prompt, duration=4)
    )
    assert isinstance(outcome, Accepted)
    return outcome


async def polled(clients: OpenRouterClients, job: Accepted, times: int = 2) -> PollOutcome:
    """The outcome of the last poll."""
    videos = OpenRouterVideos(clients)
    polls = [await videos.poll(job.provider_job_id, job.polling_url) for _ in range(times)]
    return polls[-1]


async def fetched(clients: OpenRouterClients, job: Accepted, address: str | None = None) -> bytes:
    async with OpenRouterVideos(clients).fetch(job.provider_job_id, address) as chunks:
        return b"".join([chunk async for chunk in chunks])


@pytest.mark.parametrize("style", ["relative", "absolute"])
@pytest.mark.parametrize("ids", ["gen-vid", "short"])
async def test_a_film_is_made_and_fetched(connect: Connect, style: str, ids: str) -> None:
    options = SimulatorOptions(api_key=KEY, polling_url_style=style, job_id_style=ids)
    async with serve_simulator(options) as running:
        clients = connect(running.url)
        job = await accepted(clients, "a fox")
        assert await polled(clients, job, 1) == InProgress()
        done = await polled(clients, job, 1)
        assert isinstance(done, Done)
        assert done.cost_usd == Decimal("0.2")
        signed, content = done.addresses
        assert "signature=" in signed
        assert content.endswith("/content?index=0")
        films = [await fetched(clients, job, address) for address in (signed, content, None)]
        assert films[0][4:8] == b"ftyp"
        assert films[0] == films[1] == films[2]


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("sim:nocost", Done),
        ("sim:forever", InProgress()),
        ("sim:fail=too_dark", Ended),
        ("sim:cancelled", Ended),
        ("sim:expired", Ended),
        ("sim:nourl", Done(cost_usd=Decimal("0.2"))),
        ("sim:poll-404=2", Missing()),
        ("sim:poll-error=2", Unreachable(reason="Internal Server Error")),
    ],
)
async def test_what_a_poll_finds_has_a_name(
    clients: OpenRouterClients, keyword: str, expected: object
) -> None:
    outcome = await polled(clients, await accepted(clients, keyword))
    assert outcome == expected if not isinstance(expected, type) else type(outcome) is expected
    if isinstance(outcome, Ended):
        assert outcome.how in keyword.replace("fail", "failed")
        assert outcome.reason == "too dark" or "fail" not in keyword


async def test_a_status_that_nobody_knows_means_that_it_goes_on(clients: OpenRouterClients) -> None:
    job = await accepted(clients, "sim:unknown-status")
    assert await polled(clients, job, 1) == InProgress()
    assert isinstance(await polled(clients, job, 1), Done)


@pytest.mark.parametrize(
    ("keyword", "error"),
    [
        ("sim:nocontent", ContentMissing),
        ("sim:gone", ContentMissing),
        ("sim:content-error=1", ContentUnavailable),
        ("sim:content-cut=1", ContentUnavailable),
    ],
)
async def test_a_film_that_cannot_be_had(
    clients: OpenRouterClients, keyword: str, error: type[ContentUnavailable]
) -> None:
    job = await accepted(clients, keyword)
    await polled(clients, job)
    with pytest.raises(ContentUnavailable) as caught:
        await fetched(clients, job)
    assert type(caught.value) is error


async def test_an_unfinished_film_cannot_be_had_yet(clients: OpenRouterClients) -> None:
    job = await accepted(clients, "a fox")
    with pytest.raises(ContentUnavailable, match="the answer was 409"):
        await fetched(clients, job)


async def test_a_film_in_vain_can_be_fetched_again(clients: OpenRouterClients) -> None:
    job = await accepted(clients, "sim:content-error=1 sim:content-cut=1")
    await polled(clients, job)
    for _ in range(2):
        with pytest.raises(ContentUnavailable):
            await fetched(clients, job)
    assert (await fetched(clients, job))[4:8] == b"ftyp"
