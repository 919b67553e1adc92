"""An installation, and the program that writes the documentation made importable."""

import sys

import pytest

from aigen.testing import Harness
from tests.house.sources import ROOT

if str(ROOT) not in sys.path:
    sys.path.insert(0, str(ROOT))


@pytest.fixture
def harness(aigen_harness: Harness) -> Harness:
    return aigen_harness
