"""The mechanics of tables: how a value becomes a row, and a row becomes the value again."""

import re
from collections.abc import Callable, Iterable, Sequence
from datetime import UTC, datetime
from enum import StrEnum
from itertools import compress
from operator import attrgetter, is_not
from typing import Any, Generic, TypeVar

from attrs import frozen
from cattrs.preconf.json import make_converter

V = TypeVar("V")
Row = Sequence[Any]


@frozen
class Codec:
    """How a column's value travels. None stays None; no function: the driver takes it as it is."""

    encode: Callable[[Any], Any] | None = None
    decode: Callable[[Any], Any] | None = None


@frozen(kw_only=True)
class Column:
    """A column, and the attribute that it holds. One that is derived from others is written for
    questions in SQL and never read back."""

    name: str
    codec: Codec
    attribute: str
    derived_from: frozenset[str] = frozenset()


_ID_FORM = re.compile(r"[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}")


class _RowReader:
    """Reads some columns of a value; attributes in one call of C, thousands of times a second."""

    def __init__(self, columns: Sequence[Column]) -> None:
        # With a single name, attrgetter would give the bare value; the first is read twice.
        self._attributes = attrgetter(columns[0].attribute, *(c.attribute for c in columns))
        self._encoders = [
            (place, column.codec.encode)
            for place, column in enumerate(columns)
            if column.codec.encode is not None
        ]

    def row(self, value: object) -> list[Any]:
        _, *row = self._attributes(value)
        for place, encode in self._encoders:
            if row[place] is not None:
                row[place] = encode(row[place])
        return row


class Table(Generic[V]):
    """One kind of value and its table.

    `resident_where` says in SQL, `is_resident` in Python, which rows the process that owns a
    database keeps in memory, so that it never needs to ask the database for them.
    """

    def __init__(
        self,
        name: str,
        make: Callable[..., V],
        key: tuple[str, ...],
        columns: tuple[Column, ...],
        *,
        resident_where: str = "false",
        is_resident: Callable[[V], bool] = lambda _: False,
    ) -> None:
        self.name = name
        self.key = key
        self.columns = columns
        self.resident_where = resident_where
        self.is_resident = is_resident
        self._make = make
        self.key_places = tuple(self.names.index(name) for name in key)
        self.all_places = tuple(range(len(columns)))
        self._readers: dict[tuple[int, ...], _RowReader] = {}
        own = [place for place, column in enumerate(columns) if not column.derived_from]
        self._own_places = tuple(own)
        self._own = attrgetter(*(columns[place].attribute for place in own))
        self._derived = tuple(
            (place, {self.names.index(name) for name in column.derived_from})
            for place, column in enumerate(columns)
            if column.derived_from
        )

    @property
    def names(self) -> tuple[str, ...]:
        return tuple(column.name for column in self.columns)

    @property
    def key_types(self) -> tuple[str, ...]:
        """What both databases call the types of the primary key."""
        codecs = (self.columns[place].codec for place in self.key_places)
        return tuple("UUID" if codec is ID else "VARCHAR" for codec in codecs)

    @property
    def has_all_resident(self) -> bool:
        return self.resident_where == "true"

    def may_have(self, key: tuple[object, ...]) -> bool:
        """Whether a key has the form that the database can look for. The database would also
        find an id in upper case; the memory would not, so there is one form only."""
        return all(
            self.columns[place].codec is not ID or _ID_FORM.fullmatch(str(part))
            for place, part in zip(self.key_places, key, strict=True)
        )

    def rows(self, values: Iterable[V], places: tuple[int, ...]) -> list[list[Any]]:
        """The columns at `places` of each value, ready for the database."""
        reader = self._readers.get(places)
        if reader is None:
            reader = self._readers[places] = _RowReader([self.columns[place] for place in places])
        return [reader.row(value) for value in values]

    def value(self, row: Row) -> V:
        """The value that a row of all columns stands for."""
        return self._make(
            **{
                column.attribute: found
                if found is None or column.codec.decode is None
                else column.codec.decode(found)
                for column, found in zip(self.columns, row, strict=True)
                if not column.derived_from
            }
        )

    def changed(self, before: V, after: V) -> list[int]:
        """The places of the columns in which two values differ."""
        old, new = self._own(before), self._own(after)
        # Most attributes are the same object; `compress` passes over those in C.
        others = compress(range(len(self._own_places)), map(is_not, old, new))
        changed = [self._own_places[place] for place in others if old[place] != new[place]]
        derived = (place for place, sources in self._derived if not sources.isdisjoint(changed))
        return [*changed, *derived]


_json = make_converter()


def of_enum(kind: type[StrEnum]) -> Codec:
    return Codec(lambda member: member.value, kind)


def of_json(kind: Any) -> Codec:
    return Codec(lambda value: _json.dumps(value, kind), lambda text: _json.loads(text, kind))


PLAIN = Codec()
ID = Codec(None, str)
TIME = Codec(lambda instant: instant.replace(tzinfo=None), lambda naive: naive.replace(tzinfo=UTC))


def columns(**codecs: Codec) -> tuple[Column, ...]:
    """Columns that bear the names of their attributes."""
    return tuple(Column(name=name, codec=codec, attribute=name) for name, codec in codecs.items())


#: Every row is kept in memory.
WHOLLY: Any = {"resident_where": "true", "is_resident": lambda _: True}


def naive(instant: datetime) -> datetime:
    """An instant as the databases store it: UTC without saying so."""
    return instant.replace(tzinfo=None)
