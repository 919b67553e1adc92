"""What is loaded when: the library's face and the command line's help cost little."""

import os
import subprocess
import sys
from pathlib import Path

HEAVY = {
    "aiohttp",
    "dependency_injector",
    "duckdb",
    "fastapi",
    "flask",
    "httpx",
    "psycopg",
    "pydantic",
    "starlette",
    "uvicorn",
}

WEB_FRAMEWORKS = {"fastapi", "flask", "jinja2", "starlette", "uvicorn", "waitress", "werkzeug"}

_OPEN = """
import asyncio
from aigen import Aigen, Settings

async def main():
    async with Aigen.open(Settings(data_dir="data", openrouter_api_key="a-key")) as aigen:
        await aigen.users.add("ann@example.org", "a long pass phrase")
        async with aigen.worker():
            pass

asyncio.run(main())
"""

_WIRING = """
import sys
import aigen.entrypoints.container
from dependency_injector.containers import DeclarativeContainer
from dependency_injector.providers import Object
from dependency_injector.wiring import Provide, inject

class Container(DeclarativeContainer):
    number = Object(5)

@inject
def number(number=Provide[Container.number]):
    return number

container = Container()
container.wire(modules=[sys.modules["__main__"]])
assert number() == 5
container.unwire()
assert number() != 5
"""

_HELP = """
import sys
from aigen.entrypoints.cli import main
sys.argv = ["aigen", "--help"]
try:
    main()
except SystemExit as exit:
    assert not exit.code
"""


def loaded_by(code: str, folder: Path) -> set[str]:
    """The top-level modules that a fresh interpreter has loaded after running the code."""
    program = f"{code}\nimport sys\nprint('loaded:', *sys.modules)"
    done = subprocess.run(
        [sys.executable, "-c", program],
        cwd=folder,
        env=os.environ | {"PYTHONWARNINGS": "error"},
        capture_output=True,
        text=True,
        check=True,
    )
    last = done.stdout.splitlines()[-1]
    assert last.startswith("loaded:")
    return {name.partition(".")[0] for name in last.split()}


def test_importing_aigen_loads_no_framework_and_no_database(tmp_path: Path) -> None:
    assert not loaded_by("import aigen", tmp_path) & HEAVY


def test_the_first_lines_of_a_program_load_no_adapter(tmp_path: Path) -> None:
    """pydantic reads the settings; everything else waits for `Aigen.open`."""
    loaded = loaded_by("from aigen import Aigen, Settings, TextRequest", tmp_path)
    assert not loaded & (HEAVY | {"bcrypt", "cattrs", "jwt"}) - {"pydantic"}


def test_an_open_installation_has_loaded_no_web_framework(tmp_path: Path) -> None:
    assert not loaded_by(_OPEN, tmp_path) & WEB_FRAMEWORKS


def test_a_program_that_embeds_aigen_can_wire_containers_of_its_own(tmp_path: Path) -> None:
    loaded_by(_WIRING, tmp_path)


def test_help_loads_no_framework_and_no_database(tmp_path: Path) -> None:
    assert not loaded_by(_HELP, tmp_path) & HEAVY


def test_importing_the_harness_loads_no_framework_and_no_database(tmp_path: Path) -> None:
    assert not loaded_by("import aigen.testing", tmp_path) & HEAVY


def test_the_api_loads_no_frontend_and_the_frontend_no_api(tmp_path: Path) -> None:
    api = loaded_by("import aigen.entrypoints.commands.serve", tmp_path)
    assert not api & {"flask", "jinja2", "markdown_it", "waitress"}
    web = loaded_by("import aigen.entrypoints.commands.web", tmp_path)
    assert not web & {"dependency_injector", "duckdb", "fastapi", "httpx", "uvicorn"}


def test_a_worker_loads_no_web_framework_and_no_embedded_database(tmp_path: Path) -> None:
    """One over HTTP nothing of the house at all; one on PostgreSQL what the container needs."""
    distant = loaded_by("import aigen.entrypoints.commands.worker", tmp_path)
    assert not distant & {"dependency_injector", "duckdb", "fastapi", "psycopg", "uvicorn"}
    near = loaded_by("import aigen.entrypoints.container", tmp_path)
    assert not near & ({"duckdb"} | WEB_FRAMEWORKS)


def test_every_exported_name_is_there(tmp_path: Path) -> None:
    loaded_by("import aigen\nfor name in aigen.__all__: getattr(aigen, name)", tmp_path)
