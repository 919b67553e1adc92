"""What aigen is deployed with, held against aigen: image, compose file, proxy, units, alerts."""

import json
import os
import re
import runpy
import shlex
import shutil
import subprocess
import threading
import tomllib
from collections.abc import Iterator
from configparser import ConfigParser
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path
from typing import Any

import pytest
import yaml

from aigen.domain.model.videos import VideoStatus
from aigen.entrypoints.api.metrics import Metrics
from aigen.entrypoints.cli import cli
from aigen.entrypoints.settings import Settings, variable_of
from tests.house.markdown import named, tables
from tests.house.sources import ROOT
from tests.house.test_readme import parse

DEPLOY = ROOT / "deploy"
UNITS = DEPLOY / "systemd"
COMMON = UNITS / "aigen-.service.d" / "common.conf"
DOCKERFILE = (ROOT / "Dockerfile").read_text(encoding="utf-8")
COMPOSE = yaml.safe_load((ROOT / "compose.yaml").read_text(encoding="utf-8"))
SERVICES: dict[str, dict[str, Any]] = COMPOSE["services"]
OURS = {name: service for name, service in SERVICES.items() if service["image"] == "aigen"}
GRACE = Settings.model_fields["shutdown_grace"].default.total_seconds()
KNOWN = {variable_of(name) for name in Settings.model_fields}

#: As docs/operations.md has it written.
DOTENV = {
    "OPENROUTER_API_KEY": "sk-or-v1-test",
    "AIGEN_WEB_URL": "https://aigen.example.org",
    "AIGEN_PUBLIC_URL": "https://api.aigen.example.org",
    "AIGEN_SECRET_KEY": "0123456789abcdefghijklmnopqrstuvwxyz",
    "AIGEN_PEPPER": "zyxwvutsrqponmlkjihgfedcba9876543210",
    "AIGEN_WEB_TOKEN": "a token of the frontend",
    "AIGEN_OPERATOR_TOKEN": "a token of the operator",
    "PGPASSWORD": "a password",
}


def test_every_setting_that_is_named_exists() -> None:
    for file in (ROOT / "Dockerfile", ROOT / "compose.yaml", *DEPLOY.rglob("*")):
        text = file.read_text(encoding="utf-8") if file.is_file() else ""
        assert set(re.findall(r"\b(?:AIGEN|OPENROUTER)_[A-Z_]+\b", text)) <= KNOWN, file.name


# --- image ----------------------------------------------------------------------------------


def instructions(name: str) -> list[str]:
    """The arguments of every such instruction of the Dockerfile."""
    joined = DOCKERFILE.replace("\\\n", " ")
    return re.findall(rf"^{name} (.+)$", joined, re.MULTILINE)


def test_the_image_starts_everything_unless_it_is_told_otherwise() -> None:
    assert json.loads(instructions("ENTRYPOINT")[0]) == ["aigen"]
    parse(cli, json.loads(instructions("CMD")[0]))


def test_the_image_has_all_that_it_copies_and_nothing_else() -> None:
    listed = (ROOT / ".dockerignore").read_text(encoding="utf-8").splitlines()
    allowed = {line[1:] for line in listed if line.startswith("!")}
    copied = [word for line in instructions("COPY") for word in line.split()[:-1]]
    ours = {name for name in copied if not name.startswith(("--", "/"))}
    assert ours == allowed
    assert all((ROOT / name).exists() for name in ours)


def test_the_image_is_built_from_the_lock_by_a_tool_that_reads_it() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))
    syncs = [line for line in instructions("RUN") if line.startswith("uv sync")]
    assert syncs
    assert all("--frozen --no-dev --extra postgres" in line for line in syncs)
    assert "postgres" in project["project"]["optional-dependencies"]
    needed = project["tool"]["uv"]["required-version"].removeprefix(">=")
    (used,) = re.findall(r"uv==([\d.]+)", DOCKERFILE)
    assert [*map(int, used.split("."))] >= [*map(int, needed.split("."))]


