"""The guides for people who type commands, followed from their first block to their last: real
processes, the simulator as the provider, a real PostgreSQL, S3 as moto has it."""

import os
import re
import runpy
import shutil
import subprocess
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import httpx
import psycopg
import pytest
from psycopg import sql

from aigen.entrypoints.settings import Settings, variable_of
from tests.buckets import KEY, SECRET, S3Server
from tests.e2e.processes import Process, environment, free_port, simulator
from tests.guides.terminal import Guide, Terminal
from tests.house.markdown import snippets
from tests.house.sources import ROOT
from tests.house.test_readme import type_of_file
from tests.house.test_repository import kept_files
from tests.postgres.server import Server

API, WEB, SECOND_API = "127.0.0.1:8000", "127.0.0.1:8080", "127.0.0.1:8001"
A_KEY = "sk-or-v1-…"

#: Quicker than anybody would want it.
HASTE = {"AIGEN_BCRYPT_COST": "4", "AIGEN_POLL_INTERVAL": "0.2", "AIGEN_WORKER_INTERVAL": "1"}


@pytest.fixture(scope="module")
def provider(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Process]:
    with simulator(tmp_path_factory.mktemp("simulator")) as running:
        yield running


def terminal(folder: Path, **words: str) -> Terminal:
    """A terminal in an empty folder, with ports that are free, which the guides' words become."""
    api, web = free_port(), free_port()
    folder.mkdir(exist_ok=True)
    env = environment(
        **HASTE,
        AIGEN_API_PORT=str(api),
        AIGEN_WEB_PORT=str(web),
        AIGEN_API_URL=f"http://127.0.0.1:{api}",
    )
    env["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), env["PATH"]])
    env.pop("VIRTUAL_ENV", None)
    return Terminal(folder, env, {API: f"127.0.0.1:{api}"} | words)


def film_in(folder: Path) -> str | None:
    return type_of_file(folder / "fox.mp4")


def password_in(output: str) -> str:
    """What `--generate-password` has printed."""
    match = re.search(r"^password: (\S+)$", output, re.MULTILINE)
    assert match is not None
    return match[1]


def test_the_first_video_is_made_in_a_fresh_clone(tmp_path: Path, provider: Process) -> None:
    clone = tmp_path / "clone"
    for name in kept_files():
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, clone / name)
    guide, there = Guide("first-video.md"), terminal(clone)
    there.words[WEB] = f"127.0.0.1:{there.env['AIGEN_WEB_PORT']}"
    uv = Path(runpy.run_path(str(ROOT / "dev"))["uv"]())
    there.env["PATH"] = os.pathsep.join([str(uv.parent), there.env["PATH"]])

    with there.serving(guide.next(), "First login") as up:
        printed = there.with_our_words(guide.next("text"))
        before, _, after = printed.partition("…")
        found = re.search(re.escape(before) + r"(\S+)" + re.escape(after), up.output())
        assert found is not None, up.output()
        there.words["the printed password"] = found[1]
        there.type(guide.next())
        assert film_in(clone) == "video/mp4"

    there.words[A_KEY] = "sk-or-v1-of-the-test"
    written, start = guide.next().splitlines(keepends=True)
    there.type(written)
    assert (clone / ".env").stat().st_mode & 0o777 == 0o600
    real = {"AIGEN_OPENROUTER_URL": f"{provider.url}/api/v1"}
    with there.serving(start, "aigen is running", **real) as up:
        assert "Demo mode" not in up.output()
        quote, usage = there.type(guide.next()).splitlines()
        assert re.fullmatch(r'{"estimate_usd":0\.\d+}', quote)
        assert '"by_model":[{"kind":"video"' in usage
    guide.must_be_over()
    there.all_words_were_read()


