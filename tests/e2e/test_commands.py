"""The command line, with a server and without."""

import json
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.processes import ADMIN, AIGEN, VIDEO_MODEL, Person, Process, environment, until

Run = Callable[..., subprocess.CompletedProcess[str]]


@pytest.fixture
def api(new_api: Callable[..., Process]) -> Process:
    return new_api()


@pytest.fixture
def run(api: Process, tmp_path: Path) -> Run:
    """Runs `aigen …` on the installation of `api`; checks the exit code."""

    def run(*words: str, code: int = 0, **parts: str) -> subprocess.CompletedProcess[str]:
        given = parts.pop("input", "")
        done = subprocess.run(
            [AIGEN, *words],
            env=api.env | parts,
            cwd=tmp_path,
            capture_output=True,
            text=True,
            input=given,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stdout + done.stderr
        assert "Traceback" not in done.stderr
        return done

    return run


@pytest.mark.parametrize("is_running", [True, False])
def test_accounts_are_administered_with_a_server_and_without(
    api: Process, run: Run, is_running: bool
) -> None:
    if is_running:
        api.start()
    added = run(
        "users",
        "add",
        "Ann@example.org",
        "--password-stdin",
        "--json",
        input="a long one of hers\n",
    )
    user = json.loads(added.stdout)
    assert (user["email"], user["role"]) == ("Ann@example.org", "user")
    made = run("users", "add", "bob@example.org", "--role", "admin", "--generate-password")
    assert "password: " in made.stdout
    listed = json.loads(run("users", "list", "--json").stdout)
    assert [u["email"] for u in listed][:2] == ["bob@example.org", "Ann@example.org"]
    run("users", "set-role", "ann@EXAMPLE.org", "admin")
    assert "admin  Ann@example.org" in run("users", "list").stdout
    assert "/reset/" in run("users", "reset-link", "ann@example.org").stdout
    assert "--yes" in run("users", "remove", "bob@example.org", code=2).stderr
    run("users", "remove", "bob@example.org", "--yes")
    assert "no account" in run("users", "remove", "bob@example.org", "--yes", code=1).stderr
    taken = run("users", "add", "ANN@example.org", "--generate-password", code=1)
    assert taken.stderr == "aigen: This e-mail address already has an account.\n"
    short = run("users", "add", "eve@example.org", "--password-stdin", code=1, input="short\n")
    assert "12 characters" in short.stderr
    if is_running:
        assert api.stop() == 0


def test_a_server_that_was_killed_does_not_stand_in_the_way(api: Process, run: Run) -> None:
    api.start()
    api.kill()
    assert (Path(api.env["AIGEN_DATA_DIR"]) / "server.json").exists()
    assert ADMIN["email"] in run("users", "list").stdout


def test_one_generation_of_each_kind_from_the_terminal(
    api: Process, run: Run, tmp_path: Path
) -> None:
    api.start()
    login = {
        "AIGEN_API_URL": api.url,
        "AIGEN_EMAIL": ADMIN["email"],
        "AIGEN_PASSWORD": ADMIN["password"],
    }
    text = run("generate", "text", "Say hello", "--model", "openai/gpt-4o-mini", **login)
    assert "Say hello" in text.stdout
    run(
        *("generate", "image", "A fox", "--model", "black-forest-labs/flux.2-pro"),
        *("--aspect-ratio", "1:1", "--output", "fox.png"),
        **login,
    )
    assert (tmp_path / "fox.png").read_bytes().startswith(b"\x89PNG")
    run(
        *("generate", "video", "A fox", "--model", VIDEO_MODEL, "--duration", "4"),
        *("--output", "fox.mp4"),
        **login,
    )
    assert (tmp_path / "fox.mp4").read_bytes()[4:8] == b"ftyp"
    refused = run("generate", "video", "sim:fail=Sorry", "--model", VIDEO_MODEL, code=1, **login)
    assert "Sorry" in refused.stderr
    wrong = login | {"AIGEN_PASSWORD": "not the pass phrase"}
    denied = run("generate", "text", "Hi", "--model", "m", code=1, **wrong)
    assert denied.stderr == "aigen: E-mail or password is wrong.\n"


def test_generating_without_a_server_says_how_to_start_one(run: Run) -> None:
    nowhere = {"AIGEN_API_URL": "http://127.0.0.1:9", "AIGEN_API_KEY": "x"}
    failed = run("generate", "text", "Hi", "--model", "m", code=1, **nowhere)
    assert "aigen up" in failed.stderr


def test_a_backup_made_while_running_is_restored_whole(
    api: Process, run: Run, tmp_path: Path
) -> None:
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    done = person.wait(person.video("A fox"))
    queued = person.video("not yet sim:charged sim:times=9 sim:ratelimit=600")
    until(
        lambda: person.get(f"/generate/video/{queued}/status")["status"] == "queued",
        "the rate limit",
    )
    run("db", "backup", "backup", "--media")
    names = sorted(path.name for path in (tmp_path / "backup").iterdir())
    assert names == ["aigen.duckdb", "manifest.json", "media"]
    assert "problem" not in run("db", "check").stdout
    later = person.video("after the backup")
    assert "--yes" in run("db", "restore", "backup", code=2).stderr
    assert "running" in run("db", "restore", "backup", "--yes", code=1).stderr
    assert "not empty" in run("db", "backup", "backup", code=1).stderr
    api.kill()
    assert "1 queued jobs are held" in run("db", "restore", "backup", "--yes").stdout
    run("db", "check")
    api.start()
    person.get("/users/me", 401)
    again = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    jobs = {job["id"]: job for job in again.get("/generate/video")["items"]}
    assert later not in jobs
    assert jobs[done["id"]]["status"] == "completed"
    held = jobs[queued]
    assert (held["status"], held["error_code"]) == ("queued", "held_after_restore")
    (waiting,) = again.get("/admin/videos?status=held")["items"]
    assert waiting["id"] == queued
    released = again.post(f"/admin/videos/{queued}/resolve", {"release": True})
    assert released["error_code"] is None
    assert "restored" in [entry["action"] for entry in again.get("/admin/audit")["items"]]
    person.close()
    again.close()


def test_a_check_finds_what_is_missing_or_changed(api: Process, run: Run) -> None:
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    for prompt in ("one", "two"):
        person.wait(person.video(prompt))
    person.close()
    assert api.stop() == 0
    first, second = sorted((Path(api.env["AIGEN_DATA_DIR"]) / "media").rglob("*.mp4"))
    first.unlink()
    second.write_bytes(second.read_bytes() + b"x")
    found = run("db", "check", code=1)
    assert "is missing" in found.stderr
    assert "has been changed" in found.stderr


def test_a_damaged_backup_is_refused(api: Process, run: Run, tmp_path: Path) -> None:
    run("users", "list")
    run("db", "backup", "backup")
    copy = tmp_path / "backup" / "aigen.duckdb"
    copy.write_bytes(copy.read_bytes()[:-1] + b"?")
    assert "not the one" in run("db", "restore", "backup", "--yes", code=1).stderr
    (tmp_path / "backup" / "manifest.json").unlink()
    assert "no complete backup" in run("db", "restore", "backup", "--yes", code=1).stderr
    assert ADMIN["email"] in api.env["AIGEN_ADMIN_EMAIL"]


def test_migrating_an_empty_installation_makes_its_schema(run: Run) -> None:
    assert "applied 0001_initial" in run("db", "migrate").stdout
    assert run("db", "migrate").stdout == "nothing to do\n"


def test_settings_are_explained_and_secrets_masked(run: Run) -> None:
    rows = {row["name"]: row for row in json.loads(run("settings", "--json").stdout)}
    assert rows["AIGEN_BCRYPT_COST"] == {
        "name": "AIGEN_BCRYPT_COST",
        "value": 4,
        "origin": "environment",
        "meaning": "cost of a password hash; 2^cost rounds",
    }
    assert rows["OPENROUTER_API_KEY"]["value"] == "********"
    assert rows["AIGEN_LEASE"]["value"] == 2.0
    assert rows["AIGEN_SECRET_KEY"]["origin"] == "generated"
    assert "sk-or" not in run("settings").stdout


def test_settings_are_read_from_dot_env(run: Run, tmp_path: Path) -> None:
    (tmp_path / ".env").write_text("AIGEN_MAX_BODY=2 MiB\nSOMETHING_ELSE=1\n")
    rows = {row["name"]: row for row in json.loads(run("settings", "--json").stdout)}
    assert (rows["AIGEN_MAX_BODY"]["value"], rows["AIGEN_MAX_BODY"]["origin"]) == (2097152, ".env")


@pytest.mark.parametrize(
    "words",
    [
        [],
        ["up"],
        ["api"],
        ["web"],
        ["worker"],
        ["simulator"],
        ["users", "add"],
        ["db", "backup"],
        ["db", "migrate-to"],
        ["settings"],
        ["generate", "video"],
    ],
)
def test_every_command_has_help_with_an_example(words: list[str], tmp_path: Path) -> None:
    done = subprocess.run(
        [AIGEN, *words, "--help"],
        env=environment(),
        cwd=tmp_path,
        capture_output=True,
        text=True,
        check=True,
    )
    assert "Example:" in done.stdout


def test_wrong_usage_is_2(run: Run) -> None:
    run("nonsense", code=2)
    run("users", "add", code=2)
    run("users", "set-role", "a@b.c", "emperor", code=2)
