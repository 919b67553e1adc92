"""Makes the program that writes the documentation importable."""

import sys

from aigen.testing.fixtures import harness
from tests.house.sources import ROOT

__all__ = ["harness"]

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
