"""How keywords are found in a prompt."""

import pytest

from aigen.adapters.openrouter.simulator.scripts import BadKeyword, Script


def test_keywords_stand_anywhere_in_a_sentence() -> None:
    script = Script.read("sim:hang A fox, sim:delay=1.5, and a hen (sim:fail=No_luck)? sim:nourl.")
    assert script.has("hang")
    assert script.seconds("delay") == 1.5
    assert script.text("fail") == "No luck"
    assert script.has("nourl")


@pytest.mark.parametrize("prompt", ["", "a fox", "mysim:hang", "http://sim:hang", "sim: hang"])
def test_only_whole_words_are_keywords(prompt: str) -> None:
    assert Script.read(prompt) == Script()


@pytest.mark.parametrize(
    "word", ["sim:hnag", "sim:hang=3", "sim:delay", "sim:delay=soon", "sim:http=99", "sim:times=-1"]
)
def test_a_mistyped_word_is_an_error(word: str) -> None:
    with pytest.raises(BadKeyword, match=r"sim:"):
        Script.read(f"a fox {word}")


def test_the_first_of_the_table_wins() -> None:
    script = Script.read("sim:overloaded sim:refuse")
    word = script.first(frozenset(("refuse", "overloaded")))
    assert word is not None
    assert word.name == "refuse"


def test_a_value_may_be_an_address() -> None:
    assert Script.read("sim:redirect=http://a.example/b?c=d.").text("redirect") == (
        "http://a.example/b?c=d"
    )
