"""Backup and check."""

from aigen.domain.model.retention import RetentionPolicy
from aigen.entrypoints.api.schemas.values import Answer, Body, Storable


class BackupBody(Body):
    folder: Storable
    media: bool = False


class PruneBody(Body):
    """A retention policy in the place of the installation's own, if it says anything."""

    days: int | None = None
    bytes_per_user: int | None = None

    def policy(self) -> RetentionPolicy | None:
        asked = RetentionPolicy(days=self.days, bytes_per_user=self.bytes_per_user)
        return asked if asked.is_on else None


class ReportOut(Answer):
    rows: dict[str, int]
    files: int
    problems: list[str]
