"""What lies in a data dir that nobody has open, or in PostgreSQL, and what must be true of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable, Mapping
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.postgres.database import Database
from aigen.adapters.postgres.store import PostgresStore
from aigen.adapters.sql.tables import (
    CHARGES,
    IMAGES,
    MEDIA_REMOVALS,
    PROVIDER_JOBS,
    TALLIES,
    TEXTS,
    VIDEOS,
)
from aigen.domain.model.images import Image, ImageStatus
from aigen.domain.model.ledger import Charge, ChargeState, Tally
from aigen.domain.model.media import folder_of
from aigen.domain.model.texts import Text
from aigen.domain.model.videos import VideoJob, VideoState
from tests.e2e.processes import submissions

_TABLES = (VIDEOS, IMAGES, TEXTS, CHARGES, TALLIES, PROVIDER_JOBS, MEDIA_REMOVALS)

#: Answers after which the provider has surely not taken the job.
_SURELY_NOT = {400, 401, 402, 403, 404, 413, 422, 429}


@frozen(kw_only=True)
class Books:
    jobs: dict[str, VideoJob]
    images: dict[str, Image]
    texts: dict[str, Text]
    charges: dict[str, Charge]
    tallies: dict[str, Tally]
    removals: set[str]

    # --- money --------------------------------------------------------------------------------

    def must_balance(self) -> None:
        """All that was made has its charge, and what was counted is what was charged."""
        assert {*self.jobs, *self.images, *self.texts} <= set(self.charges)
        for found in self.jobs.values():
            _must_fit(found, self.charges[found.id])
        answered: list[Text | Image] = [*self.texts.values(), *self.images.values()]
        for made in answered:
            charge = self.charges[made.id]
            is_known = not charge.is_open and not charge.is_estimated
            assert not is_known or charge.cost_usd == (made.cost_usd or 0), (made, charge)
        for tally in self.tallies.values():
            charges = [c for c in self.charges.values() if tally.owner in {c.user_id, c.key_id}]
            of_day = [c for c in charges if c.created_at.date() == tally.day]
            assert tally.spent_day == total(c.cost_usd for c in of_day), tally
            assert tally.reserved_day == total(c.held_usd for c in of_day), tally
            assert tally.spent_month == total(c.cost_usd for c in charges), tally
            assert tally.reserved_month == total(c.held_usd for c in charges), tally

    # --- files --------------------------------------------------------------------------------

    def must_have_their_films(self, media: Path) -> None:
        """A completed job has its film, whole; no other job has one; no film is nobody's."""
        self.must_have_these_films(digests_in(media, "*.mp4"))

    def must_have_these_films(self, films: Mapping[str, str]) -> None:
        """The same of films that lie elsewhere: digests by key."""
        for found in self.jobs.values():
            assert (found.media is not None) is (found.state is VideoState.COMPLETED), found
            if found.media is not None:
                assert films.get(found.media.key) == found.media.sha256, found
        owned = {found.media.key for found in self.jobs.values() if found.media is not None}
        assert set(films) - owned <= self.removals, "a film is nobody's, and not noted for removal"

    def must_have_these_pictures(self, pictures: Mapping[str, str]) -> None:
        """A completed image has its pictures, whole, and every picture is somebody's."""
        for image in self.images.values():
            assert bool(image.pictures) is (image.status is ImageStatus.COMPLETED), image
            for picture in image.pictures:
                assert pictures.get(picture.key) == picture.sha256, image
        made: list[Image | VideoJob] = [*self.images.values(), *self.jobs.values()]
        folders = {folder_of(one.user_id, one.id) for one in made}
        assert {key.rpartition("/")[0] + "/" for key in pictures} <= folders


def digests_in(media: Path, pattern: str = "*.*") -> dict[str, str]:
    """Of every file in a folder, by its key."""
    files = [file for file in media.rglob(pattern) if file.is_file()]
    return {str(file.relative_to(media)): digest(file.read_bytes()) for file in files}


def digest(content: bytes) -> str:
    return sha256(content).hexdigest()


def books(data: Path) -> Books:
    """Read them; whoever had the database open has to be gone."""
    return asyncio.run(_read(DuckdbStore(data / "aigen.duckdb")))


def books_on_server(url: str) -> Books:
    """Read those of a database on PostgreSQL, which others may have open as well."""
    return asyncio.run(_read(PostgresStore(Database(url))))


async def _read(store: DuckdbStore | PostgresStore) -> Books:
    await store.open()
    rows: dict[str, list[Any]] = {table.name: [] for table in _TABLES}
    try:
        for table in _TABLES:
            await store.examine(table, rows[table.name].append)
    finally:
        await store.close()
    jobs, charges = rows[VIDEOS.name], rows[CHARGES.name]
    owners = Counter(owner.provider_job_id for owner in rows[PROVIDER_JOBS.name])
    assert all(owners[j.provider_job_id] == 1 for j in jobs if j.provider_job_id)
    return Books(
        jobs={found.id: found for found in jobs},
        images={image.id: image for image in rows[IMAGES.name]},
        texts={text.id: text for text in rows[TEXTS.name]},
        charges={charge.id: charge for charge in charges},
        tallies={tally.owner: tally for tally in rows[TALLIES.name]},
        removals={removal.prefix for removal in rows[MEDIA_REMOVALS.name]},
    )


def _must_fit(found: VideoJob, charge: Charge) -> None:
    assert charge.user_id == found.user_id
    if not found.is_terminal or found.is_unknown:
        assert charge.is_open, (found, charge)
        assert charge.closes_at is None
    elif charge.is_open:  # its cost is being looked for, but not for ever
        assert charge.closes_at is not None, (found, charge)
    elif not found.may_be_charged:
        assert charge.cost_usd == 0, (found, charge)
    elif not charge.is_estimated:
        assert charge.state is ChargeState.SETTLED
        assert charge.cost_usd == found.cost_usd, (found, charge)


def total(amounts: Iterable[Decimal]) -> Decimal:
    return sum(amounts, Decimal(0))


def possible_purchases(provider_url: str, prompts: Iterable[str]) -> Counter[str]:
    """How often each prompt was sent so that the provider could have taken it."""
    wanted = set(prompts)
    return Counter(
        entry["prompt"]
        for entry in submissions(provider_url)
        if entry["prompt"] in wanted and could_be_bought(entry)
    )


def could_be_bought(entry: Mapping[str, Any]) -> bool:
    """Whether the provider has taken this request, or answered so that it could have."""
    return bool(entry["accepted"]) or entry["status"] not in _SURELY_NOT
