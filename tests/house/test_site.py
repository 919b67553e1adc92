"""The documentation as a site: built without a warning, read without a network."""

import re
import subprocess
import sys
from collections.abc import Iterator
from html.parser import HTMLParser
from pathlib import Path

import pytest
from attrs import define, field
from docs.site.extension import VENDOR, unpack_mermaid
from playwright.sync_api import BrowserContext

from tests.house.markdown import pages, snippets
from tests.house.sources import ROOT
from tests.web.chromium import chromium_if_any


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("site")
    command = [sys.executable, "-m", "docs.site", str(folder)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    return folder


def html_of(page: Path) -> Path:
    return page.relative_to(ROOT).with_suffix(".html")


def test_every_page_is_there_and_the_first_one_is_the_readme(site: Path) -> None:
    assert not [page for page in pages() if not (site / html_of(page)).exists()]
    assert (site / "index.html").read_bytes() == (site / "README.html").read_bytes()
    contents = (site / "index.html").read_text(encoding="utf-8")
    assert not [page for page in pages()[1:] if f'href="{html_of(page)}"' not in contents]


@pytest.mark.parametrize("text", ["[a](nowhere.md)", "[a](#no-such-heading)", "![a](no.png)"])
def test_a_link_that_leads_nowhere_ends_the_build(tmp_path: Path, text: str) -> None:
    source = tmp_path / "source"
    source.mkdir()
    (source / "README.md").write_text(f"# A page\n\n{text}\n", encoding="utf-8")
    command = [sys.executable, "-m", "docs.site", str(tmp_path / "site"), str(source)]
    done = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert "README.md:3: WARNING:" in done.stderr


def test_every_picture_of_the_repository_is_shown_somewhere(site: Path) -> None:
    pictures = {file.name for file in (ROOT / "docs" / "pictures").iterdir()}
    assert {file.name for file in (site / "_images").iterdir()} == pictures


# --- no network -----------------------------------------------------------------------------


@define
class Loaded(HTMLParser):
    """The addresses that a browser asks for by itself when it shows a page."""

    found: list[str] = field(factory=list)

    def __attrs_pre_init__(self) -> None:
        super().__init__()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given = dict(attrs)
        if tag == "link" and given.get("rel") not in {"index", "search", "next", "prev"}:
            self.found.append(given.get("href") or "")
        self.found += [given[name] or "" for name in ("src", "srcset", "poster") if name in given]


def is_elsewhere(address: str) -> bool:
    return re.match(r"[a-z]+:|//", address) is not None and not address.startswith("data:")


def test_no_page_and_no_style_asks_anybody_else(site: Path) -> None:
    elsewhere: dict[str, list[str]] = {}
    for file in site.rglob("*.html"):
        loaded = Loaded()
        loaded.feed(file.read_text(encoding="utf-8"))
        assert loaded.found, file
        elsewhere[file.name] = [*filter(is_elsewhere, loaded.found)]
    for file in site.rglob("*.css"):
        text = file.read_text(encoding="utf-8")
        named = re.findall(r"""(?:url\(|@import)\s*["']?([^"')]+)""", text)
        elsewhere[file.name] = [*filter(is_elsewhere, named)]
    assert not {name: found for name, found in elsewhere.items() if found}


@pytest.fixture(scope="module")
def reader() -> Iterator[BrowserContext]:
    """Somebody with a browser and no network."""
    with chromium_if_any() as browser:
        context = browser.new_context(offline=True)
        yield context
        context.close()


WITH_DIAGRAMS = [page for page in pages() if snippets(page, "mermaid")]


@pytest.mark.parametrize("page", WITH_DIAGRAMS, ids=lambda page: page.name)
def test_every_diagram_is_drawn_from_a_folder_without_network(
    site: Path, reader: BrowserContext, page: Path
) -> None:
    asked: list[str] = []
    tab = reader.new_page()
    tab.on("request", lambda request: asked.append(request.url))
    complaints: list[str] = []
    tab.on("pageerror", lambda error: complaints.append(str(error)))
    tab.add_init_script("addEventListener('unhandledrejection', () => window.broken = true)")
    tab.goto((site / html_of(page)).as_uri())
    count = len(snippets(page, "mermaid"))
    tab.wait_for_function(
        "count => window.broken || document.querySelectorAll('pre.mermaid > svg').length == count",
        arg=count,
    )
    tab.close()
    assert not complaints
    assert not [address for address in asked if not address.startswith(("file:", "data:", "blob:"))]


def test_the_search_finds_a_word_without_network(site: Path, reader: BrowserContext) -> None:
    tab = reader.new_page()
    tab.goto((site / "search.html").as_uri() + "?q=pepper")
    tab.wait_for_selector("#search-results li a")
    found = tab.locator("#search-results li a").all_inner_texts()
    tab.close()
    assert "12. Glossary" in found


# --- what others have made ------------------------------------------------------------------


def test_an_archive_that_is_not_the_recorded_one_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for file in VENDOR.iterdir():
        (tmp_path / file.name).write_bytes(file.read_bytes())
    (archive,) = tmp_path.glob("*.tgz")
    archive.write_bytes(archive.read_bytes() + b"more")
    monkeypatch.setattr("docs.site.extension.VENDOR", tmp_path)
    with pytest.raises(ValueError, match="is not what was recorded"):
        unpack_mermaid(tmp_path)


def test_the_script_comes_with_its_licence(site: Path) -> None:
    assert "MIT License" in (site / "_static" / "mermaid.LICENSE").read_text(encoding="utf-8")
