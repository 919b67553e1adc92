"""Generated text as HTML that can do nothing but be read."""

import time

import nh3
from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markupsafe import Markup

_TAGS = set(
    "a blockquote br code del em h3 hr li ol p pre s strong table tbody td th thead tr ul".split()
)
#: Often enough to look like writing.
_PAUSE_SECONDS = 0.05


def _settle_headings(state: StateCore) -> None:
    """Headings of a text stand below those of the page, however deep the text begins."""
    for token in state.tokens:
        if token.type == "heading_open":
            token.attrSet("class", f"level-{token.tag[1:]}")
        if token.type.startswith("heading"):
            token.tag = "h3"


_markdown = MarkdownIt("js-default").disable("image")
_markdown.core.ruler.push("settle_headings", _settle_headings)
_cleaner = nh3.Cleaner(
    tags=_TAGS,
    attributes={"a": {"href"}, "ol": {"start"}},
    allowed_classes={"h3": {f"level-{level}" for level in range(1, 7)}},
    url_schemes={"http", "https", "mailto"},
    link_rel="noopener noreferrer nofollow",
    set_tag_attribute_values={"a": {"target": "_blank"}, "pre": {"tabindex": "0"}},
)


def to_html(text: str) -> Markup:
    """Markdown without HTML and pictures; scripts, styles and strange links do not survive."""
    return Markup(_cleaner.clean(_markdown.render(text)))  # noqa: S704 - by now it is clean


class GrowingText:
    """A text that is being written. What can no longer change is rendered and sent once; only
    its last block (a paragraph, a list, a table) is rendered anew as it grows."""

    def __init__(self) -> None:
        self._open = ""
        self._shown_at = 0.0

    def add(self, piece: str) -> None:
        self._open += piece.replace("\r", "")

    @property
    def is_due(self) -> bool:
        """Whether it is time to show what has been added."""
        return time.monotonic() - self._shown_at >= _PAUSE_SECONDS

    def shown(self) -> dict[str, str]:
        """HTML: `settled` is to be appended for good, `open` to replace the last `open`."""
        self._shown_at = time.monotonic()
        settled, self._open = _split(self._open)
        return {"settled": to_html(settled), "open": to_html(self._open)}


def _split(text: str) -> tuple[str, str]:
    """The text before its last block, and that block."""
    starts = [token.map[0] for token in _markdown.parse(text) if token.level == 0 and token.map]
    if not starts:
        return "", text
    lines = text.split("\n")
    cut = starts[-1]
    return "".join(f"{line}\n" for line in lines[:cut]), "\n".join(lines[cut:])
