"""What was made before files were counted in columns of their own is counted by the migration."""

from pathlib import Path
from typing import Any

import duckdb
import pytest

from aigen.adapters.duckdb import migrations as of_duckdb
from aigen.adapters.postgres import migrations as of_postgres
from aigen.adapters.postgres.database import Database
from aigen.adapters.sql.tables import TABLES
from aigen.domain.model.images import ImageStatus
from aigen.domain.model.media import InputImage
from aigen.domain.model.videos import VideoState
from aigen.testing.samples import a_file, a_job, a_user, an_image

USER = a_user()
ELSEWHERE = InputImage(url="https://example.org/fox.png")
MADE: list[Any] = [
    an_image(USER, pictures=(a_file(size=3), a_file(size=2**40))),
    an_image(USER, pictures=(a_file(size=3),), input_image=InputImage(stored=a_file(size=4))),
    an_image(USER, pictures=(), status=ImageStatus.FAILED, input_image=ELSEWHERE),
    a_job(USER),
    a_job(USER, state=VideoState.COMPLETED, media=a_file(size=5)),
    a_job(
        USER,
        state=VideoState.COMPLETED,
        media=a_file(size=2**33),
        first_frame=InputImage(stored=a_file(size=7)),
        last_frame=InputImage(stored=a_file(size=8)),
    ),
    a_job(USER, state=VideoState.FAILED, first_frame=ELSEWHERE, last_frame=ELSEWHERE),
]
COUNTED = {one.id: (len(one.files), sum(file.size for file in one.files)) for one in MADE}
HOMES = {"Image": "generated_images", "VideoJob": "generated_videos"}


def put(connection: Any) -> None:
    """Write them down as was done then."""
    for one in MADE:
        table = TABLES[HOMES[type(one).__name__]]
        places = tuple(
            place for place, name in enumerate(table.names) if not name.startswith("file_")
        )
        names = ", ".join(table.names[place] for place in places)
        marks = ", ".join(f"${number}" for number in range(1, len(places) + 1))
        (row,) = table.rows([one], places)
        connection.execute(f"INSERT INTO {table.name} ({names}) VALUES ({marks})", row)


def counted(connection: Any) -> dict[str, tuple[int, int]]:
    rows = [
        row
        for name in HOMES.values()
        for row in connection.execute(f"SELECT id, file_count, file_bytes FROM {name}").fetchall()
    ]
    return {str(found): (count, size) for found, count, size in rows}


def test_on_duckdb(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    connection = duckdb.connect(tmp_path / "aigen.duckdb")
    before(of_duckdb, connection, monkeypatch)
    put(connection)
    monkeypatch.undo()
    assert [step.number for step in of_duckdb.migrate(connection)][:1] == [3]
    assert counted(connection) == COUNTED
    connection.close()


def test_on_postgres(database_url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    with Database(database_url).connect() as connection:
        before(of_postgres, connection, monkeypatch)
        put(connection)
        monkeypatch.undo()
        assert [step.number for step in of_postgres.migrate(connection)][:1] == [3]
        assert counted(connection) == COUNTED


def before(migrations: Any, connection: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    """The schema that had no such columns."""
    first = [migration for migration in migrations.known() if migration.number < 3]
    monkeypatch.setattr(migrations, "known", lambda: first)
    migrations.migrate(connection)
