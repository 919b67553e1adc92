"""The maps of section 5, drawn from what the modules really import."""

from collections.abc import Iterable
from pathlib import Path

import grimp

SRC = Path(__file__).resolve().parents[1] / "src"

Arrows = set[tuple[str, str]]

#: Almost everything imports these, so that arrows to them start at whole groups.
INNERMOST = ("ports", "domain.model")

#: The groups of the map and the packages that are boxes in them, each with what lies below it.
GROUPS = {
    "testing": ["testing"],
    "entrypoints": ["entrypoints.commands", "entrypoints", "entrypoints.api", "entrypoints.web"],
    "adapters": [
        "adapters",
        "adapters.http",
        "adapters.openrouter",
        "adapters.openrouter.simulator",
        "adapters.media",
        "adapters.memory",
        "adapters.duckdb",
        "adapters.postgres",
        "adapters.sql",
        "adapters.records",
    ],
    "domain.services": ["domain.services"],
}

_BOXES = [box for boxes in GROUPS.values() for box in boxes] + [*INNERMOST]


def packages() -> str:
    """Which package imports which, as Mermaid."""
    imports = grimp.build_graph("aigen", cache_dir=None)
    homes = {module: home for module in imports.modules if (home := _home(module))}
    arrows = {
        (homes[module], homes[imported])
        for module in homes
        for imported in imports.find_modules_directly_imported_by(module)
        if imported in homes and homes[module] != homes[imported]
    }
    lines = []
    for group, boxes in GROUPS.items():
        lines.append(f'    subgraph {_id("group." + group)}["{group}"]')
        lines += [f"        {_box(box, homes)}" for box in boxes]
        lines.append("    end")
    lines += [f"    {_box(box, homes)}" for box in INNERMOST]
    lines += [f"    {_id(one)} --> {_id(other)}" for one, other in sorted(_between(arrows))]
    return _fenced(lines)


def services() -> str:
    """Which use case builds on which. An arrow that longer ways say already is left out."""
    imports = grimp.build_graph("aigen", cache_dir=None)
    inside = imports.find_children("aigen.domain.services")
    arrows = {
        (_last(module), _last(imported))
        for module in inside
        for imported in imports.find_modules_directly_imported_by(module) & inside
    }
    alone = {_last(module) for module in inside} - {end for arrow in arrows for end in arrow}
    lines = [f"    {one} --> {other}" for one, other in sorted(_reduced(arrows))]
    return _fenced([*(f"    {name}" for name in sorted(alone)), *lines])


def _home(module: str) -> str | None:
    """The box of the longest name that the module lies under; the library's face has none."""
    name = module.removeprefix("aigen").lstrip(".")
    homes = [box for box in _BOXES if f"{name}.".startswith(f"{box}.")]
    return max(homes, key=len, default=None)


def _between(arrows: Arrows) -> Arrows:
    group_of = {box: f"group.{group}" for group, boxes in GROUPS.items() for box in boxes}
    return {(group_of.get(a, a) if b in INNERMOST else a, b) for a, b in arrows}


def _reduced(arrows: Arrows) -> Arrows:
    def reach(start: str, without: tuple[str, str]) -> set[str]:
        found: set[str] = set()
        ahead = [start]
        while ahead:
            here = ahead.pop()
            new = {b for a, b in arrows if a == here and (a, b) != without} - found
            found |= new
            ahead += new
        return found

    return {arrow for arrow in arrows if arrow[1] not in reach(arrow[0], arrow)}


def _box(box: str, homes: dict[str, str]) -> str:
    count = sum(home == box and _is_a_file(module) for module, home in homes.items())
    said = "1 module" if count == 1 else f"{count} modules"
    return f'{_id(box)}["{box}<br/>{said}"]'


def _is_a_file(module: str) -> bool:
    return (SRC / module.replace(".", "/")).with_suffix(".py").exists()


def _id(name: str) -> str:
    return name.replace(".", "_")


def _last(module: str) -> str:
    return module.rpartition(".")[2]


def _fenced(lines: Iterable[str]) -> str:
    return "\n".join(["```mermaid", "flowchart TD", *lines, "```"])
