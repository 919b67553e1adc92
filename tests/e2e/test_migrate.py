"""A house that was lived in moves from DuckDB and a folder to PostgreSQL and a bucket; everything
that people had is there, and nothing is bought twice."""

import subprocess
from collections.abc import Iterator
from contextlib import ExitStack, closing
from hashlib import sha256
from pathlib import Path
from typing import Any

import httpx
import pytest
from attrs import frozen

from tests.buckets import S3Server
from tests.e2e.processes import (
    ADMIN,
    AIGEN,
    TEXT_MODEL,
    Person,
    Process,
    api,
    free_port,
    submissions,
    until,
)
from tests.postgres.server import Server

PASSWORD = "another long pass phrase"
ANN = "ann@example.org"
CAP = 90

#: What root has made is over and done with; ann's jobs are in every state.
KINDS = ("text", "image", "video")


@frozen(kw_only=True)
class Moved:
    """Both houses; what was seen in the old one before it was left; and what the move said."""

    old: Process
    new: Process
    bucket: str
    before: dict[str, Any]
    jobs: dict[str, str]
    tokens: dict[str, Any]
    key: str
    files: dict[str, str]
    refusal: tuple[str, int]
    said: subprocess.CompletedProcess[str]

    def person(self, email: str) -> closing[Person]:
        return closing(Person.log_in(self.new.url, email, _PASSWORDS[email]))


_PASSWORDS = {ADMIN["email"]: ADMIN["password"], ANN: PASSWORD}


@pytest.fixture(scope="module")
def moved(
    provider: Process, postgres: Server, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Moved]:
    folder = tmp_path_factory.mktemp("old")
    s3 = S3Server()
    with ExitStack() as stack:
        stack.callback(s3.stop)
        database_url = stack.enter_context(postgres.database())
        old = api(folder, provider.url, AIGEN_SUBMIT_TIMEOUT="1", **s3.variables)
        old.start()
        stack.callback(_ended, old)
        address = [database_url, "--media", f"s3://{s3.new_bucket()}/aigen"]
        root, ann = _two_people(old.url)
        key = ann.post("/keys", {"name": "a script"}, 201)["key"]
        in_vain = stack.enter_context(_moving(old, *address))
        jobs = _jobs_in_every_state(ann)
        for path, body in _THINGS.items():
            root.post(path, body)
        root.wait(root.video("a film of root's"))
        refusal = in_vain.communicate()[1], in_vain.returncode
        jobs["working"] = ann.video("at work sim:sleep=3")
        until(lambda: _job(ann, jobs["working"])["submitted_at"], "its submission")
        old.kill()
        old.command.append("--no-worker")
        old.start()
        jobs["queued"] = ann.video("still in the queue")
        before = _seen_by(root) | {
            "jobs of ann": _all(ann, "video"),
            "usage of ann": ann.get("/users/me/usage"),
        }
        files = _digests(Path(old.env["AIGEN_DATA_DIR"]) / "media")
        tokens = dict(ann.tokens)
        for person in (root, ann):
            person.close()
        old.kill()
        _killed_at(old, "generated_texts", *address)
        said = _aigen(old, "db", "migrate-to", *address)
        new = _new_house(old, tmp_path_factory.mktemp("new"), *address)
        new.start()
        stack.callback(_ended, new)
        yield Moved(
            old=old,
            new=new,
            bucket=address[-1],
            before=before,
            jobs=jobs,
            tokens=tokens,
            key=key,
            files=files,
            refusal=refusal,
            said=said,
        )
        assert new.stop() == 0


#: What is made at once.
_THINGS: dict[str, dict[str, Any]] = {
    "/generate/text": {"model": TEXT_MODEL, "prompt": "Say hello"},
    "/generate/image": {"model": "black-forest-labs/flux.2-pro", "prompt": "A fox"},
}


def _two_people(url: str) -> tuple[Person, Person]:
    root = Person.log_in(url, ADMIN["email"], ADMIN["password"])
    ann = root.post("/users", {"email": ANN, "password": PASSWORD}, 201)
    root.put(f"/users/{ann['id']}/limits", {"usd_day": CAP, "usd_month": 900})
    return root, Person.log_in(url, ANN, PASSWORD)


