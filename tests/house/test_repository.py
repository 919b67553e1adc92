"""What may and may not be in the repository."""

import re
import subprocess

from tests.house.sources import ROOT

#: Written so that this file does not hold what it looks for. `/work` alone is a route of ours.
_FORBIDDEN = re.compile(
    r"/(?:work/(?:main|shared)\b|root/|home/\w|Users/\w)|\b[Ss]ession [t]ranscript"
)

_HOSTS = {"files.pythonhosted.org", "pypi.org"}


def kept_files() -> list[str]:
    """All files that are in the repository, or would be after the next commit."""
    listing = ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"]
    done = subprocess.run(listing, cwd=ROOT, capture_output=True, check=True)
    return [name for name in done.stdout.decode().split("\0") if name]


def test_nothing_names_a_developers_machine() -> None:
    found = {}
    for name in kept_files():
        file = ROOT / name
        text = file.read_bytes().decode("utf-8", errors="replace") if file.is_file() else ""
        if match := _FORBIDDEN.search(text):
            found[name] = match[0]
    assert not found


def test_the_lock_names_no_other_hosts_than_pypis() -> None:
    lock = (ROOT / "uv.lock").read_text(encoding="utf-8")
    assert set(re.findall(r"https?://([^/\"]+)", lock)) == _HOSTS


def test_no_secret_and_no_data_is_kept() -> None:
    names = kept_files()
    assert not [name for name in names if name.startswith("aigen-data/") or name == ".env"]
    assert not [name for name in names if name.endswith((".duckdb", ".wal", ".pyc"))]
