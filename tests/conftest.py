"""What holds for every test."""

from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

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
def postgres() -> Iterator[Server]:
    """One PostgreSQL server for all."""
    # Not in one of pytest's folders: they are closed to all others whenever a second pytest
    # begins, and PostgreSQL does not run as root.
    with TemporaryDirectory(prefix="aigen-postgres-") as folder:
        Path(folder).chmod(0o755)
        with running_server(Path(folder) / "data") as server:
            yield server


@pytest.fixture
def database_url(postgres: Server) -> Iterator[str]:
    """An empty database of the test's own."""
    with postgres.database() as url:
        yield url