def _jobs_in_every_state(ann: Person) -> dict[str, str]:
    jobs = {
        "completed": ann.video("a film of ann's"),
        "failed": ann.video("a film in vain sim:fail=Sorry"),
        "unknown": ann.video("taken and never answered sim:hang"),
        "cancelled": ann.video("not wanted sim:forever"),
    }
    until(lambda: _job(ann, jobs["cancelled"])["submitted_at"], "its submission")
    ann.post(f"/generate/video/{jobs['cancelled']}/cancel")
    for job_id in jobs.values():
        ann.wait(job_id)
    return jobs


def _moving(house: Process, *address: str) -> subprocess.Popen[str]:
    command = [AIGEN, "db", "migrate-to", *address]
    return subprocess.Popen(
        command, env=house.env, cwd=house.folder, stderr=subprocess.PIPE, text=True
    )


def _killed_at(house: Process, what: str, *address: str) -> None:
    """Begin to move, and be killed when so much has been done."""
    with _moving(house, *address) as moving:
        assert moving.stderr is not None
        said = next((line for line in moving.stderr if line.startswith(what)), None)
        moving.kill()
    assert said is not None


def _new_house(old: Process, folder: Path, database_url: str, _: str, media_url: str) -> Process:
    data = Path(old.env["AIGEN_DATA_DIR"])
    settings = {
        "AIGEN_DATA_DIR": str(folder / "data"),
        "AIGEN_DATABASE_URL": database_url,
        "AIGEN_MEDIA_URL": media_url,
        "AIGEN_SECRET_KEY": (data / "secret-key").read_text().strip(),
        "AIGEN_PEPPER": (data / "pepper").read_text().strip(),
    }
    port = free_port()
    env = old.env | settings | {"AIGEN_API_PORT": str(port)}
    return Process([AIGEN, "api"], env, f"http://127.0.0.1:{port}", folder / "api.log", folder)


def _aigen(house: Process, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [AIGEN, *words],
        env=house.env,
        cwd=house.folder,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )


def _ended(process: Process) -> None:
    if process.child.poll() is None:
        process.kill()


def _job(person: Person, job_id: str) -> Any:
    return person.get(f"/generate/video/{job_id}/status")


def _all(person: Person, kind: str) -> list[Any]:
    """Everything of a kind, without the links, which are made anew each time."""
    items: list[Any] = person.get(f"/generate/{kind}")["items"]
    for item in items:
        item.pop("video_url", None)
        for image in item.get("images", ()):
            image.pop("url")
    return items


def _seen_by(root: Person) -> dict[str, Any]:
    return {
        "history": {kind: _all(root, kind) for kind in KINDS},
        "usage": root.get("/users/me/usage"),
        "users": root.get("/users")["items"],
        "unknown": root.get("/admin/videos?status=outcome_unknown")["items"],
    }


def _digests(media: Path) -> dict[str, str]:
    files = (file for file in media.rglob("*") if file.is_file())
    return {str(file.relative_to(media)): sha256(file.read_bytes()).hexdigest() for file in files}


# --- people ---------------------------------------------------------------------------------


def test_whoever_was_logged_in_still_is(moved: Moved) -> None:
    bearer = {"Authorization": f"Bearer {moved.tokens['access_token']}"}
    with httpx.Client(base_url=moved.new.url, trust_env=False) as client:
        assert client.get("/users/me", headers=bearer).json()["email"] == ANN
        body = {"refresh_token": moved.tokens["refresh_token"]}
        fresh = client.post("/auth/refresh", json=body)
        assert fresh.status_code == 200
        bearer = {"Authorization": f"Bearer {fresh.json()['access_token']}"}
        assert client.get("/users/me", headers=bearer).status_code == 200


def test_passwords_and_keys_are_the_same(moved: Moved) -> None:
    for email in _PASSWORDS:
        with moved.person(email):
            pass  # is logged in
    bearer = {"Authorization": f"Bearer {moved.key}"}
    models = httpx.get(f"{moved.new.url}/models", headers=bearer, trust_env=False)
    assert models.status_code == 200


