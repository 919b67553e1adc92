"""`python -m docs.site [FOLDER [SOURCE]]`: build the site, into `site` unless said otherwise."""

import sys
import tempfile
from pathlib import Path

from sphinx.cmd.build import build_main

HERE = Path(__file__).resolve().parent
ROOT = HERE.parents[1]


def build(folder: Path = ROOT / "site", source: Path = ROOT) -> int:
    """Read every page anew, since one that was read before does not warn again; a warning is a
    failure, but all of them are told."""
    with tempfile.TemporaryDirectory() as doctrees:
        strict = ["--fresh-env", "--fail-on-warning", "--quiet", "--doctree-dir", doctrees]
        return build_main([*strict, "--conf-dir", str(HERE), str(source), str(folder)])


if __name__ == "__main__":
    sys.exit(build(*map(Path, sys.argv[1:])))
