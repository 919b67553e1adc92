"""The page at /docs: what it consists of, and what it may do in a browser."""

import hashlib
import re
import tomllib
from importlib.resources import files
from pathlib import Path

import pytest

from tests.api.answers import assert_problem
from tests.api.conftest import OpenWorld
from tests.api.world import World

STATIC = Path(str(files("aigen.entrypoints.api"))) / "static"
VENDORED = tomllib.loads((STATIC / "vendor" / "VENDORED.toml").read_text(encoding="utf-8"))


async def test_the_documentation_can_be_switched_off(open_world: OpenWorld) -> None:
    world = await open_world(docs="off")
    for path in ("/docs", "/docs/docs.js", "/openapi.json", "/redoc"):
        assert_problem(await world.http.get(path), 404, "not_found")


async def test_all_that_the_page_names_is_served(still: World) -> None:
    page = await still.http.get("/docs")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    named = re.findall(r'(?:src|href)="([^"]+)"', page.text)
    ours = [address for address in named if not address.startswith("data:")]
    assert "docs/swagger-ui-bundle.js" in ours
    assert "openapi.json" in ours
    for address in ours:
        assert (await still.http.get(f"/{address}")).status_code == 200, address


@pytest.mark.parametrize("name", ["VENDORED.toml", "vendor", "..%2fapp.py", "docs.html"])
async def test_nothing_else_is_served(still: World, name: str) -> None:
    assert_problem(await still.http.get(f"/docs/{name}"), 404, "not_found")


async def test_the_page_runs_no_script_but_ours(still: World) -> None:
    page = await still.http.get("/docs")
    policy = page.headers["content-security-policy"]
    assert "default-src 'none'; script-src 'self'; style-src 'self';" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script>|\sstyle=|<style|\son\w+=|//", page.text)


@pytest.mark.parametrize("name", VENDORED["swagger-ui"]["sha256"])
async def test_what_others_have_made_is_served_as_they_made_it(still: World, name: str) -> None:
    served = await still.http.get(f"/docs/{name}")
    assert served.headers["content-encoding"] == "gzip"
    digest = hashlib.sha256(served.content).hexdigest()
    assert digest == VENDORED["swagger-ui"]["sha256"][name]


def test_everything_in_the_folder_is_recorded() -> None:
    record = VENDORED["swagger-ui"]
    packed = {f"{name}.gz" for name in record["sha256"]}
    found = {file.name for file in (STATIC / "vendor").iterdir()}
    assert found == packed | {*record["licence_files"], "VENDORED.toml"}
