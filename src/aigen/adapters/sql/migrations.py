"""Numbered, checksummed migrations: what was applied must be what we have, in our order."""

import hashlib
from collections.abc import Mapping, Sequence
from importlib.resources import files

from attrs import frozen

from aigen.domain.model.errors import DatabaseDamaged, DatabaseTooNew


@frozen(kw_only=True)
class Migration:
    number: int
    name: str
    sql: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.sql.encode()).hexdigest()


def migrations_of(package: str) -> list[Migration]:
    """The migrations in a package's folder `migrations`, first to last."""
    folder = files(package) / "migrations"
    return sorted(
        (
            Migration(
                number=int(file.name[:4]),
                name=file.name.removesuffix(".sql"),
                sql=file.read_text(encoding="utf-8"),
            )
            for file in folder.iterdir()
            if file.name.endswith(".sql")
        ),
        key=lambda migration: migration.number,
    )


def missing(applied: Mapping[int, str], ours: Sequence[Migration]) -> list[Migration]:
    """What is still to be applied to a database that has migrations of these checksums.

    Raises DatabaseTooNew for a schema from the future, DatabaseDamaged if an applied migration
    is not the one that we know under its number.
    """
    if applied and max(applied) > max(migration.number for migration in ours):
        raise DatabaseTooNew
    for migration in ours:
        if applied.get(migration.number, migration.checksum) != migration.checksum:
            raise DatabaseDamaged(
                f"The database was changed by another migration {migration.number} than ours "
                f"({migration.name}): restore a backup or use the aigen that wrote it."
            )
    return [migration for migration in ours if migration.number not in applied]
