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
    assert "duckdb" not in loaded_by("import aigen.entrypoints.container", tmp_path)


def test_every_exported_name_is_there(tmp_path: Path) -> None:
    loaded_by("import aigen\nfor name in aigen.__all__: getattr(aigen, name)", tmp_path)
