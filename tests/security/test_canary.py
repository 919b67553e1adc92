"""Secrets that are easily found again, and every place in which they must not turn up."""

import json
import stat
import subprocess
from collections.abc import Iterator
from pathlib import Path
from urllib.parse import parse_qs, urlsplit

import duckdb
import httpx
import pytest
from attrs import define, field

from aigen.entrypoints.weak_keys import why_weak
from tests.e2e.processes import ADMIN, TEXT_MODEL, Person, Process, api

PROVIDER_KEY = "sk-or-v1-canary-of-the-provider-0001"
SECRET_KEY = "canary-signing-9f8e7d6c5b4a39281706-key"
PEPPER = "canary-pepper-0a1b2c3d4e5f67890123456789"
WORKER, OPERATOR, WEB = "canary-worker-token-01", "canary-operator-token-02", "canary-web-token-03"
PASSWORD, NEW_PASSWORD = "canary horse battery one", "canary horse battery two"
WRONG_PASSWORD = "canary horse battery wrong"
EMAIL = "canary@example.org"
PROMPT = "canary-prompt: a thought that is private"

#: May stand in the database: they are what people have stored there.
_CONTENT = {"prompt", "e-mail"}


@define
class Cage:
    """A real installation in which everything has happened that involves a secret. `secrets` are
    by their names; `answers` is all that the API has said to anybody."""

    house: Process
    secrets: dict[str, str]
    answers: list[httpx.Response] = field(factory=list)

    @property
    def data(self) -> Path:
        return Path(self.house.env["AIGEN_DATA_DIR"])

    def found_in(self, text: str | bytes, *allowed: str) -> list[str]:
        """The names of the secrets that are in a text."""
        raw = text.encode() if isinstance(text, str) else text
        return [
            name
            for name, secret in self.secrets.items()
            if name not in allowed and secret.encode() in raw
        ]


@pytest.fixture(scope="module")
def cage(provider: Process, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Cage]:
    house = api(
        tmp_path_factory.mktemp("cage"),
        provider.url,
        OPENROUTER_API_KEY=PROVIDER_KEY,
        AIGEN_SECRET_KEY=SECRET_KEY,
        AIGEN_PEPPER=PEPPER,
        AIGEN_WORKER_TOKEN=WORKER,
        AIGEN_OPERATOR_TOKEN=OPERATOR,
        AIGEN_WEB_TOKEN=WEB,
        AIGEN_METRICS="on",
        AIGEN_LOG_LEVEL="debug",
    )
    house.start()
    root = Person.log_in(house.url, **ADMIN)
    cage = Cage(house, live(root))
    root.client.event_hooks["response"] = [httpx.Response.read, cage.answers.append]
    fail(root, cage.secrets)
    yield cage
    root.close()
    if house.child.poll() is None:
        house.stop()


def live(root: Person) -> dict[str, str]:
    """Do everything once that has to do with a secret; the secrets."""
    user = root.post("/users", {"email": EMAIL, "password": PASSWORD}, 201)
    link = root.post(f"/users/{user['id']}/reset-link", status=201)["url"]
    ann = Person.log_in(str(root.client.base_url).rstrip("/"), EMAIL, PASSWORD)
    key = ann.post("/keys", {"name": "a program"}, 201)["key"]
    said = {"model": TEXT_MODEL, "prompt": PROMPT}
    ann.post("/generate/text", said)
    ann.post("/generate/text", said | {"stream": False, "prompt": f"{PROMPT} sim:refuse"}, 422)
    image = {"model": "black-forest-labs/flux.2-pro", "prompt": PROMPT}
    url = ann.post("/generate/image", image)["images"][0]["url"]
    assert httpx.get(url, trust_env=False).status_code == 200
    ann.wait(ann.video(PROMPT))
    ann.wait(ann.video(f"{PROMPT} sim:fail=no"))
    ann.get("/generate/text", params={"q": PROMPT})
    renewed = ann.post(
        "/auth/refresh",
        {"refresh_token": ann.tokens["refresh_token"]},
        headers={"Idempotency-Key": "canary-of-the-client"},
    )
    ann.put("/users/me", {"current_password": PASSWORD, "new_password": NEW_PASSWORD})
    ann.close()
    return {
        "provider's key": PROVIDER_KEY,
        "signing key": SECRET_KEY,
        "pepper": PEPPER,
        "worker's token": WORKER,
        "operator's token": OPERATOR,
        "frontend's token": WEB,
        "password": PASSWORD,
        "new password": NEW_PASSWORD,
        "wrong password": WRONG_PASSWORD,
        "access token": ann.tokens["access_token"],
        "refresh token": ann.tokens["refresh_token"],
        "newer access token": renewed["access_token"],
        "newer refresh token": renewed["refresh_token"],
        "personal key": key,
        "reset link": link.rpartition("/")[2],
        "signature of a file": parse_qs(urlsplit(url).query)["signature"][0],
        "prompt": PROMPT,
        "e-mail": EMAIL,
    }


