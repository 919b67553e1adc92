"""Backup and check of a running installation, for the operator."""

import json
import os
from pathlib import Path
from typing import Any

import pytest

from aigen.entrypoints.maintenance import restore
from aigen.testing import MemoryStore, bare_settings
from tests.api.answers import assert_done, assert_json, assert_problem
from tests.api.conftest import OpenWorld
from tests.api.test_videos import submit
from tests.api.world import PASSWORD, Person, World, opened


async def image_of(ann: Person) -> dict[str, Any]:
    image: dict[str, Any] = assert_json(
        await ann.post("/generate/image", {"model": "m", "prompt": "p"})
    )
    return image


def file_of(world: World, image: dict[str, Any]) -> Path:
    key: str = image["images"][0]["url"].partition("/media/")[2].partition("?")[0]
    return world.aigen.settings.media_dir / key


# --- who may ----------------------------------------------------------------------------------


@pytest.mark.parametrize("route", ["backup", "check"])
async def test_only_the_operator_maintains(
    world: World, ann: Person, root: Person, tmp_path: Path, route: str
) -> None:
    folder = tmp_path / "backup"
    path, body = f"/maintenance/{route}", {"folder": str(folder)}
    assert_problem(await world.anonymous.post(path, body), 401, "unauthenticated")
    for person in (ann, root, world.worker):
        assert_problem(await person.post(path, body), 403, "forbidden")
    assert not folder.exists()


@pytest.mark.parametrize("route", ["backup", "check"])
async def test_what_is_kept_elsewhere_is_not_maintained_here(
    open_world: OpenWorld, tmp_path: Path, route: str
) -> None:
    world = await open_world({"store": MemoryStore()})
    body = {"folder": str(tmp_path / "backup")}
    assert_problem(await world.operator.post(f"/maintenance/{route}", body), 404, "not_found")


# --- backup -----------------------------------------------------------------------------------


async def back_up(world: World, folder: Path, **more: Any) -> Any:
    return await world.operator.post("/maintenance/backup", {"folder": str(folder)} | more)


async def test_a_backup_of_the_running_installation_can_be_restored(
    world: World, ann: Person, tmp_path: Path
) -> None:
    image, job = await image_of(ann), await submit(ann)
    folder = tmp_path / "new" / "backup"
    assert_done(await back_up(world, folder, media=True))
    assert sorted(path.name for path in folder.iterdir()) == [
        "aigen.duckdb",
        "manifest.json",
        "media",
    ]
    manifest = json.loads((folder / "manifest.json").read_text())
    assert manifest["media"] is True
    await submit(ann)  # after the backup

    other = tmp_path / "other"
    assert await restore(bare_settings(data_dir=other), folder) == 1
    async with opened(other) as restored:
        # The access token is good, but its session has ended with the restore.
        response = await restored.bearing(ann.token).get("/users/me")
        assert_problem(response, 401, "token_revoked")
        again = await restored.login(ann.email, PASSWORD)
        (held,) = assert_json(await again.get("/generate/video"))["items"]
        assert (held["id"], held["error_code"]) == (job["id"], "held_after_restore")
        (kept,) = assert_json(await again.get("/generate/image"))["items"]
        assert kept["id"] == image["id"]
        assert (await restored.http.get(kept["images"][0]["url"])).status_code == 200
        report = assert_json(await restored.operator.post("/maintenance/check"))
        assert report["problems"] == []


async def test_media_are_left_out_unless_asked_for(
    world: World, ann: Person, tmp_path: Path
) -> None:
    await image_of(ann)
    folder = tmp_path / "backup"
    assert_done(await back_up(world, folder))
    assert sorted(path.name for path in folder.iterdir()) == ["aigen.duckdb", "manifest.json"]
    assert json.loads((folder / "manifest.json").read_text())["media"] is False
    assert oct(folder.stat().st_mode)[-3:] == "700"


async def test_a_folder_with_something_in_it_is_refused(world: World, tmp_path: Path) -> None:
    folder = tmp_path / "backup"
    assert_done(await back_up(world, folder))
    before = (folder / "manifest.json").read_bytes()
    problem = assert_problem(await back_up(world, folder), 409, "backup_invalid")
    assert str(folder) in problem["detail"]
    assert (folder / "manifest.json").read_bytes() == before


async def test_a_folder_that_cannot_be_one_is_refused(world: World, tmp_path: Path) -> None:
    file = tmp_path / "file"
    file.write_text("x")
    for folder in (file, file / "below", Path("/proc/nowhere/backup"), Path("x" * 300)):
        assert_problem(await back_up(world, folder), 409, "backup_invalid")


@pytest.mark.parametrize("said", [{}, {"folder": 5}, {"folder": "a\0b"}, {"media": "yes"}], ids=str)
async def test_what_cannot_be_asked_is_refused(world: World, said: dict[str, Any]) -> None:
    response = await world.operator.post("/maintenance/backup", said)
    assert_problem(response, 422, "invalid_request")


# --- check ------------------------------------------------------------------------------------


async def test_a_sound_installation_has_no_problems(world: World, ann: Person) -> None:
    await image_of(ann)
    await submit(ann)
    report = assert_json(await world.operator.post("/maintenance/check"))
    assert report.keys() == {"rows", "files", "problems"}
    assert (report["files"], report["problems"]) == (1, [])
    for table, rows in (("users", 1), ("generated_images", 1), ("generated_videos", 1)):
        assert report["rows"][table] == rows


async def test_a_missing_and_a_changed_file_are_found(world: World, ann: Person) -> None:
    missing, changed, sound = [file_of(world, await image_of(ann)) for _ in range(3)]
    missing.unlink()
    with changed.open("r+b") as file:
        file.seek(-1, os.SEEK_END)
        file.write(b"!")
    report = assert_json(await world.operator.post("/maintenance/check"))
    assert report["files"] == 3
    first, second = sorted(report["problems"], key=lambda problem: "missing" not in problem)
    assert missing.parent.name in first
    assert "missing" in first
    assert changed.parent.name in second
    assert "changed" in second
    assert sound.parent.name not in str(report["problems"])