# --- what they have -------------------------------------------------------------------------


def test_history_and_costs_are_the_same(moved: Moved) -> None:
    with moved.person(ADMIN["email"]) as root:
        after = _seen_by(root)
    logins = [user.pop("last_login_at") for user in (*after["users"], *moved.before["users"])]
    assert all(logins)
    assert {name: moved.before[name] for name in after} == after
    assert all(after["history"].values())
    assert after["usage"]["day"]["spent_usd"] > 0


def test_films_and_pictures_play_from_the_bucket(moved: Moved) -> None:
    with moved.person(ADMIN["email"]) as root:
        (picture,), (film,) = (root.get(f"/generate/{kind}")["items"] for kind in KINDS[1:])
    for link in (picture["images"][0]["url"], film["video_url"]):
        assert f"/{moved.bucket.removeprefix('s3://')}/" in link
        key = link.partition("/aigen/")[2].partition("?")[0]
        content = httpx.get(link, trust_env=False).raise_for_status().content
        assert sha256(content).hexdigest() == moved.files[key]


def test_a_cap_still_holds(moved: Moved) -> None:
    with moved.person(ANN) as ann:
        now = ann.get("/users/me/usage")["day"]
    before = moved.before["usage of ann"]["day"]
    assert now["limit_usd"] == before["limit_usd"] == CAP
    assert now["spent_usd"] >= before["spent_usd"] > 0


# --- what was going on ----------------------------------------------------------------------


def test_unfinished_jobs_go_on_and_nothing_is_bought_twice(moved: Moved, provider: Process) -> None:
    with moved.person(ANN) as ann:
        for name in ("working", "queued"):
            assert ann.wait(moved.jobs[name])["status"] == "completed"
        now = _all(ann, "video")
    before = moved.before["jobs of ann"]
    for old, new in zip(before, now, strict=True):
        assert (new["id"], new["prompt"]) == (old["id"], old["prompt"])
        if old["status"] not in {"queued", "processing"}:
            assert (new["status"], new["error"]) == (old["status"], old["error"])
    prompts = [job["prompt"] for job in before]
    sent = [entry["prompt"] for entry in submissions(provider.url) if entry["prompt"] in prompts]
    assert sorted(sent) == sorted(prompts)


# --- the old house --------------------------------------------------------------------------


def test_a_running_house_does_not_move(moved: Moved) -> None:
    said, code = moved.refusal
    assert code == 1
    assert "aigen is running here and has to be stopped" in said


def test_the_move_says_what_it_compared_and_what_to_do_next(moved: Moved) -> None:
    assert moved.said.returncode == 0, moved.said.stderr
    assert "generated_videos             7  " in moved.said.stdout
    assert f"files{len(moved.files):>25}  each with its own digest" in moved.said.stdout
    assert f"AIGEN_MEDIA_URL={moved.bucket}\n" in moved.said.stdout
    assert "AIGEN_PEPPER=<the content of " in moved.said.stdout
    assert "Traceback" not in moved.said.stderr
    again = _aigen(moved.old, "db", "migrate-to", moved.new.env["AIGEN_DATABASE_URL"])
    assert again.returncode == 0, again.stderr
    assert "has moved already" in again.stdout


@pytest.mark.parametrize("words", [["api"], ["up"], ["users", "list"], ["db", "check"]])
def test_the_old_house_does_not_start_again(moved: Moved, words: list[str]) -> None:
    done = _aigen(moved.old, *words)
    assert done.returncode == 1
    (line,) = (line for line in done.stderr.splitlines() if line.startswith("aigen: "))
    assert "has moved to postgresql://" in line
    assert "Traceback" not in done.stderr


def test_returning_needs_to_be_confirmed(moved: Moved) -> None:
    done = _aigen(moved.old, "db", "migrate-to", "--cancel")
    assert (done.returncode, "--cancel --yes" in done.stderr) == (1, True)
