"""What stands in the way of a start is said in one line."""

import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from tests.e2e.processes import ADMIN, AIGEN, Person, Process, environment, free_port, until

Failing = Callable[..., str]


@pytest.fixture
def failing(tmp_path: Path) -> Failing:
    """Runs `aigen api`, which must fail with one line; the line."""

    def run(*, code: int, **settings: str) -> str:
        defaults = {"AIGEN_DATA_DIR": str(tmp_path / "data"), "AIGEN_API_PORT": "0"}
        done = subprocess.run(
            [AIGEN, "api"],
            env=environment(**defaults | settings),
            cwd=tmp_path,
            capture_output=True,
            text=True,
            timeout=60,
            check=False,
        )
        assert done.returncode == code, done.stderr
        lines = [line for line in done.stderr.splitlines() if line.startswith("aigen: ")]
        assert "Traceback" not in done.stderr
        assert len(lines) == 1, done.stderr
        return lines[0]

    return run


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("AIGEN_API_PORT", "eighty"),
        ("AIGEN_API_PORT", "70000"),
        ("AIGEN_SECRET_KEY", "too short"),
        ("AIGEN_SECRET_KEY", "a" * 40),
        ("AIGEN_SECRET_KEY", "changeme-secret-" * 3),
        ("AIGEN_LEASE", "0"),
        ("AIGEN_POLL_INTERVAL", "-1"),
        ("AIGEN_MAX_BODY", "lots"),
        ("AIGEN_REGISTRATION", "maybe"),
        ("AIGEN_PUBLIC_URL", "not an address"),
        ("AIGEN_DATABASE_URL", "mysql://x"),
        ("AIGEN_TRUSTED_PROXIES", "everybody"),
        ("AIGEN_BCRYPT_COST", "3"),
        ("AIGEN_LOG_LEVEL", "loud"),
    ],
)
def test_a_wrong_setting_stops_the_start_and_is_named(
    failing: Failing, name: str, value: str
) -> None:
    line = failing(code=2, **{name: value})
    assert line.startswith(f"aigen: {name}: must ")


def test_a_first_admin_with_a_weak_password_stops_the_start(failing: Failing) -> None:
    weak = {"AIGEN_ADMIN_EMAIL": "a@b.org", "AIGEN_ADMIN_PASSWORD": "password1234"}
    line = failing(code=2, **weak)
    assert line.startswith("aigen: AIGEN_ADMIN_PASSWORD: ")
    assert "password1234" not in line


def test_a_second_process_is_told_who_has_the_database(
    new_api: Callable[..., Process], failing: Failing
) -> None:
    first = new_api()
    first.start()
    line = failing(code=1)
    assert f"process {first.child.pid}" in line
    assert "AIGEN_API_URL" in line


@pytest.mark.parametrize(
    ("name", "scheme"),
    [("AIGEN_DATA_DIR", ""), ("AIGEN_MEDIA_URL", "file://"), ("AIGEN_DATABASE_URL", "duckdb:///")],
)
def test_a_folder_that_cannot_be_used_is_said(
    failing: Failing, tmp_path: Path, name: str, scheme: str
) -> None:
    (tmp_path / "file").touch()
    line = failing(code=1, **{name: f"{scheme}{tmp_path}/file/folder/x"})
    assert "Not a directory" in line
    assert name in line


def test_a_taken_port_is_said(
    new_api: Callable[..., Process], failing: Failing, tmp_path: Path
) -> None:
    first = new_api()
    first.start()
    port = first.url.rpartition(":")[2]
    line = failing(code=1, AIGEN_API_PORT=port, AIGEN_DATA_DIR=str(tmp_path / "other"))
    assert f"port {port}" in line


def test_a_damaged_log_is_copied_aside_and_nothing_deleted(
    new_api: Callable[..., Process], failing: Failing, tmp_path: Path
) -> None:
    api = new_api("--no-worker")
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    for number in range(20):
        person.video(f"number {number}")
    person.close()
    api.kill()
    log = tmp_path / "data" / "aigen.duckdb.wal"
    damaged = bytearray(log.read_bytes())
    damaged[len(damaged) // 2] ^= 0xFF
    log.write_bytes(damaged)
    line = failing(code=1)
    assert "damaged" in line
    assert "aigen db restore" in line
    (kept,) = (tmp_path / "data").glob("damaged-*")
    assert (kept / "aigen.duckdb.wal").read_bytes() == bytes(damaged)
    assert log.read_bytes() == bytes(damaged)


def test_a_file_that_is_no_database_is_left_alone(failing: Failing, tmp_path: Path) -> None:
    file = tmp_path / "data" / "aigen.duckdb"
    file.parent.mkdir()
    file.write_bytes(b"something else entirely" * 1000)
    failing(code=1)
    assert file.read_bytes() == b"something else entirely" * 1000


def test_secrets_and_data_are_for_their_owner_alone(
    new_api: Callable[..., Process], tmp_path: Path
) -> None:
    api = new_api()
    api.start()
    person = Person.log_in(api.url, ADMIN["email"], ADMIN["password"])
    person.wait(person.video("A fox"))
    data = tmp_path / "data"
    modes = {path: path.stat().st_mode & 0o077 for path in (data, *data.rglob("*"))}
    assert set(modes.values()) == {0}, modes
    person.close()


def test_up_shows_the_first_login_once_and_runs_on_a_simulator(tmp_path: Path) -> None:
    port = free_port()
    up = Process(
        [AIGEN, "up"],
        environment(
            AIGEN_DATA_DIR=str(tmp_path / "data"),
            AIGEN_API_PORT=str(port),
            AIGEN_WEB_PORT="0",
        ),
        f"http://127.0.0.1:{port}",
        tmp_path / "up.log",
        tmp_path,
    )
    up.start()
    until(lambda: "First login" in up.output(), "the first login", up.output)
    assert "Demo mode" in up.output()
    assert up.url in up.output()
    login = next(line for line in up.output().splitlines() if "First login" in line)
    email, password = login.split()[-2:]
    person = Person.log_in(up.url, email, password)
    assert person.get("/users/me")["role"] == "admin"
    text = person.post("/generate/text", {"model": "openai/gpt-4o-mini", "prompt": "Hi"})
    assert "simulated" in text["text"]
    assert up.stop() == 0
    up.log.unlink()
    up.start()
    until(lambda: "aigen is running" in up.output(), "the addresses")
    assert "First login" not in up.output()
    person.get("/users/me")
    person.close()
    assert up.stop() == 0
