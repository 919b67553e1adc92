"""Every block of code in the guides for programmers is a file, and does what it is there for."""

from pathlib import Path

import pytest

from tests.house.markdown import GUIDES, snippets
from tests.house.programs import HURRY, bare_environment, run_python

PAGES = [GUIDES / f"{name}.md" for name in ("library", "adapters", "testing")]

#: What pytest is told once, in the guide to testing, and goes for the tests of all guides.
SETTINGS = "pyproject.toml"

_RUN = """
import runpy, sys
sys.path.insert(0, "")
runpy.run_path(sys.argv[1], run_name="__main__")
"""


def files_of(page: Path) -> dict[str, str]:
    """The blocks of a page by the names that they bear."""
    return {snippet.file: snippet.text for snippet in snippets(page) if snippet.file}


PROGRAMS = [(page, name) for page in PAGES for name in files_of(page) if name.endswith(".py")]


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.stem)
def test_every_block_is_a_file_of_its_own(page: Path) -> None:
    fences = page.read_text(encoding="utf-8").count("```")
    names = [snippet.file for snippet in snippets(page)]
    assert fences == 2 * len(names)
    assert None not in names
    assert len(set(names)) == len(names)
    assert {name for name in names if name and not name.endswith(".py")} <= {SETTINGS}


@pytest.mark.parametrize(
    ("page", "name"),
    [pytest.param(page, name, id=f"{page.stem}-{name}") for page, name in PROGRAMS],
)
def test_a_program_of_a_guide_runs(page: Path, name: str, tmp_path: Path) -> None:
    (settings,) = (files_of(page)[SETTINGS] for page in PAGES if SETTINGS in files_of(page))
    for file, text in {**files_of(page), SETTINGS: settings}.items():
        (tmp_path / file).write_text(text, encoding="utf-8")
    if name.startswith("test_"):
        command = ["-m", "pytest", "-q", "-W", "error", "-p", "no:cacheprovider", name]
    else:
        command = ["-W", "error", "-c", HURRY + _RUN, name]
    done = run_python(*command, folder=tmp_path, environment=bare_environment())
    assert done.returncode == 0, done.stdout + done.stderr


def test_a_second_provider_takes_less_than_sixty_lines() -> None:
    text = files_of(GUIDES / "adapters.md")["compatible.py"]
    assert len(text.splitlines()) < 60
