"""What sections 5, 6, 10 and 12 of the architecture name, looked up."""

import ast
import re
from functools import cache

from benchmarks.__main__ import NAMES as BENCHMARKS
from docs import module_map
from starlette.routing import Route

from aigen.adapters.openrouter.simulator import Simulator, SimulatorOptions
from aigen.entrypoints.api.app import create_app
from aigen.entrypoints.api.house import House
from aigen.entrypoints.settings import Settings, variable_of
from aigen.testing import Harness
from tests.house.markdown import ARC42, named, pages, tables
from tests.house.sources import ROOT, Function, modules, names_of_tests, packages

RUNTIME = (ARC42 / "06-runtime.md").read_text(encoding="utf-8")
QUALITY = ARC42 / "10-quality.md"
GLOSSARY = ARC42 / "12-glossary.md"


# --- section 5 ------------------------------------------------------------------------------


def test_every_package_that_a_layer_consists_of_is_a_box_of_the_map() -> None:
    """Migrations, parts of API and frontend, and contracts are drawn with their parents."""
    inner = {"migrations", "openai", "routes", "schemas", "pages", "contracts"}
    drawn = {box for boxes in module_map.GROUPS.values() for box in boxes}
    found = {
        name.removeprefix("aigen.") for name in packages() if name.rpartition(".")[2] not in inner
    }
    assert found - {"aigen", "domain"} == drawn | {*module_map.INNERMOST}


def test_the_maps_show_all_modules_and_real_imports() -> None:
    counted = sum(map(int, re.findall(r"<br/>(\d+) modules?", module_map.packages())))
    face = {"aigen", *packages()}
    assert counted == len(modules().keys() - face)
    assert "    adapters_sql --> adapters_records" in module_map.packages()
    assert "    text_calls --> ledger" in module_map.services()


# --- section 6 ------------------------------------------------------------------------------


def scenarios() -> dict[str, str]:
    """The sections with a sequence diagram, by their headings."""
    sections = re.split(r"(?m)^## ", RUNTIME)[1:]
    found = {section.partition("\n")[0]: section for section in sections}
    return {title: text for title, text in found.items() if "sequenceDiagram" in text}


def test_every_scenario_names_tests_that_play_it_and_they_exist() -> None:
    known = names_of_tests()
    for title, text in scenarios().items():
        match = re.search(r"(?s)\n\nPlayed by (.+?)\n\n", text)
        assert match is not None, title
        tests = [name for name in named(match[1].replace("\n", " ")) if name.startswith("test_")]
        assert tests, title
        assert not {*tests} - known, title


def test_every_scenario_that_is_played_over_http_is_told() -> None:
    played = ast.parse((ROOT / "tests" / "e2e" / "test_scenarios.py").read_bytes())
    names = {n.name for n in played.body if isinstance(n, Function) and n.name.startswith("test_")}
    untold = names - {*named(RUNTIME)}
    # Its one step is in the table of the provider's answers.
    assert untold == {"test_a_refused_video_says_why"}


async def test_every_route_in_the_diagrams_exists(harness: Harness) -> None:
    ours = _routes(create_app(House.of(harness.aigen)).openapi()["paths"])
    theirs = {
        (method, re.sub(r"{\w+}", "{}", route.path.removeprefix("/api/v1")))
        for route in Simulator(SimulatorOptions()).app.routes
        if isinstance(route, Route)
        for method in route.methods or ()
    }
    asked = re.findall(r"(?m)->>\+?([AP]): (GET|POST|PUT|DELETE) (/[\w/{}-]*)", RUNTIME)
    assert len(asked) > 20
    for whom, method, path in asked:
        known = ours if whom == "A" else theirs
        assert (method, re.sub(r"{\w+}", "{}", path)) in known, (whom, method, path)


def _routes(paths: dict[str, dict[str, object]]) -> set[tuple[str, str]]:
    return {
        (method.upper(), re.sub(r"{\w+}", "{}", path))
        for path, methods in paths.items()
        for method in methods
    }


# --- section 10 -----------------------------------------------------------------------------


def test_every_benchmark_that_a_page_names_exists() -> None:
    for page in pages():
        for code in named(page.read_text(encoding="utf-8")):
            if words := re.fullmatch(r"\./dev bench((?: [\w-]+)*)", code):
                known = {*BENCHMARKS, "--save", "--quick"}
                assert {*words[1].split()} <= known, (page.name, code)


def test_every_bound_is_the_one_that_its_benchmark_says() -> None:
    rows = tables(QUALITY)["measure"]
    assert len(rows) > 8
    for measure, bound, by in rows:
        (command,) = named(by)
        name = command.removeprefix("./dev bench ")
        assert name in BENCHMARKS, measure
        source = ast.parse((ROOT / "benchmarks" / f"{name}.py").read_bytes())
        said = {node.value for node in ast.walk(source) if isinstance(node, ast.Constant)}
        assert {*bound.split(", ")} <= said, (measure, bound)


# --- section 12 -----------------------------------------------------------------------------


@cache
def names_in_the_code() -> set[str]:
    """What has a name: modules, classes, functions, arguments, fields, constants."""
    found: set[str] = set()
    for name, module in modules().items():
        found.add(name.rpartition(".")[2])
        for node in ast.walk(module):
            if isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
                found.add(node.name)
            elif isinstance(node, ast.arg):
                found.add(node.arg)
            elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
                found.add(node.id)
    return found


def test_every_word_of_the_glossary_is_the_codes() -> None:
    rows = tables(GLOSSARY)["word"]
    for word, _, code in rows:
        assert named(code), word
        for name in named(code):
            assert {*name.split(".")} <= names_in_the_code(), (word, name)
    words = [row[0].casefold() for row in rows]
    assert words == sorted(words)


def test_what_the_glossary_says_in_code_is_there() -> None:
    said = {name for _, means, _ in tables(GLOSSARY)["word"] for name in named(means)}
    values = {
        node.value
        for module in modules().values()
        for node in ast.walk(module)
        if isinstance(node, ast.Constant) and isinstance(node.value, str)
    }
    settings = {variable_of(name) for name in Settings.model_fields}
    unknown = {
        name
        for name in said - values - settings
        if not {*name.split(".")} <= names_in_the_code() and name.lower() not in values
    }
    assert not unknown
