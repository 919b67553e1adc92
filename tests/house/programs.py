"""Running what the documentation shows as a reader would, in demo mode and a folder of its own."""

import os
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
