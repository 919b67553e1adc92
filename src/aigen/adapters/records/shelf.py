"""A shelf holds the values of one kind by key, and can undo what was done to it."""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from enum import Enum
from functools import cache
from typing import Any, Final, Generic, Protocol, TypeVar

from attrs import field, frozen

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")
V_contra = TypeVar("V_contra", contravariant=True)


class _Unread(Enum):
    """The shelf says nothing about a key; None would say that there is no such value."""

    UNREAD = "unread"


UNREAD: Final = _Unread.UNREAD


class Index(Protocol[V_contra]):
    """Something that wants to know of every value that comes, changes or goes."""

    def moved(self, before: V_contra | None, after: V_contra | None, /) -> None: ...


IndexT = TypeVar("IndexT", bound=Index[Any])


@frozen(kw_only=True)
class Sweep(Generic[V]):
    """Remove every value that `matches`; `where` says the same in SQL over `parameters`."""

    where: str
    parameters: tuple[object, ...]
    matches: Callable[[V], bool]


@frozen(kw_only=True)
class Mark:
    """A point in a log to which everything can be undone."""

    steps: int
    sweeps: int


@frozen(kw_only=True)
class Difference(Generic[V]):
    """The net change of one value; None stands for absence."""

    before: V | None
    after: V | None


@frozen(eq=False)
class Log:
    """What was done since the last `clear`, over all shelves that share it."""

    _steps: list[tuple["Shelf[Any, Any]", Any, Any]] = field(factory=list, init=False)
    sweeps: list[tuple["Shelf[Any, Any]", Sweep[Any]]] = field(factory=list, init=False)

    def note(self, shelf: "Shelf[K, V]", key: K, before: V | _Unread | None) -> None:
        self._steps.append((shelf, key, before))

    def mark(self) -> Mark:
        return Mark(steps=len(self._steps), sweeps=len(self.sweeps))

    def undo(self, mark: Mark) -> None:
        while len(self._steps) > mark.steps:
            shelf, key, before = self._steps.pop()
            shelf.place(key, before)
        del self.sweeps[mark.sweeps :]

    def net(self) -> "Net":
        """For each shelf the keys whose value is another one now, or was swept and put back,
        with both values."""
        first: dict[Shelf[Any, Any], dict[Any, Any]] = {}
        for shelf, key, before in self._steps:
            first.setdefault(shelf, {}).setdefault(key, None if before is UNREAD else before)
        return {
            shelf: {
                key: Difference(before=before, after=after)
                for key, before in befores.items()
                if (after := shelf.peek(key)) is not before
                or (after is not None and shelf.is_swept(after))
            }
            for shelf, befores in first.items()
        }

    def touched(self) -> Iterator[tuple["Shelf[Any, Any]", Hashable]]:
        """Whatever was put or removed, by shelf and key."""
        return ((shelf, key) for shelf, key, _ in self._steps)

    def unread(self) -> dict["Shelf[Any, Any]", set[Any]]:
        """For each shelf the keys that were put without having been read: nobody knows whether
        there is something under them elsewhere."""
        keys: dict[Shelf[Any, Any], set[Any]] = {}
        for shelf, key, before in self._steps:
            if before is UNREAD:
                keys.setdefault(shelf, set()).add(key)
        return keys

    def clear(self, keep: "Net | None" = None) -> None:
        """Forget what was done. What was removed is unread again, unless `keep` has its key."""
        for shelf, key, _ in self._steps:
            if shelf.peek(key) is None and not (keep and key in keep.get(shelf, ())):
                shelf.place(key, UNREAD)
        self._steps.clear()
        self.sweeps.clear()


Net = dict["Shelf[Any, Any]", dict[Any, Difference[Any]]]


class Lock(Enum):
    """How a change gets at what it searches for, where several are made at the same time."""

    #: All of it, as soon as nobody else has it in hand.
    ALL = "all"
    #: Only what nobody else has in hand.
    FREE = "free"
    #: All that belongs to a worker, the first parameter; nobody gives it more meanwhile.
    LEASED = "leased"
    #: To be looked at or counted; nobody else who asks the same may act on it meanwhile.
    ALONE = "alone"
    #: Just to be looked at.
    NONE = "none"