def test_openais_clients_are_answered(tmp_path: Path, provider: Process) -> None:
    guide, there = Guide("openai-clients.md"), terminal(tmp_path / "here")
    there.env |= {"AIGEN_OPENROUTER_URL": f"{provider.url}/api/v1", "OPENROUTER_API_KEY": "sk-test"}
    with there.serving("aigen up\n", "First login") as up:
        found = re.search(r"First login .*  (\S+)\n", up.output())
        assert found is not None
        there.words["your password"] = found[1]
        there.type(guide.next())
        models, answer = there.type(guide.next()).splitlines()
        assert '"id":"openai/gpt-4o-mini"' in models
        assert "Say hello" in answer
        (there.folder / "program.py").write_text(guide.next("python"), encoding="utf-8")
        assert "Say hello" in there.type("python3 program.py")
        assert film_in(there.folder) == "video/mp4"
        assert type_of_file(there.folder / "night.png") == "image/png"
    guide.must_be_over()
    there.all_words_were_read()


# --- for a team -----------------------------------------------------------------------------


def test_a_team_is_served_as_the_guide_says(tmp_path: Path, provider: Process) -> None:
    guide, there = Guide("team.md"), terminal(tmp_path / "here")
    del there.words[API]
    there.words |= {
        A_KEY: "sk-or-v1-of-the-test",
        "API=https://api.aigen.example.org": f"API={there.env['AIGEN_API_URL']}",
    }
    guide.next("caddyfile")
    (there.folder / ".env").write_text(there.with_our_words(guide.next("ini")), encoding="utf-8")
    there.env["AIGEN_OPENROUTER_URL"] = f"{provider.url}/api/v1"

    there.words["your password"] = password_in(there.type(guide.next()))
    with there.serving(guide.next(), "aigen is running") as up:
        assert "First login" not in up.output()
        behind_the_proxy(f"http://127.0.0.1:{there.env['AIGEN_WEB_PORT']}")
        people = there.type(guide.next())
        assert "https://aigen.example.org/reset/" in people
        assert people.endswith("admin  you@example.org\n")
        assert "removed ann@example.org" in there.type(guide.next())
        limits, usage = there.type(guide.next()).splitlines()
        assert '"default_usd_month":50' in limits
        assert usage == '{"items":[]}'
        assert "problem" not in there.type(guide.next())
    assert "all sessions have ended" in there.type(guide.next())
    assert there.type(guide.next()) == "nothing to do\n"
    with there.serving("aigen up\n", "aigen is running"):
        assert '"status":"ready"' in there.type(guide.next())
    guide.must_be_over()
    there.all_words_were_read()


def behind_the_proxy(address: str) -> None:
    """What the proxy passes on is believed: cookies are for https, other names are not known."""
    with httpx.Client(base_url=address, trust_env=False) as proxy:
        told = {"Host": "aigen.example.org", "X-Forwarded-Proto": "https"}
        page = proxy.get("/login", headers=told)
        assert page.status_code == 200
        assert "secure" in page.headers["set-cookie"].lower()
        assert proxy.get("/login").status_code == 400


def test_the_guide_quotes_the_proxys_file_and_both_fit_what_aigen_does() -> None:
    file = (ROOT / "deploy" / "one-machine.Caddyfile").read_text(encoding="utf-8")
    page = ROOT / "docs" / "guides" / "team.md"
    (quoted,) = (snippet.text for snippet in snippets(page, "caddyfile"))
    assert quoted == file
    defaults = Settings.model_fields
    ports = [defaults["web_port"].default, defaults["api_port"].default]
    assert [*map(int, re.findall(r"reverse_proxy 127\.0\.0\.1:(\d+)", file))] == ports
    (settings,) = (snippet.text for snippet in snippets(page, "ini"))
    names = re.findall(r"(?m)^(\S+) \{$", file)
    assert [*re.findall(r"_URL=https://(\S+)", settings)] == names
    inner = r"(?m)^\s+@inner path .+\n\s+respond @inner 404$"
    large = (ROOT / "deploy" / "Caddyfile").read_text(encoding="utf-8")
    assert re.findall(inner, file) == re.findall(inner, large) != []
    if caddy := shutil.which("caddy"):
        command = [caddy, "validate", "--adapter", "caddyfile", "--config", str(ROOT / "deploy")]
        subprocess.run([*command[:-1], f"{command[-1]}/one-machine.Caddyfile"], check=True)


# --- PostgreSQL and S3 ----------------------------------------------------------------------


