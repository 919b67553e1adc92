"""Videos: submitted, polled and fetched."""

import json
from decimal import Decimal
from typing import Any

import pytest

from aigen.adapters.openrouter.clients import OpenRouterClients
from aigen.adapters.openrouter.simulator import RunningSimulator, SimulatorOptions, serve_simulator
from aigen.adapters.openrouter.videos import OpenRouterVideos
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
    SubmitOutcome,
    Unknown,
    Unreachable,
    VideoSubmission,
)
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, Seen, answering, http


def film(prompt: str = "a fox") -> VideoSubmission:
    return VideoSubmission(model="google/veo-3.1-lite", prompt=prompt, duration=4)


async def accepted(clients: OpenRouterClients, prompt: str) -> Accepted:
    outcome = await OpenRouterVideos(clients).submit(film(prompt))
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


# --- submitting, against the simulator --------------------------------------------------------


@pytest.mark.parametrize(
    ("keyword", "expected"),
    [
        ("", Accepted),
        ("sim:refuse", Refused),
        ("sim:moderation", Refused),
        ("sim:notfound", Refused),
        ("sim:toolarge", Refused),
        ("sim:semantic", Refused),
        ("sim:credits", Misconfigured),
        ("sim:badkey", Misconfigured),
        ("sim:ratelimit=3", NotSent),
        ("sim:overloaded=3", NotSent),
        ("sim:http=529", NotSent),
        *((f"sim:http={status}", Unknown) for status in (408, 409, 500, 502, 504, 524)),
        ("sim:html502", Unknown),
        ("sim:raw502", Unknown),
        ("sim:redirect", Unknown),
        ("sim:200-error", Unknown),
        ("sim:reset-early", Unknown),
        ("sim:reset", Unknown),
        ("sim:noid", Unknown),
        ("sim:garbage", Unknown),
    ],
)
async def test_a_submission_ends_in_one_way_and_is_sent_once(
    clients: OpenRouterClients, simulator: RunningSimulator, keyword: str, expected: type
) -> None:
    outcome = await OpenRouterVideos(clients).submit(film(f"a fox {keyword}"))
    assert type(outcome) is expected
    assert len(simulator.simulator.journal.entries()) == 1


async def test_a_submission_that_is_not_answered_may_be_charged(
    connect: Connect, simulator: RunningSimulator
) -> None:
    outcome = await OpenRouterVideos(connect(simulator.url, seconds=0.6)).submit(film("sim:hang"))
    assert outcome == Unknown(reason="the provider did not answer in time")
    assert simulator.simulator.journal.summary()["jobs_accepted"] == 1


# --- what is sent, and what is taken for an acceptance ----------------------------------------


async def submit(
    connect: Connect, serve: Serve, answer: bytes, submission: VideoSubmission | None = None
) -> tuple[SubmitOutcome, Seen]:
    server = await serve(answering(answer))
    outcome = await OpenRouterVideos(connect(server.url)).submit(submission or film())
    (seen,) = server.requests
    return outcome, seen


async def test_all_that_is_given_is_sent(connect: Connect, serve: Serve) -> None:
    submission = VideoSubmission(
        model="m/v",
        prompt="a fox",
        aspect_ratio="16:9",
        resolution="720p",
        duration=4,
        generate_audio=False,
        seed=0,
        first_frame="data:image/png;base64,AA==",
        last_frame="https://example.com/last.png",
        callback_url="https://app.example/hook",
    )
    _, seen = await submit(connect, serve, http(202, {"id": "x"}), submission)
    assert seen.target == "/api/v1/videos"
    assert seen.json == {
        "model": "m/v",
        "prompt": "a fox",
        "aspect_ratio": "16:9",
        "resolution": "720p",
        "duration": 4,
        "generate_audio": False,
        "seed": 0,
        "frame_images": [
            {
                "type": "image_url",
                "image_url": {"url": "data:image/png;base64,AA=="},
                "frame_type": "first_frame",
            },
            {
                "type": "image_url",
                "image_url": {"url": "https://example.com/last.png"},
                "frame_type": "last_frame",
            },
        ],
        "callback_url": "https://app.example/hook",
    }


async def test_what_is_not_given_is_not_sent(connect: Connect, serve: Serve) -> None:
    submission = VideoSubmission(model="m/v", prompt="a fox")
    _, seen = await submit(connect, serve, http(202, {"id": "x"}), submission)
    assert seen.json == {"model": "m/v", "prompt": "a fox"}