class Fetch(Protocol):
    """Finds values that are not on a shelf by their keys, all at once; in no order."""

    def __call__(self, shelf: "Shelf[Any, Any]", keys: tuple[Any, ...], /) -> Sequence[Any]: ...


class Search(Protocol):
    """Puts on a shelf what is elsewhere and meets a condition in SQL; what may follow one may
    follow it."""

    def __call__(
        self,
        shelf: "Shelf[Any, Any]",
        where: str,
        parameters: tuple[object, ...],
        lock: Lock,
        /,
    ) -> None: ...


class Shelf(Generic[K, V]):
    """Values by key. `fetch` finds what is not on the shelf, `search` what meets a condition and
    may not be there; without them, the shelf has all of it."""

    def __init__(
        self,
        name: str,
        key_of: Callable[[V], K],
        log: Log,
        fetch: Fetch | None = None,
        search: Search | None = None,
    ) -> None:
        self.name = name
        self.key_of = key_of
        self._log = log
        self._fetch = fetch
        self._search = search
        self._values: dict[K, V | None] = {}
        self._indexes: list[Index[V]] = []

    def index(self, make: Callable[[], IndexT]) -> Callable[[], IndexT]:
        """A function that gives an index over the shelf: built when first asked for and kept up
        to date from then on, since those who only read never need most of them."""

        @cache
        def built() -> IndexT:
            index = make()
            for value in self:
                index.moved(None, value)
            self._indexes.append(index)
            return index

        return built

    def get(self, key: K) -> V | None:
        value = self._values.get(key, UNREAD)
        if value is not UNREAD:
            return value
        found: Sequence[V] = () if self._fetch is None else self._fetch(self, (key,))
        return found[0] if found else None

    def get_many(self, keys: Iterable[K]) -> tuple[V, ...]:
        """Those that there are, in the order of their keys; what is not here is fetched at once."""
        wanted = tuple(dict.fromkeys(keys))
        unread = tuple(key for key in wanted if self._values.get(key, UNREAD) is UNREAD)
        fetched: Sequence[V] = self._fetch(self, unread) if unread and self._fetch else ()
        found = {self.key_of(value): value for value in fetched}
        values = (found.get(key, self.peek(key)) for key in wanted)
        return tuple(value for value in values if value is not None)

    def search(self, where: str, *parameters: object, lock: Lock = Lock.ALL) -> None:
        """To be called before asking the shelf for more than one key: see that all that meets the
        condition is here."""
        if self._search is not None:
            self._search(self, where, parameters, lock)

    def learn(self, value: V) -> None:
        """Take in a value that was found elsewhere, unless the shelf knows better."""
        key = self.key_of(value)
        if self._values.get(key, UNREAD) is UNREAD and not self.is_swept(value):
            self.place(key, value)

    def know(self, keys: Iterable[K], values: Iterable[V]) -> None:
        """Take in what was found elsewhere under these keys: under the others there is nothing."""
        found = {self.key_of(value): value for value in values}
        for key in keys:
            self.place(key, found.get(key))

    def put(self, value: V) -> None:
        key = self.key_of(value)
        self._log.note(self, key, self._values.get(key, UNREAD))
        self.place(key, value)

    def remove(self, key: K) -> None:
        before = self.get(key)
        if before is not None:
            self._log.note(self, key, before)
            self.place(key, None)

    def sweep(self, sweep: Sweep[V]) -> None:
        """Remove what matches, also where the shelf has not read it."""
        for value in [value for value in self if sweep.matches(value)]:
            self.remove(self.key_of(value))
        self._log.sweeps.append((self, sweep))

    def is_swept(self, value: V) -> bool:
        """Whether a value found elsewhere is to be removed by a sweep not yet carried out."""
        return any(shelf is self and sweep.matches(value) for shelf, sweep in self._log.sweeps)

    def place(self, key: K, value: V | _Unread | None) -> None:
        """Set what the shelf says of a key without noting it: to undo, to load, to publish."""
        before = self.peek(key)
        if value is UNREAD:
            self._values.pop(key, None)
            after = None
        else:
            self._values[key] = after = value
        for index in self._indexes:
            index.moved(before, after)

    def peek(self, key: K) -> V | None:
        """The value that lies on the shelf itself."""
        return self._values.get(key)

    def __iter__(self) -> Iterator[V]:
        return (value for value in self._values.values() if value is not None)
