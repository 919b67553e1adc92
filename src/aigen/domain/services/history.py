"""What a user has had made, of all kinds together: removed, and taken along."""

from collections.abc import Mapping, Sequence

from attrs import field, frozen

from aigen.domain.model.bundles import Bundle, bundled
from aigen.domain.model.errors import AigenError, InvalidRequest, JobUnfinished, NotFound
from aigen.domain.model.generations import Generation
from aigen.domain.model.videos import VideoJob
from aigen.domain.services.files import Files
from aigen.domain.services.removal import found, remove
from aigen.ports.clock import Clock
from aigen.ports.store import Records, Store

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
