"""Bringing the schema of the one file up to date."""

import duckdb

from aigen.adapters.sql.migrations import Migration, migrations_of, missing

_REGISTER = """
CREATE TABLE IF NOT EXISTS migrations (
    number INTEGER PRIMARY KEY,
    name VARCHAR NOT NULL,
    checksum VARCHAR NOT NULL,
    applied_at TIMESTAMP NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
)
"""


def known() -> list[Migration]:
    """Our migrations, first to last."""
    return migrations_of("aigen.adapters.duckdb")


def migrate(connection: duckdb.DuckDBPyConnection) -> list[Migration]:
    """Bring the schema up to date, each step in a transaction of its own; what was applied.

    Raises DatabaseTooNew and DatabaseDamaged.
    """
    connection.execute(_REGISTER)
    applied = dict(connection.execute("SELECT number, checksum FROM migrations").fetchall())
    steps = missing(applied, known())
    for migration in steps:
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
    if steps:
        # Replaying a WAL that creates tables is the least tested path of DuckDB: leave none.
        connection.execute("CHECKPOINT")
    return steps
