"""What the README says of others and of our speed: dated, with sources, as measured."""

import re

from docs.generate import readme_figures

from tests.house.sources import ROOT

README = (ROOT / "README.md").read_text(encoding="utf-8")
COMPARISON = README.partition("## How it compares")[2].partition("\n## ")[0]


def test_the_comparison_is_dated_and_every_word_on_a_peer_has_its_source() -> None:
    assert re.search(r"As of [A-Z][a-z]+ 20\d\d", COMPARISON)
    head, rule, *rows = (
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in COMPARISON.splitlines()
        if line.startswith("|")
    )
    assert len(head) == len(rule) == 5
    assert len(rows) > 4
    for feature, _, *peers in rows:
        for peer in peers:
            said = re.sub(r"\[[^]]+\]\(https://[^)]+\)|[;, ]", "", peer)
            assert not said, (feature, peer)


def test_the_comparison_tells_what_others_have_and_aigen_has_not() -> None:
    (row,) = (line for line in COMPARISON.splitlines() if "aigen has not" in line)
    assert row.split("|")[2].strip() == ""


def test_no_figure_stands_in_the_readme_that_was_not_measured() -> None:
    """Outside what the generator writes and the programs, there is no figure of speed or size."""
    prose = README.replace(readme_figures(), "")
    prose = re.sub(r"(?s)```.*?```", "", prose)
    assert prose != README
    assert not re.findall(r"\d (?:ms|MB|GB|kB|requests|jobs)\b", prose)
