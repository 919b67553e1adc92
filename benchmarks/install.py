"""What a stranger waits for: the size of an installation, and how soon its commands are there."""

import os
import runpy
import subprocess
import sys
import tempfile
import time
from pathlib import Path

from attrs import frozen

from benchmarks.processes import free_port, running
from benchmarks.report import ROOT, Report
from benchmarks.tables import Bound, Result, Table, show

MB = 10**6
TIMES = 5


@frozen
class Installed:
    """An environment in which there is nothing but the wheel and what it needs."""

    folder: Path

    def program(self, name: str) -> str:
        return str(self.folder / "bin" / name)

    @property
    def packages(self) -> Path:
        (found,) = self.folder.glob("lib/python*/site-packages")
        return found


def install(wheel: Path, folder: Path) -> Installed:
    """Make such an environment, with the versions of the lock, which need not be the newest."""
    uv = runpy.run_path(str(ROOT / "dev"))["uv"]()
    versions = folder.with_name("versions.txt")
    export = ("export", "--frozen", "--quiet", "--no-dev", "--no-hashes", "--no-emit-project")
    _run(uv, *export, "--output-file", str(versions))
    _run(uv, "venv", "--quiet", "--python", sys.executable, str(folder))
    into = ("--python", str(folder / "bin" / "python"), "--constraint", str(versions))
    _run(uv, "pip", "install", "--quiet", *into, str(wheel))
    return Installed(folder)


@frozen(kw_only=True)
class Installation:
    """Sizes in megabytes of 10⁶ bytes. `up_seconds` and `up_mb` are of `aigen up` when it is ready,
    with API, worker and frontend, on a data dir that is there already."""

    wheel_mb: float
    installed_mb: float
    packages: int
    help_seconds: float
    import_seconds: float
    up_seconds: float
    up_mb: float


def run() -> Report:
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        _run(sys.executable, "dev", "build", str(folder / "dist"))
        (wheel,) = (folder / "dist").glob("*.whl")
        installed = install(wheel, folder / "venv")
        return Report([shown(measure(installed, wheel, folder))])


def shown(found: Installation) -> Table:
    return show(
        "An installation",
        [
            Result(name="the wheel", figures={"": f"{found.wheel_mb:.2f} MB"}),
            Result(
                name="all that is installed",
                figures={"": f"{found.installed_mb:.0f} MB in {found.packages} packages"},
                bounds=(Bound("< 250 MB", found.installed_mb),),
            ),
            Result(
                name="aigen --help",
                figures={"": f"{found.help_seconds * 1000:.0f} ms"},
                bounds=(Bound("< 150 ms", found.help_seconds * 1000),),
            ),
            Result(
                name="import aigen",
                figures={"": f"{found.import_seconds * 1000:.0f} ms"},
                bounds=(Bound("< 100 ms", found.import_seconds * 1000),),
            ),
            Result(
                name="aigen up is ready",
                figures={"": f"{found.up_seconds:.2f} s, {found.up_mb:.0f} MB"},
                bounds=(Bound("< 5 s", found.up_seconds),),
            ),
        ],
    )


def measure(installed: Installed, wheel: Path, folder: Path) -> Installation:
    files = [file for file in installed.packages.rglob("*") if file.is_file()]
    program, python = installed.program("aigen"), installed.program("python")
    _seconds(program, "--help")  # compiles what is compiled once
    up_seconds, up_mb = _up(program, folder)
    return Installation(
        wheel_mb=wheel.stat().st_size / MB,
        installed_mb=sum(file.stat().st_size for file in files) / MB,
        packages=len([*installed.packages.glob("*.dist-info")]),
        help_seconds=min(_seconds(program, "--help") for _ in range(TIMES)),
        import_seconds=min(_seconds(python, "-c", "import aigen") for _ in range(TIMES)),
        up_seconds=up_seconds,
        up_mb=up_mb,
    )


def _up(program: str, folder: Path) -> tuple[float, float]:
    """Seconds until `aigen up` answers once it has a data dir, and its memory then."""
    port = free_port()
    env = {
        "AIGEN_DATA_DIR": str(folder / "data"),
        "AIGEN_API_PORT": str(port),
        "AIGEN_WEB_PORT": "0",
        "OPENROUTER_API_KEY": "",
    }

    def once() -> tuple[float, float]:
        began = time.perf_counter()
        with running([program, "up"], port, "/readyz", env) as process:
            return time.perf_counter() - began, process.rss_bytes() / MB

    once()  # makes the data dir
    return min(once() for _ in range(TIMES))


def _seconds(*command: str) -> float:
    began = time.perf_counter()
    _run(*command)
    return time.perf_counter() - began


def _run(*command: str) -> None:
    kept = {name: value for name, value in os.environ.items() if name != "VIRTUAL_ENV"}
    subprocess.run(command, cwd=ROOT, env=kept, check=True, stdout=subprocess.DEVNULL)
