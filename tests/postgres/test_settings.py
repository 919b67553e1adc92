"""What has to be said when data lies in PostgreSQL."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from aigen.entrypoints.commands.db import db
from aigen.entrypoints.settings import Settings, SettingsInvalid, effective, variable_of

URL = "postgresql://aigen:very%20secret@db.example.org:5432/aigen?sslmode=require"
SECRETS = {
    "secret_key": "0123456789abcdefghijklmnopqrstuvwxyz",
    "pepper": "zyxwvutsrqponmlkjihgfedcba9876543210",
}


@pytest.fixture(autouse=True)
def _no_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    monkeypatch.chdir(tmp_path)


@pytest.mark.parametrize("missing", sorted(SECRETS))
def test_secrets_that_all_processes_share_have_to_be_set(missing: str) -> None:
    given = {name: value for name, value in SECRETS.items() if name != missing}
    with pytest.raises(SettingsInvalid, match=f"^AIGEN_{missing.upper()}: must be set"):
        Settings(database_url=URL, **given)
    assert Settings(**given).postgres_url is None


def test_the_password_is_not_shown() -> None:
    settings = Settings(database_url=URL, **SECRETS)
    shown = effective(settings)["database_url"]
    assert shown == "postgresql://aigen:***@db.example.org:5432/aigen?sslmode=require"
    other = Settings(database_url="postgres://h/a?user=x&password=secret&b=c", **SECRETS)
    assert "secret" not in effective(other)["database_url"]


def test_another_database_is_refused() -> None:
    with pytest.raises(SettingsInvalid, match=r"^AIGEN_DATABASE_URL: must begin with"):
        Settings(database_url="mysql://h/a")


@pytest.mark.parametrize(
    ("arguments", "tool"),
    [(["backup", "x"], "pg_dump"), (["restore", "x", "--yes"], "pg_restore")],
)
def test_backups_are_left_to_postgres_own_tools(
    arguments: list[str], tool: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AIGEN_DATABASE_URL", URL)
    for name, value in SECRETS.items():
        monkeypatch.setenv(variable_of(name), value)
    result = CliRunner().invoke(db, arguments)
    assert result.exit_code == 2
    assert tool in result.output