def test_the_image_runs_as_nobody_and_is_stopped_gently() -> None:
    assert re.fullmatch(r"[1-9]\d*:[1-9]\d*", instructions("USER")[-1])
    assert instructions("STOPSIGNAL") == ["SIGTERM"]
    assert instructions("VOLUME") == ["/data"]


class _Answers(BaseHTTPRequestHandler):
    def do_GET(self) -> None:
        self.send_response(int(self.path[1:]))
        self.end_headers()

    def log_message(self, *_: object) -> None:
        """Nothing is logged."""


@contextmanager
def answering() -> Iterator[str]:
    with HTTPServer(("127.0.0.1", 0), _Answers) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


def test_the_health_check_tells_faults_from_answers(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:1")
    healthy = runpy.run_path(str(DEPLOY / "healthy.py"))["main"]
    with answering() as url:
        assert [healthy(f"{url}/{status}") for status in (200, 400, 500, 503)] == [0, 0, 1, 1]
    assert healthy(f"{url}/200") == 1, "nobody is there any more"


def test_the_health_checks_ask_where_something_is_served() -> None:
    inside = COMPOSE["x-inside"]
    kept = re.sub(r".* CMD ", "", instructions("HEALTHCHECK")[0])
    asked = [json.loads(kept), SERVICES["web"]["healthcheck"]["test"][1:]]
    for (*program, url), port in zip(asked, ("AIGEN_API_PORT", "AIGEN_WEB_PORT"), strict=True):
        assert program == ["python", "/opt/aigen/healthy.py"]
        assert url.startswith(f"http://127.0.0.1:{inside[port]}/")


# --- compose --------------------------------------------------------------------------------


@pytest.mark.parametrize("name", SERVICES)
def test_a_service_is_of_one_shape_and_may_do_little(name: str) -> None:
    service = SERVICES[name]
    assert service["profiles"] in (["default"], ["scale"])
    assert service["read_only"] is True
    assert service["cap_drop"] == ["ALL"]
    assert service["security_opt"] == ["no-new-privileges:true"]
    assert service["mem_limit"]
    assert service["restart"] == "unless-stopped"
    assert service["logging"] == {"driver": "local"}, "the default one grows for ever"


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_is_a_command_with_time_to_stop(name: str) -> None:
    parse(cli, OURS[name].get("command", ["up"]))
    assert float(OURS[name]["stop_grace_period"].removesuffix("s")) > GRACE


def environment(name: str) -> dict[str, str]:
    """What Docker tells a service: `.env` if it is handed on, then what stands in the file."""
    service = OURS[name]
    told = dict(DOTENV) if "env_file" in service else {}
    for variable, value in service["environment"].items():
        if value is not None:
            told[variable] = re.sub(
                r"\$\{(\w+):-([^}]*)\}", lambda found: DOTENV.get(found[1]) or found[2], str(value)
            )
        elif variable in DOTENV:
            told[variable] = DOTENV[variable]
    return told


@pytest.mark.parametrize("name", OURS)
def test_a_service_of_ours_has_the_settings_that_it_needs(
    name: str, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    for variable in KNOWN:
        monkeypatch.delenv(variable, raising=False)
    for variable, value in environment(name).items():
        monkeypatch.setenv(variable, value)
    monkeypatch.chdir(tmp_path)
    settings = Settings()
    assert (settings.data_dir, settings.api_host, settings.web_host) == (
        Path("/data"),
        "0.0.0.0",  # noqa: S104 - inside a container
        "0.0.0.0",  # noqa: S104
    )
    if name.startswith(("api", "worker")):
        assert settings.postgres_url
    if name.startswith("api"):
        assert settings.public_base == DOTENV["AIGEN_PUBLIC_URL"]
        assert settings.trusted_proxies
    if name == "web":
        assert (settings.api_base, settings.web_base) == (
            "http://proxy:8000",
            DOTENV["AIGEN_WEB_URL"],
        )
        assert settings.secret_key
        assert settings.web_token
        told = environment(name).keys()
        assert not told & {"OPENROUTER_API_KEY", "PGPASSWORD", "AIGEN_PEPPER"}


def test_each_process_has_a_data_dir_of_its_own_and_all_share_the_files() -> None:
    mounts = [mount.split(":") for service in OURS.values() for mount in service.get("volumes", ())]
    own = [volume for volume, folder in mounts if folder == "/data"]
    assert len(own) == len(set(own))
    assert {volume for volume, folder in mounts if folder == "/data/media"} == {"media"}
    elsewhere = {"certificates", "postgres"}
    assert {volume for volume, _ in mounts} | elsewhere == COMPOSE["volumes"].keys()


def test_nothing_is_open_to_the_world_but_the_proxy() -> None:
    ports = {name: service["ports"] for name, service in SERVICES.items() if "ports" in service}
    assert ports.keys() == {"aigen", "proxy"}
    assert all(port.startswith("127.0.0.1:") for port in ports["aigen"])


def test_the_proxy_asks_services_that_exist() -> None:
    text = (DEPLOY / "Caddyfile").read_text(encoding="utf-8")
    asked = set(re.findall(r"([a-z][\w-]*):(\d+)", text))
    api, web = (str(COMPOSE["x-inside"][f"AIGEN_{name}_PORT"]) for name in ("API", "WEB"))
    assert asked == {("web", web), ("api-1", api), ("api-2", api)}
    variables = set(re.findall(r"\{\$(\w+)\}", text))
    assert variables == SERVICES["proxy"]["environment"].keys()


# --- units ----------------------------------------------------------------------------------


def unit(file: Path) -> ConfigParser:
    parsed = ConfigParser(strict=False, interpolation=None)
    parsed.optionxform = str  # type: ignore[assignment, method-assign]
    parsed.read_string(file.read_text(encoding="utf-8"))
    return parsed


@pytest.mark.parametrize("file", sorted(UNITS.glob("*.service")), ids=lambda file: file.name)
def test_a_unit_is_a_command_of_ours_and_has_what_all_have(file: Path) -> None:
    assert file.name.startswith("aigen-"), "the common part is for those alone"
    program, *arguments = shlex.split(unit(file)["Service"]["ExecStart"])
    assert program == "/opt/aigen/bin/aigen"
    parse(cli, arguments)
    assert unit(file)["Install"]["WantedBy"] == "multi-user.target"


def test_units_have_time_to_stop_and_are_not_started_again_for_a_wrong_setting() -> None:
    service = unit(COMMON)["Service"]
    assert float(service["TimeoutStopSec"]) > GRACE
    assert service["RestartPreventExitStatus"] == "2"
    assert service["ProtectSystem"] == "strict"


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="there is no systemd here")
def test_systemd_understands_the_units() -> None:
    names = [file.name.replace("@.", "@8001.") for file in UNITS.glob("*.service")]
    done = subprocess.run(
        ["/usr/bin/env", "systemd-analyze", "verify", *names],
        env=os.environ | {"SYSTEMD_UNIT_PATH": f"{UNITS}:"},
        capture_output=True,
        text=True,
        check=False,
    )
    not_installed = "Command /opt/aigen/bin/aigen is not executable"
    ours = [line for line in done.stderr.splitlines() if "aigen" in line]
    assert not [line for line in ours if not_installed not in line]


# --- alerts ---------------------------------------------------------------------------------


def test_every_alert_asks_for_what_is_measured_and_is_explained() -> None:
    (group,) = yaml.safe_load((DEPLOY / "alerts.yaml").read_text(encoding="utf-8"))["groups"]
    metrics = Metrics()
    metrics.note_request("GET", "/healthz", 200, 0.1)
    metrics.note_jobs(dict.fromkeys(VideoStatus, 0), unknown=0, workers=1)
    measured = {sample.name for metric in metrics.registry.collect() for sample in metric.samples}
    for rule in group["rules"]:
        asked = set(re.findall(r"\b(?:aigen|process)_\w+", rule["expr"]))
        assert asked <= measured, rule["alert"]
        statuses = re.findall(r'aigen_video_jobs\{status="(\w+)"', rule["expr"])
        assert set(statuses) <= {*VideoStatus}, rule["alert"]
    explained = tables(ROOT / "docs" / "operations.md")["alert"]
    alerts = [name for row in explained for name in named(row[0])]
    assert alerts == [rule["alert"] for rule in group["rules"]]
