"""A conversation: the prompt is its newest turn, said once."""

from hypothesis import given
from hypothesis import strategies as st

from aigen.domain.model.texts import Message, Speaker, TextRequest
from tests.strategies import storable_text

HELLO = Message(role=Speaker.USER, content="Hello")
HI = Message(role=Speaker.ASSISTANT, content="Hi")
HOW = Message(role=Speaker.USER, content="How are you?")
BE_KIND = Message(role=Speaker.SYSTEM, content="Be kind.")

words = storable_text(min_size=1, max_size=20).filter(str.strip)
messages = st.builds(Message, role=st.sampled_from(Speaker), content=words)


def turns_of(prompt: str, *messages: Message, system: str | None = None) -> tuple[Message, ...]:
    return TextRequest(model="m", prompt=prompt, messages=messages, system=system).turns()


def test_a_prompt_alone_is_one_turn() -> None:
    assert turns_of("Hello") == (HELLO,)


def test_the_prompt_is_the_newest_turn() -> None:
    assert turns_of("How are you?", HELLO, HI) == (HELLO, HI, HOW)


def test_a_prompt_that_the_messages_end_with_is_not_said_twice() -> None:
    assert turns_of("How are you?", HELLO, HI, HOW) == (HELLO, HI, HOW)


def test_what_was_said_earlier_may_be_said_again() -> None:
    assert turns_of("Hello", HELLO, HI) == (HELLO, HI, HELLO)


def test_the_same_words_of_somebody_else_are_another_turn() -> None:
    said = Message(role=Speaker.ASSISTANT, content="Hello")
    assert turns_of("Hello", said) == (said, HELLO)


def test_the_system_prompt_comes_first() -> None:
    assert turns_of("Hello", system="Be kind.") == (BE_KIND, HELLO)
    assert turns_of("How are you?", HELLO, HI, system="Be kind.") == (BE_KIND, HELLO, HI, HOW)


def test_an_empty_system_prompt_is_none() -> None:
    assert turns_of("Hello", system=" \n") == turns_of("Hello", system=None) == (HELLO,)


@given(words, st.lists(messages, max_size=5), st.none() | words)
def test_every_turn_is_said_in_order_and_the_prompt_last(
    prompt: str, earlier: list[Message], system: str | None
) -> None:
    turns = turns_of(prompt, *earlier, system=system)
    newest = Message(role=Speaker.USER, content=prompt)
    ends_with_prompt = earlier[-1:] == [newest]
    assert turns[-1] == newest
    assert list(turns)[bool(system) :] == [*earlier, *([] if ends_with_prompt else [newest])]
