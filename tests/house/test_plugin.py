"""The pytest plugin that comes with aigen, in the test runs of others."""

import os
import subprocess
import sys
from importlib.metadata import entry_points
from pathlib import Path

import pytest

_FIXTURES = """
import pytest
from aigen import TextRequest

@pytest.mark.asyncio
async def test_async(aigen_harness):
    ann = await aigen_harness.user()
    assert await aigen_harness.aigen.users.get(ann.id) == ann

def test_not_async(aigen_harness_in_thread):
    aigen = aigen_harness_in_thread.aigen
    ann = aigen.run(aigen_harness_in_thread.user())
    text = aigen.run(aigen.texts.generate(ann.id, TextRequest(model="any", prompt="hello")))
    assert text.text == "You said: hello"
"""

_NOT_LOADED = """
import sys

def test_nothing_is_loaded():
    ours = {name for name in sys.modules if name.startswith("aigen")}
    assert ours == {"aigen", "aigen.testing", "aigen.testing.fixtures"}
"""

_NOT_ASYNC = """
def test_not_async(aigen_harness_in_thread):
    aigen_harness_in_thread.aigen.run(aigen_harness_in_thread.user())
"""

#: As if pytest-asyncio were not installed.
_WITHOUT_ASYNCIO = """
import sys
sys.modules["pytest_asyncio"] = None
import pytest
sys.exit(pytest.main(sys.argv[1:]))
"""


#: Without the plugins of everything else that is installed.
ALONE = {"PYTEST_DISABLE_PLUGIN_AUTOLOAD": "1"}


def passes(folder: Path, tests: str, *command: str, **environment: str) -> None:
    """Run somebody else's tests, warnings being errors; all must pass."""
    (folder / "test_theirs.py").write_text(tests, encoding="utf-8")
    (folder / "pytest.ini").write_text("[pytest]\nfilterwarnings = error\n", encoding="utf-8")
    done = subprocess.run(
        [sys.executable, *command, "-q", "-p", "no:cacheprovider"],
        cwd=folder,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert done.returncode == 0, done.stdout + done.stderr


def test_it_is_found_by_its_entry_point() -> None:
    (plugin,) = (found for found in entry_points(group="pytest11") if found.name == "aigen")
    assert plugin.load().__name__ == "aigen.testing.fixtures"


def test_its_fixtures_are_there_without_being_asked_for(tmp_path: Path) -> None:
    passes(tmp_path, _FIXTURES, "-m", "pytest", "-o", "asyncio_default_fixture_loop_scope=function")


def test_who_does_not_use_it_loads_nothing_of_aigen(tmp_path: Path) -> None:
    passes(tmp_path, _NOT_LOADED, "-m", "pytest", "-p", "aigen.testing.fixtures", **ALONE)


@pytest.mark.parametrize("tests", [_NOT_LOADED, _NOT_ASYNC])
def test_it_needs_no_plugin_for_what_is_async(tmp_path: Path, tests: str) -> None:
    plugin = ("-p", "aigen.testing.fixtures")
    passes(tmp_path, tests, "-c", _WITHOUT_ASYNCIO, *plugin, **ALONE)
