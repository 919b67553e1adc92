"""Files of several generations put together, under names that say what they are."""

import re
import unicodedata
from collections.abc import Iterable, Iterator

from attrs import frozen

from aigen.domain.model.generations import Generation
from aigen.domain.model.images import Image
from aigen.domain.model.media import StoredMedia
from aigen.domain.model.texts import Text

#: What no file system or shell minds is kept; of control characters, some would show a name
#: from right to left, and so with another ending than it has.
_UNWANTED = re.compile(r'[\\/:*?"<>|]')
#: A file system's names may have 255 bytes.
_LONGEST_TITLE_BYTES = 120
_SHORTEST_SUFFIX = 4


@frozen(kw_only=True)
class BundledFile:
    """A file and its name in the bundle; a text is a file by itself."""

    name: str
    generation: Generation
    content: StoredMedia | Text


@frozen(kw_only=True)
class Bundle:
    """Files, those of the newest generation first, and the ids under which there is nothing."""

    files: tuple[BundledFile, ...]
    unknown: tuple[str, ...] = ()


def bundled(generations: Iterable[Generation]) -> Iterator[BundledFile]:
    """What these have made, as in `2026-11-22 a fox in the snow (ab12).mp4`; what they were made
    from is left out."""
    stems: set[str] = set()
    for generation in generations:
        contents = _contents(generation)
        stem = _stem(generation, stems)
        stems.add(stem.casefold())
        for place, content in enumerate(contents, 1):
            number = f" {place}" if len(contents) > 1 else ""
            yield BundledFile(
                name=f"{stem}{number}.{_extension(content)}",
                generation=generation,
                content=content,
            )


def _contents(generation: Generation) -> tuple[StoredMedia | Text, ...]:
    if isinstance(generation, Text):
        return (generation,)
    if isinstance(generation, Image):
        return generation.pictures
    return () if generation.media is None else (generation.media,)


def _extension(content: StoredMedia | Text) -> str:
    return "md" if isinstance(content, Text) else content.media_type.extension


def _stem(generation: Generation, taken: set[str]) -> str:
    """A name that is not taken yet: with as much of the id as that takes."""
    start = f"{generation.created_at:%Y-%m-%d} {_title(generation.prompt)}".rstrip()
    digits = generation.id.replace("-", "")
    lengths = range(_SHORTEST_SUFFIX, len(digits) + 1)
    stems = (f"{start} ({digits[-length:]})" for length in lengths)
    return next(stem for stem in stems if stem.casefold() not in taken)


def _title(prompt: str) -> str:
    """The beginning of a prompt, as far as it can stand in a name on every system."""
    line = " ".join(_UNWANTED.sub(" ", prompt[: 2 * _LONGEST_TITLE_BYTES]).split())
    plain = unicodedata.normalize("NFC", line)
    shown = "".join(letter for letter in plain if unicodedata.category(letter)[0] != "C")
    cut = shown.encode()[:_LONGEST_TITLE_BYTES].decode(errors="ignore")
    return cut.strip(" .")
