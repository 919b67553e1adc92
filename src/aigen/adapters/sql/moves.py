"""Moving from one database to another: the door that is closed meanwhile, and the proof that
everything has arrived."""

from collections.abc import Callable, Iterable
from contextlib import AbstractContextManager
from hashlib import blake2b

from attrs import define, frozen

from aigen.adapters.sql.archive import Ask
from aigen.adapters.sql.rows import Row
from aigen.domain.model.errors import InstallationClosed

_IS_CLOSED = """
SELECT 1 FROM information_schema.tables
WHERE table_schema = current_schema() AND table_name = 'move'
"""

_CLOSE = """
CREATE TABLE move (
    id VARCHAR NOT NULL,
    origin VARCHAR NOT NULL,
    destination VARCHAR NOT NULL,
    has_arrived BOOLEAN NOT NULL
)
"""


@frozen(kw_only=True)
class Move:
    """One move, as both databases know it. On the side that is left, `has_arrived` is true before
    the other side opens, so while it is false nobody has worked there."""

    id: str
    origin: str
    destination: str
    has_arrived: bool = False


class Door:
    """A database is closed while it has a table `move`: then nobody opens it but that move.

    No migration makes this table, and none has to: what does not move has none. `at_once` makes
    what is asked in its block durable as a whole.
    """

    def __init__(self, ask: Ask, at_once: Callable[[], AbstractContextManager[object]]) -> None:
        self._ask = ask
        self._at_once = at_once

    def move(self) -> Move | None:
        """The move that the database is closed for."""
        return move_of(self._ask)

    def close(self, move: Move) -> None:
        with self._at_once():
            self._ask(_CLOSE)
            self._ask(
                "INSERT INTO move VALUES ($1, $2, $3, $4)",
                (move.id, move.origin, move.destination, move.has_arrived),
            )

    def note_arrival(self) -> None:
        """From now on the other side may open, and this one is out of date."""
        with self._at_once():
            self._ask("UPDATE move SET has_arrived = true")

    def open(self) -> None:
        with self._at_once():
            self._ask("DROP TABLE move")


def move_of(ask: Ask) -> Move | None:
    """The move that a database is closed for."""
    if not ask(_IS_CLOSED):
        return None
    ((move_id, origin, destination, has_arrived),) = ask(
        "SELECT id, origin, destination, has_arrived FROM move"
    )
    return Move(id=move_id, origin=origin, destination=destination, has_arrived=has_arrived)


def must_not_be_left(ask: Ask) -> None:
    """Raise InstallationClosed if an installation is leaving this database, or has left it."""
    move = move_of(ask)
    if move is None:
        return
    if move.has_arrived:
        raise InstallationClosed(
            f"This installation has moved to {move.destination}: set AIGEN_DATABASE_URL to it. "
            "`aigen db migrate-to --cancel` tells how to return to what was here."
        )
    raise InstallationClosed(
        f"This installation is moving to {move.destination} and is closed meanwhile: go on with "
        "`aigen db migrate-to`, or stay with `aigen db migrate-to --cancel`."
    )


def must_not_be_filled(ask: Ask) -> None:
    """Raise InstallationClosed while an installation is moving into this database."""
    move = move_of(ask)
    if move is not None:
        raise InstallationClosed(
            f"An installation is moving here from {move.origin}, and not everything has arrived: "
            "run `aigen db migrate-to` there until it says so."
        )


@define
class Fingerprint:
    """Of rows in any order: how many, and the sum of their digests.

    It is taken of the Python values that the drivers give, which are the same for both databases:
    `Decimal` with all its places, times in UTC without saying so, JSON and ids as text.
    """

    rows: int = 0
    total: int = 0

    def add(self, rows: Iterable[Row]) -> int:
        """Take these rows in; how many they were."""
        before = self.rows
        for row in rows:
            # PostgreSQL cannot store NUL; its adapter stores this instead.
            said = repr(row).replace("\\x00", "\ufffd").encode()
            self.total += int.from_bytes(blake2b(said, digest_size=_DIGEST_BYTES).digest())
            self.rows += 1
        self.total %= 1 << 8 * _DIGEST_BYTES
        return self.rows - before

    def __str__(self) -> str:
        return f"{self.total:0{2 * _DIGEST_BYTES}x}"


_DIGEST_BYTES = 16
