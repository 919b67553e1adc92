"""Who may import whom, what modules are called, and how long they are."""

import ast
import re
import sys

import pytest

from tests.house.sources import (
    ROOT,
    SRC,
    bases,
    imports,
    modules,
    packages,
    protocols,
    public_classes,
    public_functions,
)

#: Who alone may import a driver: packages, with all that is in them, and single modules.
DRIVERS = {
    "aiohttp": {"aigen.adapters.http", "aigen.adapters.openrouter"},
    "bcrypt": {"aigen.adapters.bcrypt_passwords"},
    "cattrs": {"aigen.adapters.file_journal", "aigen.adapters.http", "aigen.adapters.sql"},
    "click": {"aigen.entrypoints.cli", "aigen.entrypoints.commands"},
    "cryptography": {"aigen.entrypoints.web"},
    "dependency_injector": {"aigen.entrypoints.injection"},
    "duckdb": {"aigen.adapters.duckdb"},
    "email_validator": {"aigen.adapters.validated_emails"},
    "fastapi": {"aigen.entrypoints.api"},
    "flask": {"aigen.entrypoints.web"},
    "flask_wtf": {"aigen.entrypoints.web"},
    "httpx": {"aigen.adapters.http", "aigen.adapters.openrouter"},
    "httpx_aiohttp": {"aigen.adapters.http", "aigen.adapters.openrouter"},
    "imagesize": {"aigen.adapters.media"},
    "jinja2": {"aigen.entrypoints.web"},
    "jwt": {"aigen.adapters.jwt_tokens"},
    "markdown_it": {"aigen.entrypoints.web"},
    "nh3": {"aigen.entrypoints.web"},
    "obstore": {"aigen.adapters.media"},
    "prometheus_client": {"aigen.entrypoints.api"},
    "psycopg": {"aigen.adapters.postgres"},
    "psycopg_pool": {"aigen.adapters.postgres"},
    "starlette": {"aigen.adapters.openrouter.simulator", "aigen.entrypoints.api"},
    "uuid_utils": {"aigen.adapters.system_clock"},
    "uvicorn": {"aigen.adapters.openrouter.simulator", "aigen.entrypoints.serving"},
    "uvloop": {"aigen.entrypoints.processes"},
    "waitress": {"aigen.entrypoints.web"},
    "werkzeug": {"aigen.entrypoints.api.openai", "aigen.entrypoints.web"},
}

VAGUE_NAMES = {"base", "common", "core", "helpers", "utils"}

LONGEST = 400

#: What needs no docstring, since its name and types say everything.
SAYS_EVERYTHING = {
    "aigen.domain.model.inputs.data_url",
    "aigen.domain.model.limits.check_option",
    "aigen.domain.model.limits.check_range",
    "aigen.domain.model.media.folder_of_user",
    "aigen.domain.model.statistics.UserCounts",
    "aigen.domain.model.texts.Message",
    "aigen.domain.model.texts.Usage",
    "aigen.domain.services.administration.Administration.audit",
    "aigen.domain.services.administration.Administration.statistics",
    "aigen.domain.services.images.Images.list",
    "aigen.domain.services.provider_health.ProviderHealth.is_well",
    "aigen.domain.services.texts.Texts.list",
    "aigen.domain.services.videos.Videos.list",
}

ENUMS = {"Enum", "StrEnum"}


@pytest.mark.parametrize("driver", DRIVERS)
def test_each_driver_is_known_to_its_own_adapters_alone(driver: str) -> None:
    importers = {
        name
        for name, module in modules().items()
        if any(_is_in(imported, driver) for imported in imports(module))
    }
    homes = DRIVERS[driver]
    strangers = {name for name in importers if not any(_is_in(name, home) for home in homes)}
    assert not strangers
    unused = {home for home in homes if not any(_is_in(name, home) for name in importers)}
    assert not unused, "take it out of DRIVERS"


def test_the_domain_needs_the_standard_library_and_attrs_alone() -> None:
    allowed = sys.stdlib_module_names | {"aigen", "attrs"}
    for package in ("aigen.domain", "aigen.ports"):
        for name, module in modules(package).items():
            foreign = {root for root in map(_root, imports(module)) if root not in allowed}
            assert not foreign, name


def test_no_module_has_a_vague_name() -> None:
    assert not {name for name in modules() if VAGUE_NAMES & set(name.split("."))}


def test_every_folder_of_modules_is_a_package() -> None:
    folders = {file.parent for file in (SRC / "aigen").rglob("*.py")}
    assert not [folder for folder in folders if not (folder / "__init__.py").exists()]
    assert "aigen.domain.model" in packages()


def test_no_file_is_too_long() -> None:
    lengths = {
        str(file.relative_to(ROOT)): len(file.read_text(encoding="utf-8").splitlines())
        for folder in ("benchmarks", "src", "tests")
        for file in (ROOT / folder).rglob("*.py")
    }
    assert not {file: lines for file, lines in lengths.items() if lines > LONGEST}


# --- docstrings -----------------------------------------------------------------------------


def test_every_module_says_what_it_is() -> None:
    assert not {name for name, module in modules().items() if not ast.get_docstring(module)}


def test_every_method_of_a_port_says_what_it_promises() -> None:
    """The repositories' methods, which repeat from one to the next, need not."""
    silent = {
        f"{port}.{method.name}"
        for port, node in protocols().items()
        if not _is_repository(node)
        for method in public_functions(node)
        if not ast.get_docstring(method)
    }
    assert not silent


def test_the_domain_and_the_ports_explain_themselves() -> None:
    """Classes, functions and methods of services. Not: enumerations, whose members speak;
    Protocols, whose methods do; the class that a service's module is named after and describes;
    methods of values, which are rules read in one glance; what a port has promised before."""
    names = {
        where
        for package in ("aigen.domain", "aigen.ports")
        for name, module in modules(package).items()
        for where, node in _explained(name, module)
        if not ast.get_docstring(node)
    }
    assert names - SAYS_EVERYTHING == set()
    assert SAYS_EVERYTHING - names == set(), "it has a docstring now, or is gone"


def _explained(
    name: str, module: ast.Module
) -> list[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]]:
    """What has to have a docstring in a module of the domain or the ports."""
    found: list[tuple[str, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef]] = [
        (f"{name}.{function.name}", function) for function in public_functions(module)
    ]
    is_service = name.startswith("aigen.domain.services")
    for node in public_classes(module):
        is_named_after = node.name.lower() == name.rpartition(".")[2].replace("_", "")
        is_protocol = "Protocol" in bases(node)
        if not (ENUMS & bases(node) or is_protocol or (is_service and is_named_after)):
            found.append((f"{name}.{node.name}", node))
        if is_service and not bases(node) & protocols().keys():
            methods = public_functions(node)
            found += [(f"{name}.{node.name}.{method.name}", method) for method in methods]
    return found


def _is_repository(node: ast.ClassDef) -> bool:
    return node.name in {"Repository", "AuditLog", "Records"} or "Repository" in bases(node)


def _is_in(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


def _root(name: str) -> str:
    return re.split(r"\.", name, maxsplit=1)[0]