@pytest.mark.parametrize("status", [200, 201, 202])
@pytest.mark.parametrize(
    ("more", "polling_url"),
    [
        ({"polling_url": "/api/v1/videos/x"}, "/api/v1/videos/x"),
        ({"polling_url": "https://elsewhere.example/x", "new": 1}, "https://elsewhere.example/x"),
        ({}, None),
        ({"polling_url": None}, None),
        ({"polling_url": ["x"]}, None),
        ({"polling_url": "x" * 10_000}, None),
        ({"polling_url": "\ud800"}, None),
        ({"status": "failed", "error": "already"}, None),
    ],
)
async def test_an_id_is_an_acceptance(
    connect: Connect, serve: Serve, status: int, more: dict[str, Any], polling_url: str | None
) -> None:
    outcome, _ = await submit(connect, serve, http(status, {"id": "gen vid/é"} | more))
    assert outcome == Accepted(provider_job_id="gen vid/é", polling_url=polling_url)


@pytest.mark.parametrize(
    "body",
    [
        *({"id": job_id} for job_id in (None, 7, "", "x" * 201, "a\nb", "..", ["x"])),
        *({}, [], "x", None, b"", b"<html>", b'{"id": "x'),
        {"data": {"id": "x"}},
        {"error": {"message": "what?"}},
        {"error": "what?"},
    ],
)
async def test_a_success_without_a_usable_id_may_be_charged(
    connect: Connect, serve: Serve, body: object
) -> None:
    outcome, _ = await submit(connect, serve, http(202, body))
    assert isinstance(outcome, Unknown)


# --- polling, against the simulator -----------------------------------------------------------


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


async def test_a_poll_with_a_bad_key_is_our_fault(connect: Connect) -> None:
    async with serve_simulator(SimulatorOptions(api_key="another")) as running:
        outcome = await OpenRouterVideos(connect(running.url)).poll("x", None)
        assert outcome == Misconfigured(reason="Invalid API key")


async def test_a_poll_without_connection_says_nothing_about_the_job(connect: Connect) -> None:
    async with serve_simulator() as running:
        url = running.url
    outcome = await OpenRouterVideos(connect(url)).poll("x", None)
    assert isinstance(outcome, Unreachable)


# --- polls of many shapes ---------------------------------------------------------------------


async def poll(connect: Connect, serve: Serve, answer: bytes) -> PollOutcome:
    server = await serve(answering(answer))
    return await OpenRouterVideos(connect(server.url)).poll("job", None)


@pytest.mark.parametrize(
    "status", ["pending", "in_progress", "queued", "brand new", "", "COMPLETED"]
)
async def test_any_other_status_means_that_it_goes_on(
    connect: Connect, serve: Serve, status: str
) -> None:
    assert await poll(connect, serve, http(200, {"id": "job", "status": status})) == InProgress()


@pytest.mark.parametrize("told", [None, 7, "job"])
async def test_an_id_that_is_no_other_job_s_is_no_matter(
    connect: Connect, serve: Serve, told: object
) -> None:
    assert await poll(connect, serve, http(200, {"id": told, "status": "x"})) == InProgress()


@pytest.mark.parametrize(
    ("body", "ended"),
    [
        ({"status": "failed", "error": "too dark"}, Ended(how="failed", reason="too dark")),
        ({"status": "failed", "error": {"message": "m"}}, Ended(how="failed", reason="m")),
        ({"status": "dead"}, Ended(how="failed", reason="")),
        ({"status": "cancelled", "error": None}, Ended(how="cancelled", reason="")),
        ({"status": "expired", "error": 7}, Ended(how="expired", reason="")),
        (
            {"status": "failed", "usage": {"cost": 0.1}},
            Ended(how="failed", reason="", cost_usd=Decimal("0.1")),
        ),
        ({"status": "failed", "error": f"{KEY}\n" * 99}, None),
    ],
)
async def test_an_end_is_told_with_the_provider_s_reason(
    connect: Connect, serve: Serve, body: dict[str, Any], ended: Ended | None
) -> None:
    outcome = await poll(connect, serve, http(200, body))
    assert isinstance(outcome, Ended)
    assert outcome == (ended or outcome)
    assert KEY not in outcome.reason
    assert len(outcome.reason) <= 500


