"""What is written in a page of the documentation: tables, code, links."""

import re
from pathlib import Path

from attrs import frozen

from tests.house.sources import ROOT

ARC42 = ROOT / "docs" / "arc42"
ADR = ROOT / "docs" / "adr"
GUIDES = ROOT / "docs" / "guides"

_FENCE = re.compile(r"^```(\w+)\n(.*?)^```$", re.MULTILINE | re.DOTALL)
_CODE = re.compile(r"`([^`\n]+)`")
_LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
_RULE = re.compile(r"\|(?: -+ \|)+")


@frozen
class Snippet:
    language: str
    text: str


def pages() -> list[Path]:
    """Every page that people read."""
    names = ("README.md", "CONTRIBUTING.md", "CHANGELOG.md", "SECURITY.md")
    at_top = (ROOT / name for name in names)
    folders = (ROOT / "docs", GUIDES, ARC42, ADR)
    return [*at_top, *(page for folder in folders for page in sorted(folder.glob("*.md")))]


def snippets(page: Path, language: str | None = None) -> list[Snippet]:
    """The fenced blocks of a page, or those in one language."""
    found = [Snippet(*match) for match in _FENCE.findall(page.read_text(encoding="utf-8"))]
    return [snippet for snippet in found if language in {None, snippet.language}]


def tables(page: Path) -> dict[str, list[list[str]]]:
    """The rows of a page's tables, by the first word of their heads."""
    found: dict[str, list[list[str]]] = {}
    lines = page.read_text(encoding="utf-8").splitlines()
    for place, line in enumerate(lines):
        if _RULE.fullmatch(line):
            rows = found.setdefault(_cells(lines[place - 1])[0], [])
            for row in lines[place + 1 :]:
                if not row.startswith("|"):
                    break
                rows.append(_cells(row))
    return found


def named(text: str) -> list[str]:
    """What stands between backticks."""
    return _CODE.findall(text)


def links(page: Path) -> list[str]:
    return _LINK.findall(page.read_text(encoding="utf-8"))


def _cells(line: str) -> list[str]:
    return [cell.strip() for cell in line.strip().strip("|").split("|")]
