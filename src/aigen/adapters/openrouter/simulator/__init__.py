"""OpenRouter's wire contract from the other side: for the demo mode and for all tests."""

from aigen.adapters.openrouter.simulator.app import Simulator
from aigen.adapters.openrouter.simulator.keywords import KEYWORDS_HELP
from aigen.adapters.openrouter.simulator.options import OPTIONS_HELP, SimulatorOptions
from aigen.adapters.openrouter.simulator.server import RunningSimulator, serve_simulator

__all__ = [
    "KEYWORDS_HELP",
    "OPTIONS_HELP",
    "RunningSimulator",
    "Simulator",
    "SimulatorOptions",
    "serve_simulator",
]