NO_COSTS: list[object] = [None, -1, 1e6, 1e300, True, "x", "nan", [], {}, [1]]


@pytest.mark.parametrize(
    ("usage", "cost"),
    [
        ({"cost": 0.25}, Decimal("0.25")),
        ({"cost": "0.25"}, Decimal("0.25")),
        ({"cost": 0}, Decimal(0)),
        ({"cost": 1e-12}, Decimal(0)),
        ({"cost": 0.123456789012345}, Decimal("0.1234567890")),
        *(({"cost": cost}, None) for cost in NO_COSTS),
        *((usage, None) for usage in NO_COSTS),
    ],
)
async def test_only_a_believable_cost_is_taken(
    connect: Connect, serve: Serve, usage: object, cost: Decimal | None
) -> None:
    assert await poll(connect, serve, http(200, {"status": "completed", "usage": usage})) == Done(
        cost_usd=cost
    )


@pytest.mark.parametrize("number", [b"NaN", b"Infinity", b"-Infinity", b"9" * 5000, b"1e999"])
async def test_a_cost_that_is_no_number_is_none(
    connect: Connect, serve: Serve, number: bytes
) -> None:
    body = b'{"status": "completed", "usage": {"cost": ' + number + b"}}"
    outcome = await poll(connect, serve, http(200, body))
    assert outcome == Done() or isinstance(outcome, Unreachable)


@pytest.mark.parametrize(
    ("answer", "expected"),
    [
        (http(404, {"error": {"code": 404, "message": "no"}}), Missing()),
        (http(404), Missing()),
        (http(200, {"error": {"code": 404, "message": "no"}}), Missing()),
        (http(401, b"no"), Misconfigured(reason="the provider answered 401")),
        (http(402, {"error": {"message": "pay"}}), Misconfigured(reason="pay")),
        (http(200, {"error": {"code": 402, "message": "pay"}}), Misconfigured(reason="pay")),
        (http(403, {"error": {"message": "no"}}), Unreachable(reason="no")),
        (http(410), Unreachable(reason="the provider answered 410")),
        (http(302, location="/x"), Unreachable(reason="the provider answered 302")),
        (http(502, b"<html>"), Unreachable(reason="the provider answered 502")),
        (http(200, b"<html>"), Unreachable(reason="the provider's answer cannot be read")),
        (http(200, []), Unreachable(reason="the provider's answer cannot be read")),
        (http(200, {"id": "job"}), Unreachable(reason="the provider's answer cannot be read")),
        (http(200, {"status": 7}), Unreachable(reason="the provider's answer cannot be read")),
        (http(200, {"error": "hm"}), Unreachable(reason="hm")),
        (
            http(200, {"id": "another", "status": "completed"}),
            Unreachable(reason="the provider told about another job"),
        ),
    ],
)
async def test_an_answer_that_is_no_news(
    connect: Connect, serve: Serve, answer: bytes, expected: PollOutcome
) -> None:
    assert await poll(connect, serve, answer) == expected


@pytest.mark.parametrize("status", [429, 500, 503])
async def test_the_provider_says_when_to_ask_again(
    connect: Connect, serve: Serve, status: int
) -> None:
    outcome = await poll(connect, serve, http(status, b"later", retry_after="7"))
    assert isinstance(outcome, Unreachable)
    assert outcome.retry_after is not None
    assert outcome.retry_after.total_seconds() == 7


@pytest.mark.parametrize(
    ("body", "addresses"),
    [
        ({}, ()),
        ({"urls": None, "unsigned_urls": None}, ()),
        ({"urls": "https://a.example", "unsigned_urls": {"x": 1}}, ()),
        ({"urls": [7, None, "", "x", "\n", "ftp://a.example/f", "http://a.example/f"]}, ()),
        ({"urls": ["https://user:word@a.example/f", "//a.example/f"]}, ()),
        (
            {
                "unsigned_urls": ["https://b.example/f", "OWN/f"],
                "urls": ["https://a.example/f?s=1"],
            },
            ("https://a.example/f?s=1", "https://b.example/f", "OWN/f"),
        ),
        ({"urls": ["https://a.example/f"] * 9}, ("https://a.example/f",)),
        ({"unsigned_urls": ["/f"]}, ("/f",)),
        (
            {"urls": [f"https://a.example/{place}" for place in range(9)]},
            tuple(f"https://a.example/{place}" for place in range(4)),
        ),
    ],
)
async def test_only_addresses_that_would_be_visited_are_told_the_best_first(
    connect: Connect, serve: Serve, body: dict[str, Any], addresses: tuple[str, ...]
) -> None:
    async def handle(connection: Connection) -> None:
        await connection.request()
        text = json.dumps({"status": "completed"} | body)
        await connection.send(http(200, text.replace("OWN", connection.server.origin).encode()))

    server = await serve(handle)
    outcome = await OpenRouterVideos(connect(server.url)).poll("job", None)
    assert outcome == Done(
        addresses=tuple(address.replace("OWN", server.origin) for address in addresses)
    )


