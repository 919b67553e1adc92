"""What holds for every test."""

from collections.abc import Iterator

import pytest
from hypothesis import settings

from tests.postgres.server import Server, running_server

# The same examples each time, and however long one takes: a test that fails today and not
# tomorrow, or only on a slow machine, says nothing. `--hypothesis-profile=explore` looks further.
settings.register_profile("aigen", deadline=None, derandomize=True)
settings.register_profile("explore", deadline=None, max_examples=1000)
settings.load_profile("aigen")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--long", action="store_true", help="loops in their full length")


@pytest.fixture(scope="session")
def postgres(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Server]:
    """One PostgreSQL server for all."""
    with running_server(tmp_path_factory.mktemp("postgres")) as server:
        yield server


@pytest.fixture
def database_url(postgres: Server) -> Iterator[str]:
    """An empty database of the test's own."""
    with postgres.database() as url:
        yield url
