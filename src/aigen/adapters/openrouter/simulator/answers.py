"""What the text models say: sensible, of some length, and always the same for the same words."""

import hashlib
import re

_OPENINGS = (
    "Happy to help with that.",
    "That is a good thing to ask.",
    "Here is what I can say about it.",
    "Let me take this step by step.",
)
_THOUGHTS = (
    "Start with the part that matters most to you, and leave the details for later.",
    "A small example often tells more than a long explanation.",
    "It helps to say first what should be true in the end, and then how to get there.",
    "Two views are worth comparing here: what is quick today, and what stays easy to change.",
    "If something seems unclear, write it down as a question; half of them answer themselves.",
)
_ENDINGS = (
    "Tell me more and I will go deeper.",
    "Shall I expand on one of these points?",
    "I can also put this into a list, if you prefer.",
)
_COMMON = frozenset(
    (
        *("about", "from", "have", "here", "into", "just", "like", "make", "more", "please"),
        *("some", "tell", "that", "their", "them", "then", "there", "these", "they", "this"),
        *("what", "when", "which", "will", "with", "would", "write", "your"),
    )
)
_LONGEST_QUOTE = 80


def answer_to(prompt: str, *, turn: int, system: str, model: str) -> str:
    """The reply to the newest message of a conversation."""
    digest = hashlib.sha256(prompt.encode()).digest()
    words = [_OPENINGS[digest[0] % len(_OPENINGS)], f"You wrote: “{_shortened(prompt)}”."]
    if topics := _topics(prompt):
        words.append(f"The heart of it seems to be {_listed(topics)}.")
    first = digest[1] % len(_THOUGHTS)
    words += [_THOUGHTS[first], _THOUGHTS[(first + 1) % len(_THOUGHTS)]]
    if system:
        words.append(f"I keep your instruction in mind: “{_shortened(system)}”.")
    if turn > 1:
        words.append(f"This is my answer number {turn} in our conversation.")
    words.append(_ENDINGS[digest[2] % len(_ENDINGS)])
    return " ".join(words) + f"\n\n— simulated {model}, no real model was asked."


def caption_of(prompt: str) -> str:
    return f"Here is a picture of “{_shortened(prompt)}”."


def pieces_of(text: str) -> list[str]:
    """The text as a stream has it: word by word, nothing lost."""
    return re.findall(r"\S+\s*|\s+", text)


def _shortened(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= _LONGEST_QUOTE else text[: _LONGEST_QUOTE - 1].rstrip() + "…"


def _topics(prompt: str) -> list[str]:
    words = re.findall(r"[^\W\d_]{4,}", re.sub(r"sim:\S+", "", prompt))
    kept = dict.fromkeys(word.lower() for word in words if word.lower() not in _COMMON)
    return sorted(kept, key=len, reverse=True)[:3]


def _listed(words: list[str]) -> str:
    *others, last = words
    return f"{', '.join(others)} and {last}" if others else last
