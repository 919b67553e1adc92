"""The files of the frontend: whose they are, and what must not be in them."""

import hashlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tests.house.sources import imports, modules

WEB = Path(str(files("aigen.entrypoints.web")))
STATIC = WEB / "static"
TEMPLATES = sorted((WEB / "templates").rglob("*.html"))
VENDORED = tomllib.loads((STATIC / "vendor" / "VENDORED.toml").read_text(encoding="utf-8"))


@pytest.mark.parametrize("name", VENDORED)
def test_what_others_have_made_is_as_they_made_it(name: str) -> None:
    record, folder = VENDORED[name], STATIC / "vendor"
    digest = hashlib.sha256((folder / record["file"]).read_bytes()).hexdigest()
    assert digest == record["sha256"]
    assert (folder / record["licence_file"]).read_text(encoding="utf-8")
    assert record["version"] in record["source"]


def test_everything_in_the_folder_is_recorded() -> None:
    recorded = {record[key] for record in VENDORED.values() for key in ("file", "licence_file")}
    found = {file.name for file in (STATIC / "vendor").iterdir()}
    assert found == recorded | {"VENDORED.toml"}


def test_every_icon_that_is_used_is_there() -> None:
    sprite = (STATIC / "vendor" / "icons.svg").read_text(encoding="utf-8")
    there = set(re.findall(r'id="([\w-]+)"', sprite))
    used = {
        name
        for file in TEMPLATES
        for name in re.findall(r'icon\("([\w-]+)"\)', file.read_text(encoding="utf-8"))
    }
    assert used
    assert used <= there


@pytest.mark.parametrize("file", TEMPLATES, ids=lambda file: file.name)
def test_pages_have_no_inline_scripts_styles_or_strangers(file: Path) -> None:
    text = file.read_text(encoding="utf-8")
    assert not re.search(r"\sstyle=|<style|\son\w+=|javascript:", text)
    assert not re.search(r"<script(?![^>]*src=\"{{ asset)", text)
    assert not re.search(r"(?:src|href|action)=\"\s*(?:\w+:)?//", text)
    assert "| safe" not in text


def test_scripts_and_styles_ask_no_stranger() -> None:
    own = [*STATIC.glob("js/*.js"), *STATIC.glob("*.css")]
    assert own
    for file in own:
        assert not re.search(r"https?://|@import", file.read_text(encoding="utf-8")), file.name


def test_the_frontend_knows_the_apis_client_and_nothing_else_of_aigen() -> None:
    known = ("aigen.adapters.http", "aigen.entrypoints.web")
    for name, module in modules("aigen.entrypoints.web").items():
        ours = {found for found in imports(module) if found.startswith("aigen.")}
        assert not {found for found in ours if not found.startswith(known)}, name
