"""Bringing the schema up to date, one process at a time."""

import psycopg

from aigen.adapters.sql.migrations import Migration, migrations_of, missing

_REGISTER = """
CREATE TABLE IF NOT EXISTS migrations (
    number integer PRIMARY KEY,
    name text NOT NULL,
    checksum text NOT NULL,
    applied_at timestamp NOT NULL DEFAULT (now() AT TIME ZONE 'UTC')
)
"""

#: Held by whoever migrates; the numbers say "aigen" to nobody else.
_LOCK = 0x616967656E


def known() -> list[Migration]:
    """Our migrations, first to last."""
    return migrations_of("aigen.adapters.postgres")


def migrate(connection: psycopg.Connection) -> list[Migration]:
    """Bring the schema up to date, each step in a transaction of its own; what was applied.

    Whoever else wants to migrate waits meanwhile. Raises DatabaseTooNew and DatabaseDamaged.
    """
    connection.execute("SELECT pg_advisory_lock($1)", (_LOCK,))
    try:
        connection.execute(_REGISTER)
        rows = connection.execute("SELECT number, checksum FROM migrations").fetchall()
        steps = missing(dict(rows), known())
        for migration in steps:
            with connection.transaction():
                connection.execute(migration.sql.encode())
                connection.execute(
                    "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                    (migration.number, migration.name, migration.checksum),
                )
    finally:
        connection.execute("SELECT pg_advisory_unlock($1)", (_LOCK,))
    return steps
