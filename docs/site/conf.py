"""The site's settings, as Sphinx reads them. Pages lie where GitHub shows them, so links between
them and to the files of the repository are the same in both places."""

import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

import aigen  # noqa: E402 - Sphinx runs this file by itself

project = "aigen"
version = release = aigen.__version__
root_doc = "README"
include_patterns = ["*.md", "docs/**.md"]
# What is not walked through.
exclude_patterns = [".*", "benchmarks", "deploy", "dist", "shots", "site", "src", "tests"]

extensions = ["myst_parser", "docs.site.extension"]
myst_heading_anchors = 4
myst_fence_as_directive = ["mermaid"]
# A link to a page or a heading that is not there is a warning, and a warning ends the build.
nitpicky = True

html_theme = "furo"
html_title = f"aigen {release}"
html_static_path = ["static"]
html_css_files = ["site.css"]
html_show_sphinx = False
html_show_copyright = False
html_copy_source = False
# Pages are read by people, and the search needs none of these.
html_use_index = False
html_permalinks_icon = "#"
