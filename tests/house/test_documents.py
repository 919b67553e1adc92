"""What the documentation says, held against the code."""

import ast
import re
from pathlib import Path

import pytest
from docs import generate

from aigen.domain.model.videos import TRANSITIONS, VideoState, VideoStatus
from aigen.entrypoints.settings import Settings, variable_of
from tests.house.markdown import ADR, ARC42, links, named, pages, snippets, tables
from tests.house.sources import ROOT, bases, modules, names_of_tests, packages, protocols

DIAGRAMS = {"flowchart", "sequenceDiagram", "stateDiagram-v2"}

BUILDING_BLOCKS = ARC42 / "05-building-blocks.md"


# --- generated ------------------------------------------------------------------------------


def test_generated_parts_are_up_to_date() -> None:
    stale = [
        file.name
        for file, text in generate.files().items()
        if not file.exists() or file.read_text(encoding="utf-8") != text
    ]
    assert not stale, "run ./dev docs"


def test_the_example_of_settings_has_all_of_them_with_their_defaults(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    for name in Settings.model_fields:
        monkeypatch.delenv(variable_of(name), raising=False)
    example = (ROOT / ".env.example").read_text(encoding="utf-8")
    lines = re.findall(r"^#([A-Z_]+=.*)$", example, re.MULTILINE)
    assert [line.partition("=")[0] for line in lines] == [*map(variable_of, Settings.model_fields)]
    (tmp_path / ".env").write_text("\n".join(lines), encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    written = Settings()
    assert written.model_fields_set, "the file was read"
    monkeypatch.chdir(ROOT / "docs")
    assert written.model_dump() == Settings().model_dump()


# --- section 5 ------------------------------------------------------------------------------


def test_every_package_and_port_is_described() -> None:
    found = tables(BUILDING_BLOCKS)
    assert sorted(named(row[0])[0] for row in found["package"]) == sorted(packages())
    described = {named(row[0])[0] for table in ("port", "repository") for row in found[table]}
    assert described == protocols().keys()


def test_every_single_module_of_the_adapters_is_described() -> None:
    (row,) = (row for row in tables(BUILDING_BLOCKS)["package"] if row[0] == "`aigen.adapters`")
    single = {
        name.rpartition(".")[2]
        for name in modules("aigen.adapters")
        if name.count(".") == 2 and name not in packages()
    }
    assert set(named(row[1])) == single


def test_every_adapter_of_a_port_is_named() -> None:
    keepers: dict[str, set[str]] = {port: set() for port in protocols()}
    for name, module in modules().items():
        for node in ast_classes(module):
            for port in bases(node) & keepers.keys():
                if not name.startswith("aigen.ports"):
                    keepers[port].add(node.name)
    described = {
        named(port)[0]: set(named(kept_by)) for port, _, kept_by in tables(BUILDING_BLOCKS)["port"]
    }
    assert described == {port: classes for port, classes in keepers.items() if classes}


def ast_classes(module: ast.Module) -> list[ast.ClassDef]:
    return [node for node in ast.walk(module) if isinstance(node, ast.ClassDef)]


# --- section 6 ------------------------------------------------------------------------------


def test_the_state_diagram_is_the_table_of_transitions() -> None:
    (diagram,) = (
        snippet.text
        for snippet in snippets(ARC42 / "06-runtime.md", "mermaid")
        if snippet.text.startswith("stateDiagram-v2")
    )
    arrows = re.findall(r"^ +(\S+) --> (\w+|\[\*\])(?:: (.+))?$", diagram, re.MULTILINE)
    assert len(arrows) == len(diagram.splitlines()) - 1, "a line cannot be read"
    inner = [(source, target) for source, target, _ in arrows if "[*]" not in {source, target}]
    assert len(inner) == len(set(inner))
    assert set(inner) == {
        (source.value, target.value)
        for source, targets in TRANSITIONS.items()
        for target in targets
    }
    assert [target for source, target, _ in arrows if source == "[*]"] == [VideoState.QUEUED]
    ends = {source for source, target, _ in arrows if target == "[*]"}
    assert ends == {state.value for state in VideoState if state.is_terminal}
    assert all(reason for source, target, reason in arrows if "[*]" not in {source, target})


def test_every_state_has_transitions_and_a_status() -> None:
    assert set(TRANSITIONS) == set(VideoState)
    assert {state.status for state in VideoState} == set(VideoStatus)


# --- section 9 and the decisions --------------------------------------------------------------


def test_every_decision_is_listed_with_its_title_and_status() -> None:
    listed = [
        (*re.findall(r"\[(.+)\]\(\.\./adr/(.+)\)", decision)[0], status)
        for decision, status in tables(ARC42 / "09-decisions.md")["decision"]
    ]
    assert listed == [
        (_found(r"# (.+)", text), file.name, _found(r"Status: (\w+)", text))
        for file in sorted(ADR.glob("*.md"))
        for text in [file.read_text(encoding="utf-8")]
    ]


def test_decisions_are_numbered_and_complete() -> None:
    files = sorted(ADR.glob("*.md"))
    assert [int(file.name[:4]) for file in files] == [*range(1, len(files) + 1)]
    for file in files:
        text = file.read_text(encoding="utf-8")
        assert text.startswith(f"# {int(file.name[:4])}. "), file.name
        headings = re.findall(r"^## (.+)$", text, re.MULTILINE)
        assert headings == ["Context", "Decision", "Consequences", "Measured"], file.name


# --- section 10 -----------------------------------------------------------------------------


def test_every_test_that_proves_a_promise_exists() -> None:
    rows = tables(ARC42 / "10-quality.md")["promise"]
    tests = names_of_tests()
    for promise, proof in rows:
        missing = [name for name in named(proof) if name.startswith("test_") and name not in tests]
        assert not missing, promise
        assert "`test_" in proof or "no test yet" in proof, promise


# --- all pages ------------------------------------------------------------------------------


def test_arc42_has_its_twelve_sections() -> None:
    files = sorted(ARC42.glob("*.md"))
    assert [int(file.name[:2]) for file in files] == [*range(1, 13)]
    for number, file in enumerate(files, 1):
        assert file.read_text(encoding="utf-8").startswith(f"# {number}. "), file.name


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_links_lead_somewhere(page: Path) -> None:
    inner = [link for link in links(page) if not link.startswith("https://")]
    assert not [link for link in inner if not (page.parent / link.partition("#")[0]).exists()]


@pytest.mark.parametrize("page", pages(), ids=lambda page: page.name)
def test_diagrams_are_of_the_plain_kinds(page: Path) -> None:
    kinds = {snippet.text.split()[0] for snippet in snippets(page, "mermaid")}
    assert kinds <= DIAGRAMS


def test_settings_and_variables_that_are_named_exist() -> None:
    known = {variable_of(name) for name in Settings.model_fields}
    known |= {"AIGEN_API_KEY", "AIGEN_EMAIL", "AIGEN_PASSWORD"}  # of `aigen generate`
    for page in pages():
        text = page.read_text(encoding="utf-8")
        mentioned = set(re.findall(r"\b(?:AIGEN|OPENROUTER)_[A-Z_]+\b", text))
        assert not mentioned - known, page.name


def _found(pattern: str, text: str) -> str:
    match = re.search(pattern, text)
    assert match is not None, pattern
    return match[1]
