"""The tree of errors, its drawing, its statuses, and the table of the documentation."""

import re

import pytest

from aigen.domain.model import errors
from aigen.domain.model.errors import AigenError
from aigen.entrypoints.api import errors as answers
from aigen.entrypoints.api.errors import STATUS, problem_of
from docs.generate import FRAMEWORK_STATUSES, leaves
from tests.house.markdown import ARC42, named, tables

LEAVES = sorted(set(leaves()), key=lambda leaf: leaf.__name__)

CONCEPTS = ARC42 / "08-concepts.md"


def kind_of(leaf: type[AigenError]) -> type[AigenError]:
    return next(kind for kind in leaf.__mro__ if kind in STATUS)


def drawn() -> dict[str, set[str]]:
    """The tree at the top of the module: the leaves of each kind."""
    tree: dict[str, set[str]] = {}
    for line in (errors.__doc__ or "").splitlines():
        if branch := re.match(r"[├└]── (\w+)(.*)", line):
            kind = branch[1]
            tree[kind] = set(re.findall(r"\w+", branch[2]))
        elif re.match(r"[│ ]  +\w", line):
            tree[kind] |= set(re.findall(r"\w+", line))
    return tree


def test_the_drawing_is_the_tree() -> None:
    tree: dict[str, set[str]] = {}
    for name, found in vars(errors).items():
        if isinstance(found, type) and AigenError in found.__bases__ and not name.startswith("_"):
            tree[name] = {leaf.__name__ for leaf in found.__subclasses__() if _is_ours(leaf)}
        elif isinstance(found, type) and errors._Later in found.__bases__:
            tree.setdefault(name, {leaf.__name__ for leaf in found.__subclasses__()})
    leaves_of_kinds = set().union(*tree.values())
    assert drawn() == {kind: below for kind, below in tree.items() if kind not in leaves_of_kinds}


def test_the_table_of_errors_is_the_tree() -> None:
    rows = tables(CONCEPTS)["status"]
    described = {
        (status, *named(code), *named(name), *named(kind))
        for status, code, name, kind, _ in (row for row in rows if len(row) == 5)
    }
    assert described == {
        (str(int(STATUS[kind_of(leaf)])), leaf.code, leaf.__name__, kind_of(leaf).__name__)
        for leaf in LEAVES
    }


def test_the_table_of_refusals_is_the_frameworks() -> None:
    rows = [row for row in tables(CONCEPTS)["status"] if len(row) == 3]
    assert {int(status): named(code)[0] for status, code, _ in rows} == {
        status: code for status, (code, _) in answers._FRAMEWORK.items()
    }
    assert set(FRAMEWORK_STATUSES) == set(answers._FRAMEWORK)


@pytest.mark.parametrize("leaf", LEAVES)
def test_every_leaf_has_a_code_a_sentence_and_a_status(leaf: type[AigenError]) -> None:
    problem = problem_of(leaf())
    assert re.fullmatch(r"[a-z]+(_[a-z]+)*", problem.code)
    assert problem.code != AigenError.code
    assert problem.detail.endswith(".")
    assert "\n" not in problem.detail
    assert 400 <= problem.status < 600


def test_a_code_means_one_thing_at_a_status() -> None:
    pairs = [(problem_of(leaf()).status, leaf.code) for leaf in LEAVES]
    assert len(pairs) == len(set(pairs))


def _is_ours(leaf: type[AigenError]) -> bool:
    return leaf.__module__ == errors.__name__
