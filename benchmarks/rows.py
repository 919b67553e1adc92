"""Bytes that a row takes up in PostgreSQL, its share of the indexes included.

The rows that an installation has written are multiplied under new ids, of many owners, and the size
of the table is divided by them.
"""

from collections.abc import Sequence

import psycopg
from attrs import frozen

ROWS = 100_000
OWNERS = 10_000


@frozen(kw_only=True)
class Kind:
    """A table; the column that grows with time, and those that point to one of many owners."""

    table: str
    key: str
    owner: str | None = "user_id"
    unique: tuple[str, ...] = ()
    where: str = "true"


KINDS = (
    Kind(table="users", key="id", owner=None, unique=("email", "identity")),
    Kind(table="sessions", key="id"),
    Kind(table="refresh_tokens", key="jti"),
    Kind(table="generated_texts", key="id"),
    Kind(table="generated_images", key="id"),
    Kind(table="generated_videos", key="id", where="status = 'completed'"),
    Kind(table="provider_jobs", key="video_id", unique=("provider_job_id",)),
    Kind(table="charges", key="id"),
    Kind(table="tallies", key="owner", owner=None),
)

#: The n-th id: a time, as in a UUIDv7, and what tells it from others of that time.
_KEY = "lpad(to_hex(1780000000000 + n), 12, '0') || '7abc8' || substr(md5(n::text), 1, 15)"
_OWNER = f"('0190000000007abc8' || substr(md5((n * 7919 % {OWNERS})::text), 1, 15))"


def bytes_of_rows(url: str) -> dict[str, int]:
    """Of each table, for a row."""
    with psycopg.connect(url, autocommit=True) as connection:
        return {kind.table: _bytes_of(connection, kind) for kind in KINDS}


def _bytes_of(connection: psycopg.Connection, kind: Kind) -> int:
    columns = _columns(connection, kind.table)
    names = ", ".join(name for name, _ in columns)
    values = ", ".join(_value(kind, name, type_) for name, type_ in columns)
    connection.execute(
        f"INSERT INTO {kind.table} ({names}) SELECT {values} FROM generate_series(1, {ROWS}) AS n"
        " JOIN (SELECT *, row_number() OVER () AS place, count(*) OVER () AS places"
        f" FROM {kind.table} WHERE {kind.where}) AS found ON place = n % places + 1"
        " ORDER BY n".encode()
    )
    connection.execute(f"VACUUM ANALYZE {kind.table}".encode())
    ((rows, size),) = connection.execute(
        f"SELECT count(*), pg_total_relation_size('{kind.table}') FROM {kind.table}".encode()
    ).fetchall()
    if rows < ROWS:
        raise RuntimeError(f"{kind.table} has {rows} rows only")
    return round(int(size) / int(rows))


def _columns(connection: psycopg.Connection, table: str) -> Sequence[tuple[str, str]]:
    return connection.execute(
        "SELECT attname, format_type(atttypid, NULL) FROM pg_attribute"
        " WHERE attrelid = %s::regclass AND attnum > 0 AND NOT attisdropped",
        (table,),
    ).fetchall()


def _value(kind: Kind, name: str, type_: str) -> str:
    """How the n-th row has this column."""
    if name == kind.key:
        return f"({_KEY})::uuid::{type_}"
    if name == kind.owner:
        return f"{_OWNER}::{type_}"
    return f"to_hex(n) || {name}" if name in kind.unique else name
