"""Numbered, checksummed migrations: what was applied must be what we have, in our order."""

import hashlib
from importlib.resources import files

import duckdb
from attrs import frozen

from aigen.domain.model.errors import DatabaseDamaged, DatabaseTooNew

_REGISTER = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    checksum VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
)
"""


@frozen(kw_only=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def known() -> list[Migration]:
    """Our migrations, first to last."""
    folder = files("aigen.adapters.duckdb") / "migrations"
    return sorted(
        (
            Migration(
                number=int(file.name[:4]),
                name=file.name.removesuffix(".sql"),
                sql=file.read_text(encoding="utf-8"),
            )
            for file in folder.iterdir()
            if file.name.endswith(".sql")
        ),
        key=lambda migration: migration.number,
    )


def migrate(connection: duckdb.DuckDBPyConnection) -> list[Migration]:
    """Bring the schema up to date, each step in a transaction of its own; what was applied.

    Raises DatabaseTooNew for a schema from the future, DatabaseDamaged if an applied migration
    is not the one that we know under its number.
    """
    connection.execute(_REGISTER)
    applied: dict[int, str] = dict(
        connection.execute("SELECT number, checksum FROM migrations").fetchall()
    )
    ours = known()
    _check(applied, ours)
    missing = [migration for migration in ours if migration.number not in applied]
    for migration in missing:
        connection.begin()
        try:
            connection.execute(migration.sql)
            connection.execute(
                "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                (migration.number, migration.name, migration.checksum),
            )
        except duckdb.Error:
            connection.rollback()
            raise
        connection.commit()
    if missing:
        # Replaying a WAL that creates tables is the least tested path of DuckDB: leave none.
        connection.execute("CHECKPOINT")
    return missing


def _check(applied: dict[int, str], ours: list[Migration]) -> None:
    if applied and max(applied) > max(migration.number for migration in ours):
        raise DatabaseTooNew
    for migration in ours:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise DatabaseDamaged(
                f"The database was changed by another migration {migration.number} than ours "
                f"({migration.name}): restore a backup or use the aigen that wrote it."
            )
