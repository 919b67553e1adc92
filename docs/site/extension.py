"""What the site has and Markdown has not: a table of contents, and diagrams that are drawn."""

import base64
import hashlib
import html
import shutil
import tarfile
import tomllib
from pathlib import Path
from typing import Any

from docutils import nodes
from docutils.parsers.rst import Directive
from sphinx.application import Sphinx

HERE = Path(__file__).resolve().parent
VENDOR = HERE / "vendor"

#: Behind the README: caption, and pages in their order; a pattern stands for all that are left.
CONTENTS = {
    "Guides": [
        "docs/guides/first-video",
        "docs/guides/team",
        "docs/guides/postgres-and-s3",
        "docs/guides/openai-clients",
        "docs/guides/*",
    ],
    "Running it": ["docs/operations", "docs/capacity", "docs/benchmarks"],
    "Architecture": ["docs/arc42/*"],
    "Decisions": ["docs/adr/*"],
    "The project": ["CONTRIBUTING", "CHANGELOG", "SECURITY"],
}


def setup(app: Sphinx) -> dict[str, bool]:
    app.add_directive("mermaid", Diagram)
    app.connect("source-read", add_contents)
    app.connect("html-page-context", add_scripts)
    app.connect("build-finished", finish)
    return {"parallel_read_safe": True, "parallel_write_safe": True}


def add_contents(_app: Sphinx, page: str, source: list[str]) -> None:
    """On GitHub the README shows no contents: its readers have the folders."""
    if page == "README":
        trees = (
            "\n".join(["```{toctree}", ":hidden:", ":glob:", f":caption: {caption}", *pages, "```"])
            for caption, pages in CONTENTS.items()
        )
        source[0] = "\n\n".join([source[0], *trees])


class Diagram(Directive):
    """The text of a diagram, which stays readable where no script runs."""

    has_content = True

    def run(self) -> list[nodes.Node]:
        text = html.escape("\n".join(self.content))
        return [nodes.raw("", f'<pre class="mermaid">{text}</pre>', format="html")]


def add_scripts(
    app: Sphinx, _page: str, _template: str, context: dict[str, Any], _tree: nodes.Node | None
) -> None:
    """Pages without a diagram do not load three megabytes of script."""
    if 'class="mermaid"' in context.get("body", ""):
        app.add_js_file("mermaid.tiny.js")
        app.add_js_file("diagrams.js")


def finish(app: Sphinx, failure: Exception | None) -> None:
    if failure is None:
        unpack_mermaid(Path(app.outdir) / "_static")
        shutil.copyfile(Path(app.outdir) / "README.html", Path(app.outdir) / "index.html")


def unpack_mermaid(folder: Path) -> None:
    """The script and its licence, from the archive that npm published and from no other."""
    record = tomllib.loads((VENDOR / "VENDORED.toml").read_text(encoding="utf-8"))["mermaid"]
    archive = VENDOR / record["file"]
    digest = base64.b64encode(hashlib.sha512(archive.read_bytes()).digest()).decode()
    if f"sha512-{digest}" != record["integrity"]:
        raise ValueError(f"{archive.name} is not what was recorded")
    with tarfile.open(archive) as packed:
        for member, name in record["members"].items():
            content = packed.extractfile(member)
            assert content is not None  # noqa: S101 - the archive is the recorded one
            (folder / name).write_bytes(content.read())
