"""A release, built as `./dev build` builds it and installed where there was nothing before."""

import json
import re
import runpy
import subprocess
import sys
import tomllib
import zipfile
from email.parser import HeaderParser
from pathlib import Path
from typing import Any

import httpx
import pytest
from benchmarks.install import Installed, install

import aigen
from aigen.entrypoints.api.app import create_app
from aigen.entrypoints.api.house import House
from aigen.testing import Harness
from tests.e2e.processes import Person, Process, environment, free_port, simulator
from tests.house.sources import ROOT, SRC
from tests.house.test_repository import kept_files

PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
VERSION = PROJECT["version"]
UV = runpy.run_path(str(ROOT / "dev"))["uv"]


def run(*command: str, folder: Path, env: dict[str, str] | None = None) -> str:
    done = subprocess.run(
        command, cwd=folder, env=env, capture_output=True, text=True, check=False, timeout=300
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout


@pytest.fixture(scope="module")
def dist(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("dist")
    run(sys.executable, "dev", "build", str(folder), folder=ROOT)
    return folder


def wheel_in(folder: Path) -> Path:
    (wheel,) = folder.glob("*.whl")
    return wheel


# --- what is built --------------------------------------------------------------------------


def test_a_release_is_a_wheel_a_source_and_a_bill_of_materials(dist: Path) -> None:
    built = {file.name for file in dist.iterdir() if not file.name.startswith(".")}
    assert built == {
        f"aigen-{VERSION}-py3-none-any.whl",
        f"aigen-{VERSION}.tar.gz",
        "sbom.cdx.json",
    }


def test_the_source_builds_the_same_wheel_as_the_repository(dist: Path, tmp_path: Path) -> None:
    """`./dev build` takes the sdist; this is the way past it."""
    run(UV(), "build", "--quiet", "--wheel", "--out-dir", str(tmp_path), folder=ROOT)
    assert wheel_in(tmp_path).read_bytes() == wheel_in(dist).read_bytes()


def test_the_wheel_holds_the_package_and_nothing_else(dist: Path) -> None:
    with zipfile.ZipFile(wheel_in(dist)) as wheel:
        held = {name for name in wheel.namelist() if ".dist-info/" not in name}
        notes = {name.partition("/")[2] for name in wheel.namelist()} - held
        headers = HeaderParser().parsestr(
            wheel.read(f"aigen-{VERSION}.dist-info/METADATA").decode()
        )
    ours = {name.removeprefix("src/") for name in kept_files() if name.startswith("src/aigen/")}
    assert held == {name for name in ours if (SRC / name).exists()}
    assert "aigen/py.typed" in held
    assert "licenses/LICENSE" in notes
    assert (headers["Version"], headers["License-Expression"]) == (VERSION, "MIT")


def test_the_bill_of_materials_has_what_is_installed_and_no_tool(dist: Path) -> None:
    bill: dict[str, Any] = json.loads((dist / "sbom.cdx.json").read_text(encoding="utf-8"))
    parts = {part["name"]: part["version"] for part in bill["components"]}
    wanted = [*PROJECT["dependencies"], *PROJECT["optional-dependencies"]["postgres"]]
    names = {re.split(r"[\[><=]", wish)[0] for wish in wanted}
    assert names <= parts.keys()
    assert not parts.keys() & {"pytest", "ruff", "sphinx", "playwright"}
    lock = tomllib.loads((ROOT / "uv.lock").read_text(encoding="utf-8"))
    locked = {(package["name"], package["version"]) for package in lock["package"]}
    assert set(parts.items()) <= locked
    subject = bill["metadata"]["component"]
    assert (subject["name"], subject["version"]) == ("aigen", VERSION)


# --- what is installed ----------------------------------------------------------------------


@pytest.fixture(scope="module")
def installed(dist: Path, tmp_path_factory: pytest.TempPathFactory) -> Installed:
    return install(wheel_in(dist), tmp_path_factory.mktemp("installed") / "venv")


def alone(**settings: str) -> dict[str, str]:
    """An environment that leads nobody to the repository."""
    kept = environment(**settings)
    return {
        name: value for name, value in kept.items() if name not in {"PYTHONPATH", "VIRTUAL_ENV"}
    }


def test_what_is_installed_is_the_wheel(installed: Installed, tmp_path: Path) -> None:
    said = "import aigen, sys; print(aigen.__file__, aigen.__version__, *sys.path)"
    printed = run(installed.program("python"), "-c", said, folder=tmp_path, env=alone())
    file, version, *path = printed.split()
    assert Path(file).is_relative_to(installed.folder)
    assert version == VERSION
    assert not [entry for entry in path if Path(entry).is_relative_to(ROOT)]


def test_it_serves_and_makes_a_video_without_the_repository(
    installed: Installed, tmp_path: Path
) -> None:
    api, web = free_port(), free_port()
    with simulator(tmp_path) as provider:
        settings = {
            "AIGEN_API_PORT": str(api),
            "AIGEN_WEB_PORT": str(web),
            "AIGEN_API_URL": f"http://127.0.0.1:{api}",
            "AIGEN_OPENROUTER_URL": f"{provider.url}/api/v1",
            "AIGEN_POLL_INTERVAL": "0.2",
            "AIGEN_BCRYPT_COST": "4",
        }
        command, folder = [installed.program("aigen"), "up"], tmp_path / "anywhere"
        folder.mkdir()
        log = tmp_path / "log"
        up = Process(command, alone(**settings), f"http://127.0.0.1:{api}", log, folder)
        up.start()
        first = re.search(r"First login .*:  (\S+)  (\S+)", up.output())
        assert first is not None
        person = Person.log_in(up.url, *first.groups())
        job = person.wait(person.video("a fox in the snow"))
        assert job["status"] == "completed"
        assert person.client.get(job["video_url"]).content[4:8] == b"ftyp"
        person.close()
        assert_the_pages_are_whole(f"http://127.0.0.1:{web}")
        assert up.stop() == 0


def assert_the_pages_are_whole(address: str) -> None:
    """Templates, styles, scripts and pictures are in the wheel."""
    with httpx.Client(base_url=address, trust_env=False) as browser:
        page = browser.get("/login")
        assert page.status_code == 200
        assets = re.findall(r'(?:src|href)="(/static/[^"#]+)', page.text)
        assert len(assets) > 3
        assert {asset: browser.get(asset).status_code for asset in assets} == dict.fromkeys(
            assets, 200
        )


# --- one version ----------------------------------------------------------------------------


async def test_there_is_one_version(
    installed: Installed, tmp_path: Path, aigen_harness: Harness
) -> None:
    changelog = (ROOT / "CHANGELOG.md").read_text(encoding="utf-8")
    headings = re.findall(r"^## \[(.+)\] - (\d{4}-\d\d-\d\d|unreleased)$", changelog, re.MULTILINE)
    assert len(headings) == changelog.count("\n## ")
    printed = run(installed.program("aigen"), "--version", folder=tmp_path, env=alone())
    told = {
        "the changelog": headings[0][0],
        "aigen --version": printed.split()[-1],
        "aigen.__version__": aigen.__version__,
        "OpenAPI": create_app(House.of(aigen_harness.aigen)).openapi()["info"]["version"],
    }
    assert told == dict.fromkeys(told, VERSION)


def test_the_image_has_no_version_of_its_own() -> None:
    """It installs the project, with the version that pyproject.toml says."""
    dockerfile = (ROOT / "Dockerfile").read_text(encoding="utf-8")
    assert re.search(r"^COPY pyproject\.toml uv\.lock", dockerfile, re.MULTILINE)
    for name in ("Dockerfile", "compose.yaml"):
        text = (ROOT / name).read_text(encoding="utf-8")
        assert VERSION not in text
        assert "image.version" not in text
        assert not re.search(r"image: aigen:", text)
