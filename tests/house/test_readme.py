"""The examples of the README and of the guide to HTTP, run in demo mode against the simulator."""

import asyncio
import os
import re
import runpy
import shlex
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import click
import httpx
import pytest

from aigen.domain.model.media import MediaType, type_of
from aigen.entrypoints.api.app import create_app
from aigen.entrypoints.api.house import House
from aigen.entrypoints.cli import cli
from aigen.testing import Harness
from tests.house.markdown import GUIDES, named, pages, snippets
from tests.house.programs import HURRY, bare_environment, replaced, run_python, with_curl
from tests.house.sources import ROOT

README = ROOT / "README.md"
PROGRAMS = snippets(README, "python")
PAGES = (README, ROOT / "CONTRIBUTING.md", GUIDES / "http-api.md")
SHELL = [found for page in PAGES for found in snippets(page, "sh")]

#: The lines of all scripts that call one of our own programs.
COMMANDS = [
    line
    for found in SHELL
    for line in re.findall(r"^(?:\./dev|aigen)\b.*$", found.text, re.MULTILINE)
]


@pytest.fixture
def bare() -> dict[str, str]:
    return bare_environment()


def test_the_library_example_runs(tmp_path: Path, bare: dict[str, str]) -> None:
    (program,) = (found.text for found in PROGRAMS if "Aigen.open" in found.text)
    done = run_python("-W", "error", "-c", HURRY + program, folder=tmp_path, environment=bare)
    assert done.returncode == 0, done.stderr
    said, made = done.stdout.strip().rsplit("\n", 1)
    assert "Say hello" in said
    status, cost_usd, film = made.split()
    assert (status, float(cost_usd) > 0) == ("completed", True)
    assert type_of_file(tmp_path / film) is MediaType.MP4


def test_the_harness_example_passes() -> None:
    (program,) = (found.text for found in PROGRAMS if "Harness" in found.text)
    names: dict[str, Any] = {}
    exec(compile(program, "README.md", "exec"), names)  # noqa: S102 - it is what we publish
    tests = [found for name, found in names.items() if name.startswith("test_")]
    assert tests
    for test in tests:
        asyncio.run(test())


def test_the_first_steps_lead_to_a_film(tmp_path: Path, bare: dict[str, str]) -> None:
    (script,) = (found.text for found in SHELL if "/auth/login" in found.text)
    with _demo(tmp_path, bare) as (address, password):
        script = replaced("API", address, replaced("PASSWORD", password, script))
        done = subprocess.run(
            ["/bin/sh", "-eu", "-c", script],
            cwd=tmp_path,
            env=bare | {"PATH": f"{with_curl(tmp_path)}{os.pathsep}{bare['PATH']}"},
            capture_output=True,
            text=True,
            check=False,
            timeout=60,
        )
    assert (done.returncode, done.stderr) == (0, "")
    assert '"text":' in done.stdout
    assert '"media_type":"image/png"' in done.stdout
    assert '"status":"completed"' in done.stdout.splitlines()[-3]
    assert type_of_file(tmp_path / "fox.mp4") is MediaType.MP4


def test_the_example_with_openais_client_is_answered(tmp_path: Path, bare: dict[str, str]) -> None:
    (program,) = (found.text for found in PROGRAMS if "OpenAI(" in found.text)
    with _demo(tmp_path, bare) as (address, password):
        program = program.replace("http://127.0.0.1:8000", address)
        program = program.replace("aigen_…", _personal_key(address, password))
        done = run_python("-c", program, folder=tmp_path, environment=bare)
    assert (done.returncode, done.stderr) == (0, "")
    assert "Say hello" in done.stdout


@pytest.mark.parametrize("line", COMMANDS)
def test_every_command_of_the_readme_exists(line: str) -> None:
    program, *arguments = shlex.split(line, comments=True)
    if program == "./dev":
        assert arguments[0] in runpy.run_path(str(ROOT / "dev"))["COMMANDS"]
    else:
        parse(cli, arguments)


def test_every_command_and_option_in_the_pages_exists() -> None:
    options = {"--help", *(option for command in _all(cli) for option in _options(command))}
    for page in pages():
        for code in named(page.read_text(encoding="utf-8")):
            if words := re.match(r"aigen((?: [a-z][a-z-]*)+)", code):
                _found(words[1].split())
            assert set(re.findall(r"(?<!\S)\[?(--[a-z-]+)", code)) <= options, (page.name, code)


async def test_every_route_in_the_pages_exists(harness: Harness) -> None:
    paths = create_app(House.of(harness.aigen)).openapi()["paths"]
    known = {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, methods in paths.items()
        for method in methods
    }
    named_routes = {
        (method, re.sub(r"{\w+}", "{}", path))
        for page in pages()
        for method, path in re.findall(
            r"`(GET|POST|PUT|DELETE) (/[\w/{}-]*)`", page.read_text(encoding="utf-8")
        )
    }
    assert ("POST", "/auth/refresh") in named_routes
    assert named_routes <= known


@contextmanager
def _demo(folder: Path, environment: dict[str, str]) -> Iterator[tuple[str, str]]:
    """`aigen up` in demo mode on a free port: its address and the first password."""
    program = HURRY + "from aigen.entrypoints.cli import main\nmain()"
    with subprocess.Popen(
        [sys.executable, "-c", program, "up"],
        cwd=folder,
        env=environment | {"AIGEN_API_PORT": "0", "AIGEN_WEB_PORT": "0"},
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        text=True,
    ) as running:
        try:
            printed = ""
            while "First login" not in printed:
                assert running.stdout is not None
                line = running.stdout.readline()
                assert line, "it has ended"
                printed += line
            address = re.search(r"API (http://\S+)", printed)
            login = re.search(r"First login .*:  (\S+)  (\S+)", printed)
            assert address
            assert login
            assert "Demo mode" in printed
            assert login[1] == "admin@localhost"
            yield address[1], login[2]
        finally:
            running.terminate()
        assert running.wait(30) == 0


def _personal_key(address: str, password: str) -> str:
    with httpx.Client(base_url=address, trust_env=False) as client:
        credentials = {"email": "admin@localhost", "password": password}
        token = client.post("/auth/login", json=credentials).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        key: str = client.post("/keys", json={"name": "README"}, headers=headers).json()["key"]
        return key


def parse(command: click.Command, arguments: list[str]) -> None:
    """Parse the arguments as the command line would, and run nothing."""
    while isinstance(command, click.Group):
        name, *arguments = arguments
        command = _child(command, name)
    command.make_context(command.name, arguments)


def _found(words: list[str]) -> click.Command:
    """The command that the words name; what follows it are arguments."""
    command: click.Command = cli
    for word in words:
        if not isinstance(command, click.Group):
            break
        command = _child(command, word)
    return command


def _child(group: click.Group, name: str) -> click.Command:
    found = group.get_command(click.Context(group), name)
    assert found is not None, name
    return found


def _all(command: click.Command) -> Iterator[click.Command]:
    """A command and all below it."""
    yield command
    if isinstance(command, click.Group):
        for name in command.list_commands(click.Context(command)):
            yield from _all(_child(command, name))


def _options(command: click.Command) -> list[str]:
    return [option for parameter in command.params for option in parameter.opts]


def type_of_file(file: Path) -> MediaType | None:
    return type_of(file.read_bytes()[:16])