def fail(root: Person, secrets: dict[str, str]) -> None:
    """Send every secret to where it is wrong."""
    for secret in secrets.values():
        client = root.client
        client.post("/auth/login", json={"email": EMAIL, "password": WRONG_PASSWORD})
        client.post("/auth/login", json={"email": secret, "password": secret})
        client.post("/auth/refresh", json={"refresh_token": secret})
        client.post("/auth/reset", json={"token": secret, "new_password": secret[:8]})
        client.post("/auth/login", json={"email": [secret], "password": {secret: secret}})
        client.get("/users/me", headers={"Authorization": f"Bearer {secret}x"})
        client.get("/media/x", params={"expires": "1", "signature": secret[:200]})
        client.get("/generate/video", params={"status": secret})
        client.put(f"/users/{secret.replace('/', '')}/role", json={"role": secret})


def test_no_log_holds_a_secret(cage: Cage) -> None:
    assert len(cage.house.output()) > 1000, "nothing was logged"
    assert cage.found_in(cage.house.output()) == []


def test_no_refusal_holds_a_secret(cage: Cage) -> None:
    refusals = [answer for answer in cage.answers if answer.status_code >= 400]
    assert len(refusals) > 100
    leaks = {
        (answer.request.method, answer.request.url.path, name)
        for answer in refusals
        for name in cage.found_in(answer.content + str(answer.headers).encode())
    }
    assert leaks == set()


def test_metrics_audit_and_readiness_hold_no_secret(cage: Cage) -> None:
    operator = {"Authorization": f"Bearer {OPERATOR}"}
    for path in ("/metrics", "/admin/audit?limit=100", "/admin/stats", "/admin/videos", "/readyz"):
        answer = httpx.get(cage.house.url + path, headers=operator, trust_env=False)
        assert answer.status_code == 200, answer.text
        assert cage.found_in(answer.text) == [], path


def test_settings_are_shown_without_secrets(cage: Cage) -> None:
    shown = subprocess.run(
        [cage.house.command[0], "settings", "--json"],
        env=cage.house.env,
        cwd=cage.house.folder,
        capture_output=True,
        check=True,
    )
    assert json.loads(shown.stdout)
    assert cage.found_in(shown.stdout + shown.stderr) == []


def test_files_are_for_their_owner_alone(cage: Cage) -> None:
    assert stat.S_IMODE(cage.data.stat().st_mode) == 0o700
    for path in cage.data.rglob("*"):
        mode = stat.S_IMODE(path.stat().st_mode)
        assert mode == (0o700 if path.is_dir() else 0o600), (path, oct(mode))


def test_the_database_and_its_files_hold_no_secret_in_clear(cage: Cage) -> None:
    """After the last change was written: in no column, and nowhere else in any file."""
    assert cage.house.stop() == 0
    with duckdb.connect(str(cage.data / "aigen.duckdb"), read_only=True) as database:
        tables = database.sql("SELECT table_name FROM duckdb_tables()").fetchall()
        assert len(tables) > 10
        for (table,) in tables:
            rows = str(database.sql(f'SELECT * FROM "{table}"').fetchall())
            assert cage.found_in(rows, *_CONTENT) == [], table
            if table in {"audit_log", "sessions", "refresh_tokens", "charges", "workers"}:
                assert cage.found_in(rows) == [], table
    for file in filter(Path.is_file, cage.data.rglob("*")):
        assert cage.found_in(file.read_bytes(), *_CONTENT) == [], file


@pytest.mark.parametrize(
    "key",
    [
        "",
        "short",
        "x" * 31,
        "x" * 64,
        "0123456789" * 3 + "0",
        "abababababababababababababababab",
        "changemechangemechangemechangeme",
        "secret-secret-secret-secret-secret",
        "SECRETpasswordSECRETpasswordSECRET",
        "change-me-change-me-change-me-change-me",
        "example-key-example-key-example-key-",
        "aigen-secret-aigen-secret-aigen-secret",
        "ü" * 16,
    ],
)
def test_a_key_that_anybody_could_guess_is_refused(key: str) -> None:
    assert why_weak(key)


@pytest.mark.parametrize("key", [SECRET_KEY, PEPPER, "correct horse battery staple and so on"])
def test_a_key_that_nobody_could_guess_is_taken(key: str) -> None:
    assert why_weak(key) is None
