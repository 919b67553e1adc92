"""Running what the documentation shows as a reader would, in demo mode and a folder of its own."""

import os
import re
import subprocess
import sys
from pathlib import Path

from aigen.entrypoints.settings import Settings, variable_of

#: The demo as it is, but in a hurry: there, drawing and filming take their time to be seen.
HURRY = """
from aigen.adapters.openrouter import simulator
made = simulator.SimulatorOptions
hasty = {"video_seconds": 0.1, "image_seconds": 0.0, "chunk_seconds": 0.0}
simulator.SimulatorOptions = lambda **switches: made(**switches | hasty)
"""

#: As much of curl as the pages use; whatever else it is given is an error.
CURL = """
import argparse, sys, urllib.error, urllib.request
options = argparse.ArgumentParser()
options.add_argument("-s", action="store_true")
options.add_argument("-N", action="store_true")
options.add_argument("-X")
options.add_argument("-H", action="append", default=[])
options.add_argument("-d")
options.add_argument("-o")
options.add_argument("url")
given = options.parse_args()
data = given.d.encode() if given.d else None
request = urllib.request.Request(given.url, data, method=given.X)
for header in given.H:
    request.add_header(*header.split(": ", 1))
without_proxies = urllib.request.build_opener(urllib.request.ProxyHandler({}))
try:
    with without_proxies.open(request, timeout=60) as answer:
        content = answer.read()
except urllib.error.HTTPError as error:
    with error:
        sys.exit(f"{error} {error.read()!r}")
if given.o:
    with open(given.o, "wb") as file:
        file.write(content)
else:
    sys.stdout.buffer.write(content + b"\\n")
"""


def bare_environment() -> dict[str, str]:
    """An environment that says nothing to aigen but to hurry."""
    ours = {*map(variable_of, Settings.model_fields), "AIGEN_API_KEY"}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    return kept | {"AIGEN_POLL_INTERVAL": "0.1", "AIGEN_BCRYPT_COST": "4"}


def run_python(
    *arguments: str, folder: Path, environment: dict[str, str]
) -> "subprocess.CompletedProcess[str]":
    """Run a fresh interpreter to its end, for a minute at most."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )


def with_curl(folder: Path) -> Path:
    """A folder for PATH in which `curl` and `python3` are ours, so that none need be installed."""
    programs = folder / "bin"
    programs.mkdir()
    # Not a link: from elsewhere Python does not find the packages beside it.
    python = f'#!/bin/sh\nexec {sys.executable} "$@"\n'
    for name, text in (("python3", python), ("curl", f"#!{sys.executable}\n{CURL}")):
        (programs / name).write_text(text, encoding="utf-8")
        (programs / name).chmod(0o755)
    return programs


def replaced(variable: str, value: str, script: str) -> str:
    """The script with a variable set otherwise."""
    text, count = re.subn(rf"(?m)^{variable}=.*$", f"{variable}='{value}'", script)
    assert count == 1, variable
    return text
