"""Bringing the schema up to date, one process at a time."""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager

from aigen.adapters.postgres.database import Connection
from aigen.adapters.sql.migrations import Migration, migrations_of, missing
from aigen.adapters.sql.moves import must_not_be_filled
from aigen.adapters.sql.rows import Row

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


def migrate(connection: Connection) -> list[Migration]:
    """Bring the schema up to date, each step in a transaction of its own; what was applied.

    Whoever else wants to migrate waits meanwhile. Raises DatabaseTooNew, DatabaseDamaged, and
    InstallationClosed while an installation moves here.
    """

    def ask(sql: str, parameters: tuple[object, ...] = (), /) -> Sequence[Row]:
        return connection.execute(sql.encode(), parameters).fetchall()

    with one_at_a_time(connection):
        must_not_be_filled(ask)
        connection.execute(_REGISTER)
        steps = _missing(connection)
        for migration in steps:
            with connection.transaction():
                connection.execute(migration.sql.encode())
                connection.execute(
                    "INSERT INTO migrations (number, name, checksum) VALUES ($1, $2, $3)",
                    (migration.number, migration.name, migration.checksum),
                )
    return steps


def is_up_to_date(connection: Connection) -> bool:
    """Whether a database has our schema. Raises as `migrate`."""
    return not _missing(connection)


@contextmanager
def one_at_a_time(connection: Connection) -> Iterator[None]:
    """A block in which nobody else migrates; it may stand in another one."""
    connection.execute("SELECT pg_advisory_lock($1)", (_LOCK,))
    try:
        yield
    finally:
        connection.execute("SELECT pg_advisory_unlock($1)", (_LOCK,))


def _missing(connection: Connection) -> list[Migration]:
    rows = connection.execute("SELECT number, checksum FROM migrations").fetchall()
    return missing(dict(rows), known())
