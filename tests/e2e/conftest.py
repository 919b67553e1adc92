"""One simulator for all, an installation for each test that wants one."""

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.e2e.processes import ADMIN, Person, Process, api, simulator


@pytest.fixture(scope="session")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


@pytest.fixture(scope="module")
def house(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    """An API with its worker inside, shared by the tests of a module."""
    process = api(tmp_path_factory.mktemp("house"), provider.url)
    process.start()
    yield process
    assert process.stop() == 0


@pytest.fixture(scope="module")
def root(house: Process) -> Iterator[Person]:
    person = Person.log_in(house.url, ADMIN["email"], ADMIN["password"])
    yield person
    person.close()


@pytest.fixture
def new_api(provider: Process, tmp_path: Path) -> Iterator[Callable[..., Process]]:
    """Makes APIs on one data dir of the test's own; whatever still runs is killed."""
    made: list[Process] = []

    def make(*options: str, **settings: str) -> Process:
        made.append(api(tmp_path, provider.url, *options, **settings))
        return made[-1]

    yield make
    for process in made:
        if process._child is not None and process.child.poll() is None:
            process.kill()
