"""An installation whose files lie in a bucket, from the first start to a restored backup."""

import base64
import json
import subprocess
from collections.abc import Callable, Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from aigen.adapters.memory.provider import PNG
from tests.buckets import S3Server
from tests.e2e.processes import ADMIN, AIGEN, VIDEO_MODEL, Person, Process, environment


@pytest.fixture(scope="module")
def s3() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.stop()


def aigen(process: Process, *arguments: str) -> str:
    """What a command prints that works on the data of this process."""
    done = subprocess.run(
        [AIGEN, *arguments],
        env=process.env,
        cwd=process.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return done.stdout


def test_pictures_and_films_are_made_and_fetched_from_the_bucket(
    new_api: Callable[..., Process], s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.new_bucket()
    api = new_api(AIGEN_MEDIA_URL=f"s3://{bucket}/aigen", **s3.variables)
    api.start()
    with closing(Person.log_in(api.url, ADMIN["email"], ADMIN["password"])) as root:
        picture, film = made_by(root)
        for link, kind in (
            (picture["images"][0]["url"], "image/png"),
            (film["video_url"], "video/mp4"),
        ):
            assert link.startswith(f"{s3.url}/{bucket}/aigen/")
            whole = httpx.get(link, trust_env=False)
            assert (whole.status_code, whole.headers["content-type"]) == (200, kind)
            part = httpx.get(link, headers={"Range": "bytes=4-9"}, trust_env=False)
            assert (part.status_code, part.content) == (206, whole.content[4:10])
        root.delete(f"/generate/image/{picture['id']}")
        root.delete(f"/generate/video/{film['id']}")
    assert s3.keys(bucket) == []
    assert not (tmp_path / "data" / "media").exists()
    assert httpx.get(f"{api.url}/about", trust_env=False).json()["media_origin"] == s3.url
    shown = json.loads(aigen(api, "settings", "--json"))
    (url,) = (row for row in shown if row["name"] == "AIGEN_MEDIA_URL")
    assert (url["value"], url["origin"]) == (f"s3://{bucket}/aigen", "environment")
    assert api.stop() == 0


def test_files_of_a_bucket_are_backed_up_restored_and_checked(
    new_api: Callable[..., Process], s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.new_bucket()
    api = new_api(AIGEN_MEDIA_URL=f"s3://{bucket}/aigen", **s3.variables)
    api.start()
    with closing(Person.log_in(api.url, ADMIN["email"], ADMIN["password"])) as root:
        picture, film = made_by(root)
        keys = s3.keys(bucket)
        assert len(keys) == 2
        aigen(api, "db", "backup", str(tmp_path / "backup"), "--media")
        copies = tmp_path / "backup" / "media"
        assert all((copies / key.removeprefix("aigen/")).exists() for key in keys)
        root.delete(f"/generate/image/{picture['id']}")
        root.delete(f"/generate/video/{film['id']}")
    assert s3.keys(bucket) == []
    assert api.stop() == 0
    aigen(api, "db", "restore", str(tmp_path / "backup"), "--yes")
    assert s3.keys(bucket) == keys
    assert "files: 2" in aigen(api, "db", "check")


def made_by(person: Person) -> tuple[dict[str, Any], dict[str, Any]]:
    """A picture and a film."""
    picture = person.post(
        "/generate/image", {"model": "black-forest-labs/flux.2-pro", "prompt": "A fox"}
    )
    film = person.wait(person.video("A fox runs"))
    assert film["status"] == "completed"
    return picture, film


def test_a_worker_elsewhere_needs_no_key_of_the_bucket(
    new_api: Callable[..., Process], provider: Process, s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.new_bucket()
    api = new_api("--no-worker", AIGEN_MEDIA_URL=f"s3://{bucket}", **s3.variables)
    api.start()
    token = (tmp_path / "data" / "worker-token").read_text().strip()
    settings = {
        "AIGEN_DATA_DIR": str(tmp_path / "elsewhere"),
        "AIGEN_API_URL": api.url,
        "AIGEN_WORKER_TOKEN": token,
        "AIGEN_OPENROUTER_URL": f"{provider.url}/api/v1",
        "AIGEN_POLL_INTERVAL": "0.2",
        "OPENROUTER_API_KEY": "sk-or-v1-test",
    }
    image = "data:image/png;base64," + base64.b64encode(PNG).decode()
    with (
        (tmp_path / "worker.log").open("wb") as log,
        closing(Person.log_in(api.url, ADMIN["email"], ADMIN["password"])) as root,
        subprocess.Popen(
            [AIGEN, "worker"], env=environment(**settings), cwd=tmp_path, stdout=log, stderr=log
        ) as worker,
    ):
        body = {"model": VIDEO_MODEL, "prompt": "A fox", "duration": 4, "image_url": image}
        job = root.wait(root.post("/generate/video/from-image", body, status=202)["id"])
        worker.terminate()
        assert (job["status"], job["error"]) == ("completed", None)
    assert len(s3.keys(bucket)) == 2
    assert api.stop() == 0


def test_keys_may_stand_in_the_env_file(
    new_api: Callable[..., Process], s3: S3Server, tmp_path: Path
) -> None:
    settings = s3.variables | {"AIGEN_MEDIA_URL": f"s3://{s3.new_bucket()}"}
    lines = "".join(f"{name}={value}\n" for name, value in settings.items())
    (tmp_path / ".env").write_text(lines)
    api = new_api()
    api.start()
    assert httpx.get(f"{api.url}/readyz", trust_env=False).status_code == 200
    assert api.stop() == 0


@pytest.mark.parametrize(
    ("settings", "code", "said"),
    [
        ({"AIGEN_MEDIA_URL": "s3://nowhere"}, 1, "there is no such bucket"),
        ({"AIGEN_MEDIA_URL": "s3://nowhere", "AWS_ACCESS_KEY_ID": "x"}, 1, "AWS_ACCESS_KEY_ID"),
        ({"AIGEN_MEDIA_URL": "s3://"}, 2, "must be like"),
        ({"AIGEN_MEDIA_URL": "s3://key:secret@bucket"}, 2, "must be like"),
        ({"AIGEN_MEDIA_URL": "s3://bucket/../x"}, 2, "must be like"),
        ({"AIGEN_MEDIA_URL": "ftp://films"}, 2, "must be like"),
        ({"AIGEN_MEDIA_URL": "s3://films", "AWS_ENDPOINT_URL": "here"}, 2, "AWS_ENDPOINT_URL"),
    ],
)
def test_a_bucket_that_cannot_be_used_is_said_in_one_line(
    s3: S3Server, tmp_path: Path, settings: dict[str, str], code: int, said: str
) -> None:
    own = {"AIGEN_DATA_DIR": str(tmp_path / "data"), "AIGEN_API_PORT": "0"}
    done = subprocess.run(
        [AIGEN, "api"],
        env=environment(**own | s3.variables | settings),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == code, done.stderr
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("aigen: "))
    assert "AIGEN_MEDIA_URL: " in line or said == "AWS_ENDPOINT_URL"
    assert said in line
    assert "Traceback" not in done.stderr