# --- where it is asked ------------------------------------------------------------------------

PENDING = http(200, {"status": "pending"})


@pytest.mark.parametrize("told", ["/api/v1/other/7?x=1", "OWN/api/v1/other/7?x=1"])
async def test_the_told_address_is_asked_on_our_origin(
    connect: Connect, serve: Serve, told: str
) -> None:
    server = await serve(answering(PENDING))
    videos = OpenRouterVideos(connect(server.url))
    assert await videos.poll("job", told.replace("OWN", server.origin)) == InProgress()
    assert [seen.target for seen in server.requests] == ["/api/v1/other/7?x=1"]
    assert server.requests[0].headers["authorization"] == f"Bearer {KEY}"


@pytest.mark.parametrize(
    "told",
    [
        *(
            "FOREIGN/api/v1/videos/job",
            "//FOREIGN/x",
            "http://127.0.0.1@FOREIGN/x",
            "OWN@FOREIGN/x",
        ),
        *("https://OWN/x", "\n", "http://[", ""),
    ],
)
async def test_a_hostile_address_is_not_asked_and_hears_nothing(
    connect: Connect, serve: Serve, told: str
) -> None:
    foreign = await serve(answering(PENDING))
    server = await serve(answering(PENDING))
    host = foreign.origin.removeprefix("http://")
    address = told.replace("//FOREIGN", f"//{host}").replace("@FOREIGN", f"@{host}")
    address = address.replace("FOREIGN", foreign.origin).replace("https://OWN", "https://127.0.0.1")
    address = address.replace("OWN", server.origin)
    assert await OpenRouterVideos(connect(server.url)).poll("job", address) == InProgress()
    assert [seen.target for seen in server.requests] == ["/api/v1/videos/job"]
    assert foreign.connections == 0


async def test_a_redirected_poll_is_not_followed(connect: Connect, serve: Serve) -> None:
    foreign = await serve(answering(PENDING))
    server = await serve(answering(http(307, location=foreign.origin + "/x")))
    outcome = await OpenRouterVideos(connect(server.url)).poll("job", None)
    assert isinstance(outcome, Unreachable)
    assert (len(server.requests), foreign.connections) == (1, 0)


@pytest.mark.parametrize(
    ("job_id", "escaped"),
    [
        ("gen-vid-1-Ab", "gen-vid-1-Ab"),
        ("a/../b", "a%2F..%2Fb"),
        ("a?b#d", "a%3Fb%23d"),
        ("é ü", "%C3%A9%20%C3%BC"),
        ("100%", "100%25"),
    ],
)
async def test_an_odd_id_is_escaped_in_its_addresses(
    connect: Connect, serve: Serve, job_id: str, escaped: str
) -> None:
    server = await serve(answering(http(200, {"status": "pending", "id": job_id})))
    videos = OpenRouterVideos(connect(server.url))
    assert await videos.poll(job_id, None) == InProgress()
    async with videos.fetch(job_id, None) as chunks:
        assert [chunk async for chunk in chunks]
    path = f"/api/v1/videos/{escaped}"
    assert [seen.target for seen in server.requests] == [path, f"{path}/content?index=0"]


async def test_a_told_address_that_leads_nowhere_is_not_the_last_word(
    connect: Connect, serve: Serve
) -> None:
    async def gateway(connection: Connection) -> None:
        seen = await connection.request()
        await connection.send(PENDING if seen.target.startswith("/gate/") else http(404))

    server = await serve(gateway)
    videos = OpenRouterVideos(connect(f"{server.origin}/gate/api/v1"))
    assert await videos.poll("job", "/api/v1/videos/job") == InProgress()


# --- fetching, against the simulator ----------------------------------------------------------


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
