"""`aigen history prune`: with a server and without, first to look and then to remove."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import pytest

from tests.e2e.processes import ADMIN, TEXT_MODEL, Person, Process
from tests.e2e.test_commands import Run, api, run

__all__ = ["api", "run"]

IMAGE_MODEL = "black-forest-labs/flux.2-pro"


def age(api: Process, days: int) -> None:
    """Let everything be as much older as if so many days had passed."""
    with duckdb.connect(Path(api.env["AIGEN_DATA_DIR"]) / "aigen.duckdb") as connection:
        for table in ("generated_texts", "generated_images"):
            connection.execute(f"UPDATE {table} SET created_at = created_at - INTERVAL {days} DAY")


def make(api: Process) -> None:
    """Two old texts and an old picture of root's, and a new text."""
    api.start()
    root = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    text = {"model": TEXT_MODEL, "prompt": "old"}
    for _ in range(2):
        root.post("/generate/text", text)
    root.post("/generate/image", {"model": IMAGE_MODEL, "prompt": "an old fox"})
    root.close()
    assert api.stop() == 0
    age(api, 10)
    api.start()
    root = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    root.post("/generate/text", text | {"prompt": "new"})
    root.close()
    assert api.stop() == 0


def files(api: Process) -> list[Path]:
    return list((Path(api.env["AIGEN_DATA_DIR"]) / "media").rglob("*.png"))


@pytest.mark.parametrize("is_running", [True, False])
def test_what_is_old_is_shown_and_then_removed(api: Process, run: Run, is_running: bool) -> None:
    make(api)
    if is_running:
        api.start()
    (picture,) = files(api)
    size = picture.stat().st_size
    said = "2 texts, 1 image, 0 videos, 1 file"
    preview = ("history", "prune", "--older-than", "9", "--dry-run")
    found = run(*preview).stdout.splitlines()
    assert found == [
        f"{ADMIN['email']}  {said}, {size:,} bytes",
        f"all together      {said}, {size:,} bytes",
    ]
    told: dict[str, Any] = json.loads(run(*preview, "--json").stdout)
    assert (told["days"], told["bytes_per_user"]) == (9, None)
    assert told["total"] == {"texts": 2, "images": 1, "videos": 0, "files": 1, "bytes": size}
    assert "0 texts, 0 images" in run("history", "prune", "--older-than", "11", "--dry-run").stdout
    assert files(api) == [picture]
    removed = run("history", "prune", "--older-than", "9", "--yes").stdout
    assert removed == f"removed {said}, {size:,} bytes\n"
    assert files(api) == []
    again = json.loads(run("history", "prune", "--older-than", "9", "--yes", "--json").stdout)
    assert again == {"texts": 0, "images": 0, "videos": 0, "files": 0, "bytes": 0}
    if is_running:
        root = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
        (kept,) = root.get("/generate/text")["items"]
        assert kept["prompt"] == "new"
        root.close()
        assert api.stop() == 0


def test_the_settings_say_how_long_unless_the_options_do(api: Process, run: Run) -> None:
    make(api)
    keeping = {"AIGEN_RETENTION_DAYS": "9", "AIGEN_RETENTION_BYTES_PER_USER": ""}
    dry = ("history", "prune", "--dry-run")
    assert "2 texts, 1 image," in run(*dry, **keeping).stdout
    assert "0 texts, 1 image," in run(*dry, "--bytes-per-user", "1 KiB", **keeping).stdout
    assert "0 texts, 0 images" in run(*dry, "--bytes-per-user", "1 GiB", **keeping).stdout
    assert run("history", "prune", "--yes", **keeping).stdout.startswith("removed 2 texts, 1 image")
    assert files(api) == []


def test_a_command_removes_what_it_was_asked_to_and_nothing_else(api: Process, run: Run) -> None:
    make(api)
    keeping = {"AIGEN_RETENTION_DAYS": "9"}
    run("users", "list", **keeping)
    run("history", "prune", "--older-than", "100", "--yes", **keeping)
    run("history", "prune", "--dry-run", **keeping)
    assert len(files(api)) == 1


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--older-than", "9"), "--dry-run"),
        (("--older-than", "9", "--yes", "--dry-run"), "--dry-run"),
        (("--dry-run",), "everything is kept for ever"),
        (("--dry-run", "--older-than", "0"), "1<=x<=36500"),
        (("--dry-run", "--bytes-per-user", "much"), "must be a number of bytes"),
    ],
)
def test_what_makes_no_sense_is_wrong_usage(run: Run, words: tuple[str, ...], said: str) -> None:
    assert said in run("history", "prune", *words, code=2).stderr


def test_a_server_that_keeps_things_for_days_removes_them_by_itself(
    new_api: Callable[..., Process],
) -> None:
    api = new_api(AIGEN_RETENTION_DAYS="9")
    make(api)
    assert files(api) == [], "at its start, and every hour from then on"
