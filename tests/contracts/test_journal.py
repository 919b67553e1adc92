"""Every journal keeps the journal's contract."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from aigen.adapters.file_journal import FileJournal
from aigen.adapters.memory.journal import MemoryJournal
from aigen.ports.jobs import Journal
from aigen.testing.contracts.journal import *  # noqa: F403


@pytest.fixture(params=["memory", "file"])
def journal(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Journal]:
    if request.param == "memory":
        yield MemoryJournal()
        return
    file = FileJournal(tmp_path / "journals")
    yield file
    file.close()
