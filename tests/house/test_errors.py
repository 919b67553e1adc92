"""The tree of errors, its drawing, its statuses, and the table of the documentation."""

import re
from typing import TypeGuard

import pytest
from docs.generate import FRAMEWORK_STATUSES, leaves

from aigen.domain.model import errors
from aigen.domain.model.errors import AigenError
from aigen.entrypoints.api import errors as answers
from aigen.entrypoints.api.errors import STATUS, problem_of
from tests.house.markdown import ARC42, named, tables

LEAVES = sorted(set(leaves()), key=lambda leaf: leaf.__name__)

CONCEPTS = ARC42 / "08-concepts.md"


def kind_of(leaf: type[AigenError]) -> type[AigenError]:
    return next(kind for kind in leaf.__mro__ if kind in STATUS)


def drawn() -> dict[str, set[str]]:
    """The tree at the top of the module: the leaves of each kind."""
    branches = re.findall(
        r"^[├└]── (\w+)(.*\n(?:[│ ]  +\w.*\n)*)", errors.__doc__ or "", re.MULTILINE
    )
    return {kind: set(re.findall(r"\w+", below)) for kind, below in branches}


def test_the_drawing_is_the_tree() -> None:
    ours = [found for found in vars(errors).values() if _is_ours(found)]
    kinds = {kind for kind in ours if kind in STATUS and kind is not AigenError}
    assert drawn() == {
        kind.__name__: {leaf.__name__ for leaf in ours if kind in leaf.__bases__} for kind in kinds
    }


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


def _is_ours(found: object) -> TypeGuard[type[AigenError]]:
    is_error = isinstance(found, type) and issubclass(found, AigenError)
    return is_error and found.__module__ == errors.__name__
