"""Generated text as HTML."""

import re

import pytest

from aigen.entrypoints.web.markdown import GrowingText, to_html

PROBES = [
    "<script>alert(1)</script>",
    "<img src=x onerror=alert(1)>",
    "[x](javascript:alert(1))",
    "[x](JaVaScRiPt:alert(1))",
    "[x](data:text/html,<script>alert(1)</script>)",
    "![x](https://evil.example/pixel.png)",
    '![x](x" onerror="alert(1))',
    "<a href='javascript:alert(1)'>x</a>",
    "<svg/onload=alert(1)>",
    "<iframe src=https://evil.example></iframe>",
    "<style>*{display:none}</style>",
    "`<script>`",
    '```"><script>alert(1)</script>\nx\n```',
    "[x]: javascript:alert(1)\n\n[x]",
    '<https://evil.example/"onmouseover=alert(1)>',
    "| a |\n|:-:|\n| <b onclick=alert(1)>x</b> |",
    "<form action=https://evil.example><input name=password>",
]

LONG = """# Title

A paragraph of **strong** and *weak* words
in two lines.

- one
- two

  still two
- three

1. first
2. second

> quoted
> again

| a | b |
|---|---|
| 1 | 2 |

```python
def f():

    return "# no title"
```

Last words, with a line separator \u2028 inside."""


@pytest.mark.parametrize("probe", PROBES)
def test_nothing_that_a_text_says_can_do_anything(probe: str) -> None:
    tags = re.findall(r"<(\w+)([^>]*)>", to_html(probe))
    assert not {name for name, _ in tags} & {
        "script",
        "img",
        "svg",
        "iframe",
        "style",
        "form",
        "input",
        "b",
    }
    for name, attributes in tags:
        assert not re.search(r"\son\w+=|style=|javascript:|data:", attributes), name


def test_links_lead_away_without_telling_from_where() -> None:
    html = to_html("[x](https://example.org/)")
    assert 'rel="noopener noreferrer nofollow"' in html
    assert 'target="_blank"' in html


def test_headings_stand_below_those_of_the_page() -> None:
    html = to_html("# One\n\n#### Four")
    assert '<h3 class="level-1">One</h3>' in html
    assert '<h3 class="level-4">Four</h3>' in html
    assert not re.search("<h[12456]", html)


@pytest.mark.parametrize("step", [1, 3, 7, 50, 10_000])
def test_a_growing_text_ends_as_the_whole(step: int) -> None:
    growing, settled, shown = GrowingText(), "", {"open": ""}
    for start in range(0, len(LONG), step):
        growing.add(LONG[start : start + step])
        shown = growing.shown()
        settled += shown["settled"]
    assert _plain(settled + shown["open"]) == _plain(to_html(LONG))


def test_what_is_settled_is_not_sent_again() -> None:
    growing = GrowingText()
    growing.add("one\n\ntwo")
    assert growing.shown() == {"settled": "<p>one</p>\n", "open": "<p>two</p>\n"}
    growing.add(" and more")
    assert growing.shown() == {"settled": "", "open": "<p>two and more</p>\n"}


def _plain(html: str) -> str:
    return re.sub(r"\s+", "", re.sub(r"</?p>", "", html))
