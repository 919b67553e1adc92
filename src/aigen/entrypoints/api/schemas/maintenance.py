"""Backup and check."""

from aigen.entrypoints.api.schemas.values import Answer, Body, Storable


class BackupBody(Body):
    folder: Storable
    media: bool = False


class ReportOut(Answer):
    rows: dict[str, int]
    files: int
    problems: list[str]
