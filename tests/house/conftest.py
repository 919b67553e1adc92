"""Makes the program that writes the documentation importable."""

import sys

from tests.house.sources import ROOT

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))
