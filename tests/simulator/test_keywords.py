"""Every keyword of the table does what the table says."""

from collections.abc import AsyncIterator

import httpx
import pytest

from aigen.adapters.openrouter.simulator import KEYWORDS_HELP, Simulator
from aigen.adapters.openrouter.simulator import serve_simulator as serve
from aigen.adapters.openrouter.simulator.keywords import EVERYWHERE, KEYWORDS, Keyword
from tests.simulator.conftest import NO_TLS
from tests.simulator.desk import Desk
from tests.simulator.keyword_checks import CHECKS


@pytest.fixture
async def desk() -> AsyncIterator[Desk]:
    sleeps: list[float] = []

    async def sleep(seconds: float) -> None:
        sleeps.append(seconds)

    headers = {"Authorization": "Bearer k"}
    async with (
        serve(Simulator(sleep=sleep)) as running,
        httpx.AsyncClient(
            base_url=running.url, headers=headers, trust_env=False, verify=NO_TLS
        ) as client,
    ):
        yield Desk(running, client, sleeps)


@pytest.mark.parametrize("name", [keyword.name for keyword in KEYWORDS])
async def test_each_keyword_does_what_it_says(desk: Desk, name: str) -> None:
    await CHECKS[name](desk)


SAMPLES = {"SECONDS": "1", "N": "1", "STATUS": "500", "REASON": "why", "URL": "https://a.example"}


@pytest.mark.parametrize(
    ("keyword", "route"),
    [(keyword, route) for keyword in KEYWORDS for route in keyword.where],
    ids=lambda value: value.name if isinstance(value, Keyword) else value,
)
async def test_the_work_is_taken_as_the_table_says(
    desk: Desk, keyword: Keyword, route: str
) -> None:
    value = f"={SAMPLES[keyword.value.name]}" if keyword.value else ""
    prompt = f"fox sim:{keyword.name}{value}"
    if keyword.name == "hang":
        assert await desk.hangs(route, prompt)
    elif keyword.name in {"reset", "reset-early"}:
        with pytest.raises(httpx.ReadError):
            await desk.anywhere(route, prompt)
    else:
        await desk.anywhere(route, prompt)
    assert (await desk.accepted())[route] == (keyword.accepted is not False)


@pytest.mark.parametrize("route", EVERYWHERE)
async def test_a_word_without_a_meaning_there_does_nothing(desk: Desk, route: str) -> None:
    for keyword in KEYWORDS:
        if route not in keyword.where:
            value = f"={SAMPLES[keyword.value.name]}" if keyword.value else ""
            response = await desk.anywhere(route, f"fox sim:{keyword.name}{value}")
            assert response.is_success


def test_the_help_names_every_keyword() -> None:
    for keyword in KEYWORDS:
        assert keyword.usage in KEYWORDS_HELP
        assert keyword.effect in KEYWORDS_HELP


def test_no_check_is_left_over() -> None:
    assert set(CHECKS) == {keyword.name for keyword in KEYWORDS}
