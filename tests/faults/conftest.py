"""One simulator for all; houses that end with their test."""

from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import pytest

from tests.e2e.processes import Process, simulator
from tests.faults.houses import House, house

#: `--long` goes on from here with other seeds.
SEED = 4711
LONG_RUNS = 10


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    if "seed" in metafunc.fixturenames:
        runs = LONG_RUNS if metafunc.config.getoption("--long") else 1
        metafunc.parametrize("seed", range(SEED, SEED + runs))


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        options = {"journal_entries": 1_000_000, "finished_jobs": 100_000}
        httpx.put(f"{running.url}/simulator/options", json=options, trust_env=False)
        yield running


@pytest.fixture
def new_house(tmp_path: Path) -> Iterator[Callable[..., House]]:
    """Makes houses: `new_house(provider_url, *options, **settings)`."""
    with ExitStack() as stack:
        number = iter(range(100))

        def make(provider_url: str, *options: str, **settings: str) -> House:
            folder = tmp_path / f"house-{next(number)}"
            return stack.enter_context(house(folder, provider_url, *options, **settings))

        yield make
