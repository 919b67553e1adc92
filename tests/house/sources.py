"""The project's own files: the modules of aigen, read and not run."""

import ast
from collections.abc import Iterator
from functools import cache
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SRC = ROOT / "src"

Function = ast.FunctionDef | ast.AsyncFunctionDef


@cache
def modules(under: str = "aigen") -> dict[str, ast.Module]:
    """The modules of a package by their names."""
    folder = SRC / under.replace(".", "/")
    return {name_of(file): ast.parse(file.read_bytes()) for file in sorted(folder.rglob("*.py"))}


def name_of(file: Path) -> str:
    parts = file.relative_to(SRC).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def packages() -> list[str]:
    return [name_of(file) for file in sorted((SRC / "aigen").rglob("__init__.py"))]


def imports(module: ast.Module) -> set[str]:
    """The modules that a module imports, wherever in it."""
    found: set[str] = set()
    for node in ast.walk(module):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            found.add(node.module)
    return found


def public_classes(module: ast.Module) -> Iterator[ast.ClassDef]:
    for node in module.body:
        if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
            yield node


def public_functions(of: ast.Module | ast.ClassDef) -> Iterator[Function]:
    for node in of.body:
        if isinstance(node, Function) and not node.name.startswith("_"):
            yield node


def bases(node: ast.ClassDef) -> set[str]:
    """The names of a class's bases, without what they are parametrised with."""
    return {ast.unparse(base).partition("[")[0] for base in node.bases}


def protocols() -> dict[str, ast.ClassDef]:
    """The Protocols of the ports by their names."""
    return {
        node.name: node
        for module in modules("aigen.ports").values()
        for node in public_classes(module)
        if "Protocol" in bases(node)
    }


def names_of_tests() -> set[str]:
    """The names of all tests, of the shipped contracts as well."""
    files = [*(ROOT / "tests").rglob("test_*.py"), *(SRC / "aigen/testing/contracts").glob("*.py")]
    return {
        node.name
        for file in files
        for node in ast.walk(ast.parse(file.read_bytes()))
        if isinstance(node, Function) and node.name.startswith("test_")
    }