@pytest.fixture
def s3() -> Iterator[S3Server]:
    server = S3Server()
    yield server
    server.stop()


@pytest.fixture
def role(postgres: Server) -> Iterator[str]:
    """The name of a role and of a database that the guide makes."""
    name = f"aigen_guide_{os.getpid()}"
    yield name
    for kind, more in (("DATABASE", " WITH (FORCE)"), ("ROLE", "")):
        drop = sql.SQL(f"DROP {kind} IF EXISTS {{}}{more}")
        postgres.execute(drop.format(sql.Identifier(name)))


def test_it_runs_on_postgresql_and_s3(
    tmp_path: Path, provider: Process, postgres: Server, role: str, s3: S3Server
) -> None:
    guide, there = Guide("postgres-and-s3.md"), terminal(tmp_path / "here")
    bucket, second = s3.new_bucket(), free_port()
    api, web = there.env["AIGEN_API_URL"], f"http://127.0.0.1:{there.env['AIGEN_WEB_PORT']}"
    address = postgres.url_of(role)
    there.words |= {
        "postgresql://aigen@db.example.org/aigen": address,
        "s3://films/aigen": f"s3://{bucket}/aigen",
        A_KEY: "sk-or-v1-of-the-test",
        "PGPASSWORD='…'": "PGPASSWORD='a password'",
        "AWS_ACCESS_KEY_ID='…'": f"AWS_ACCESS_KEY_ID='{KEY}'",
        "AWS_SECRET_ACCESS_KEY='…'": f"AWS_SECRET_ACCESS_KEY='{SECRET}'",
        "https://s3.example.org": s3.url,
        "AIGEN_API_PORT=8001": f"AIGEN_API_PORT={second}",
        SECOND_API: f"127.0.0.1:{second}",
    }
    there.env["AIGEN_OPENROUTER_URL"] = f"{provider.url}/api/v1"
    make(postgres, guide.next("sql"), role)

    there.type(guide.next())
    with (there.folder / ".env").open("a", encoding="utf-8") as settings:
        settings.write(there.with_our_words(guide.next("ini")))
    there.type(guide.next())
    with ExitStack() as all_of_them:
        all_of_them.enter_context(there.serving(guide.next(), f"{api}/healthz"))
        all_of_them.enter_context(there.serving(guide.next(), "worker_started"))
        all_of_them.enter_context(there.serving(guide.next(), f"{web}/login"))
        there.words["the printed password"] = password_in(there.type(guide.next()))
        beside = there.serving(guide.next(), f"http://127.0.0.1:{second}/healthz")
        all_of_them.enter_context(beside)
        ready = '{"status":"ready","reasons":[],"workers":1}\n'
        assert there.type(guide.next()) == 2 * ready
        there.type(guide.next())
        assert film_in(there.folder) == "video/mp4"
        assert len(s3.keys(bucket)) == 1
        assert not (there.folder / "aigen-data" / "media").exists()

    make(postgres, "DROP DATABASE aigen;\nCREATE DATABASE aigen OWNER aigen;", role)
    old = terminal(tmp_path / "old", **{k: v for k, v in there.words.items() if "://" in k})
    old.env |= {"AIGEN_OPENROUTER_URL": f"{provider.url}/api/v1", **s3.variables}
    old.type("aigen users add you@example.org --role admin --generate-password")
    assert "Everything is there." in old.type(guide.next())
    guide.must_be_over()
    there.all_words_were_read()


def make(postgres: Server, statements: str, name: str) -> None:
    """Run the statements of a guide with a name instead of `aigen`, as whoever has the server."""
    with psycopg.connect(postgres.url, autocommit=True) as connection:
        for statement in statements.replace("aigen", name).strip().split("\n"):
            connection.execute(statement.encode())


def test_every_setting_of_a_file_in_the_guides_exists() -> None:
    known = {variable_of(name) for name in Settings.model_fields}
    for page in ("team.md", "postgres-and-s3.md"):
        for snippet in snippets(ROOT / "docs" / "guides" / page, "ini"):
            assert {line.partition("=")[0] for line in snippet.text.splitlines()} <= known
