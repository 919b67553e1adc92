"""An installation whose files lie in a bucket, from the first start to a restored backup."""

import json
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import httpx
import pytest

from tests.buckets import S3Server
from tests.e2e.processes import ADMIN, AIGEN, Person, Process, environment


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


def test_pictures_and_films_are_made_fetched_backed_up_and_restored(
    new_api: Callable[..., Process], s3: S3Server, tmp_path: Path
) -> None:
    bucket = s3.new_bucket()
    api = new_api(AIGEN_MEDIA_URL=f"s3://{bucket}/aigen", **s3.variables)
    api.start()
    root = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    picture = root.post(
        "/generate/image", {"model": "black-forest-labs/flux.2-pro", "prompt": "A fox"}
    )
    film = root.wait(root.video("A fox runs"))
    assert film["status"] == "completed"
    for link, kind in (
        (picture["images"][0]["url"], "image/png"),
        (film["video_url"], "video/mp4"),
    ):
        assert link.startswith(f"{s3.url}/{bucket}/aigen/")
        whole = httpx.get(link, trust_env=False)
        assert (whole.status_code, whole.headers["content-type"]) == (200, kind)
        part = httpx.get(link, headers={"Range": "bytes=4-9"}, trust_env=False)
        assert (part.status_code, part.content) == (206, whole.content[4:10])
    assert not (tmp_path / "data" / "media").exists()
    assert httpx.get(f"{api.url}/about", trust_env=False).json()["media_origin"] == s3.url

    assert "files: 2" in aigen(api, "db", "check")
    aigen(api, "db", "backup", str(tmp_path / "backup"), "--media")
    keys = s3.keys(bucket)
    assert len(keys) == 2
    assert all(
        (tmp_path / "backup" / "media" / key.removeprefix("aigen/")).exists() for key in keys
    )
    root.delete(f"/generate/image/{picture['id']}")
    root.delete(f"/generate/video/{film['id']}")
    assert s3.keys(bucket) == []
    root.close()
    assert api.stop() == 0

    aigen(api, "db", "restore", str(tmp_path / "backup"), "--yes")
    assert s3.keys(bucket) == keys
    assert "files: 2" in aigen(api, "db", "check")
    shown = json.loads(aigen(api, "settings", "--json"))
    (url,) = (row for row in shown if row["name"] == "AIGEN_MEDIA_URL")
    assert (url["value"], url["origin"]) == (f"s3://{bucket}/aigen", "environment")


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
