"""What lies in a data dir when nobody has it open, and what must be true of it."""

import asyncio
from collections import Counter
from collections.abc import Iterable
from decimal import Decimal
from hashlib import sha256
from pathlib import Path
from typing import Any

from attrs import frozen

from aigen.adapters.duckdb.store import DuckdbStore
from aigen.adapters.sql.tables import CHARGES, MEDIA_REMOVALS, PROVIDER_JOBS, TALLIES, VIDEOS
from aigen.domain.model.ledger import Charge, ChargeState, Tally
from aigen.domain.model.videos import VideoJob, VideoState
from tests.e2e.processes import submissions

_TABLES = (VIDEOS, CHARGES, TALLIES, PROVIDER_JOBS, MEDIA_REMOVALS)

#: Answers after which the provider has surely not taken the job.
_SURELY_NOT = {400, 401, 402, 403, 404, 413, 422, 429}


@frozen(kw_only=True)
class Books:
    jobs: dict[str, VideoJob]
    charges: dict[str, Charge]
    tallies: dict[str, Tally]
    removals: set[str]

    # --- money --------------------------------------------------------------------------------

    def must_balance(self) -> None:
        """Every job has its charge, and what was counted is what was charged."""
        assert set(self.jobs) <= set(self.charges)
        for found in self.jobs.values():
            _must_fit(found, self.charges[found.id])
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
        for found in self.jobs.values():
            assert (found.media is not None) is (found.state is VideoState.COMPLETED), found
            if found.media is not None:
                digest = sha256((media / found.media.key).read_bytes()).hexdigest()
                assert digest == found.media.sha256, found.media.key
        owned = {found.media.key for found in self.jobs.values() if found.media is not None}
        lying = {str(film.relative_to(media)) for film in media.rglob("*.mp4")}
        assert owned <= lying
        assert lying - owned <= self.removals, "a film is nobody's, and not noted for removal"


def books(data: Path) -> Books:
    """Read them; whoever had the database open has to be gone."""
    return asyncio.run(_read(data / "aigen.duckdb"))


async def _read(file: Path) -> Books:
    store = DuckdbStore(file)
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
        if entry["prompt"] in wanted and (entry["accepted"] or entry["status"] not in _SURELY_NOT)
    )
