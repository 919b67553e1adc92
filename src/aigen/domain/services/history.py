"""What a user has had made, of all kinds together: listed, removed, and taken along."""

from collections.abc import Collection, Iterator, Mapping, Sequence
from heapq import merge

from attrs import field, frozen

from aigen.domain.model.bundles import Bundle, bundled
from aigen.domain.model.errors import AigenError, InvalidRequest, JobUnfinished, NotFound
from aigen.domain.model.generations import Generation
from aigen.domain.model.ledger import Kind
from aigen.domain.model.pages import Page
from aigen.domain.model.videos import VideoJob, VideoStatus
from aigen.domain.services.files import Files
from aigen.domain.services.removal import found, remove
from aigen.ports.clock import Clock
from aigen.ports.store import HistoryQuery, Records, Store

#: More at once would make others wait for the store.
MOST_AT_ONCE = 200


@frozen(kw_only=True)
class Removed:
    """The ids of what is gone, and why the others are not."""

    deleted: tuple[str, ...]
    kept: Mapping[str, AigenError] = field(factory=dict)


class History:
    def __init__(self, store: Store, files: Files, clock: Clock) -> None:
        self._store = store
        self._files = files
        self._clock = clock

    async def list(
        self, query: HistoryQuery, kinds: Collection[Kind] = tuple(Kind)
    ) -> Page[Generation]:
        """A page of the user's generations of these kinds as one list. Of a kind that cannot have
        the status of the query there are none."""
        return await self._store.read(lambda records: _page(records, query, kinds))

    async def remove(self, user_id: str, ids: Sequence[str]) -> Removed:
        """Remove those of these ids that can be removed, with their files, in one change. The
        others are kept with JobUnfinished, or with NotFound, also for somebody else's.

        Raises InvalidRequest if there are too many.
        """
        _check(ids)
        now = self._clock.now()

        def change(records: Records) -> Removed:
            own = _own(records, user_id, ids)
            kept: dict[str, AigenError] = {
                wanted: JobUnfinished() if wanted in own else NotFound()
                for wanted in ids
                if not _can_go(own.get(wanted))
            }
            remove(records, [one for one in own.values() if one.id not in kept], now)
            return Removed(deleted=tuple(one for one in own if one not in kept), kept=kept)

        removed = await self._store.write(change)
        await self._files.carry_out_removals()
        return removed

    async def bundle(self, user_id: str, ids: Sequence[str]) -> Bundle:
        """The files of these ids, to be taken along together.

        Raises InvalidRequest if there are too many, NotFound if there is none at all.
        """
        _check(ids)
        own = await self._store.read(lambda records: _own(records, user_id, ids))
        newest_first = sorted(own.values(), key=lambda generation: generation.id, reverse=True)
        files = tuple(bundled(newest_first))
        if not files:
            raise NotFound("There is no file among these, or they are not yours.")
        unknown = (wanted for wanted in dict.fromkeys(ids) if wanted not in own)
        return Bundle(files=files, unknown=tuple(unknown))


def _page(records: Records, query: HistoryQuery, kinds: Collection[Kind]) -> Page[Generation]:
    """Ids of all kinds grow with time: what is on the page is on the same page of its kind."""
    pages = tuple(_pages(records, query, kinds))
    found = tuple(merge(*(page.items for page in pages), key=_id_of, reverse=True))
    shown = found[: query.page.limit]
    has_more = len(found) > len(shown) or any(page.next_before for page in pages)
    return Page(items=shown, next_before=shown[-1].id if has_more else None)


def _pages(
    records: Records, query: HistoryQuery, kinds: Collection[Kind]
) -> Iterator[Page[Generation]]:
    if Kind.TEXT in kinds and query.status in {None, VideoStatus.COMPLETED}:
        yield records.texts.page(query)
    if Kind.IMAGE in kinds:
        yield records.images.page(query)
    if Kind.VIDEO in kinds:
        yield records.videos.page(query)


def _id_of(generation: Generation) -> str:
    return generation.id


def _check(ids: Sequence[str]) -> None:
    if not 1 <= len(ids) <= MOST_AT_ONCE:
        raise InvalidRequest(f"`ids` must have from 1 to {MOST_AT_ONCE} entries.", field="ids")


def _own(records: Records, user_id: str, ids: Sequence[str]) -> dict[str, Generation]:
    """The user's own of these, in the order in which they were asked for."""
    everybodys = found(records, ids)
    return {
        wanted: everybodys[wanted]
        for wanted in ids
        if wanted in everybodys and everybodys[wanted].user_id == user_id
    }


def _can_go(generation: Generation | None) -> bool:
    is_unfinished = isinstance(generation, VideoJob) and not generation.is_terminal
    return generation is not None and not is_unfinished
