"""Polls: what an answer says of a video, and which address is asked."""

import json
from decimal import Decimal
from typing import Any

import pytest

from aigen.adapters.openrouter.simulator import SimulatorOptions, serve_simulator
from aigen.adapters.openrouter.videos import OpenRouterVideos
from aigen.ports.provider import (
    Done,
    Ended,
    InProgress,
    Misconfigured,
    Missing,
    PollOutcome,
    Unreachable,
)
from tests.openrouter.conftest import KEY, Connect, Serve
from tests.openrouter.servers import Connection, answering, http


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


async def test_a_poll_with_a_bad_key_is_our_fault(connect: Connect) -> None:
    async with serve_simulator(SimulatorOptions(api_key="another")) as running:
        outcome = await OpenRouterVideos(connect(running.url)).poll("x", None)
        assert outcome == Misconfigured(reason="Invalid API key")


async def test_a_poll_without_connection_says_nothing_about_the_job(connect: Connect) -> None:
    async with serve_simulator() as running:
        url = running.url
    outcome = await OpenRouterVideos(connect(url)).poll("x", None)
    assert isinstance(outcome, Unreachable)


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
