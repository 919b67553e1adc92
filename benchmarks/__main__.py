"""`python -m benchmarks [--save] [NAMES]`: all of them, or those that are named. With --save, what
docs/capacity.md and the README's figures are written from is kept."""

import sys
from importlib import import_module

from benchmarks.figures import Figures, Installation

NAMES = (
    "store",
    "postgres",
    "in_flight",
    "text",
    "openai",
    "web",
    "install",
    "footprint",
    "soak",
    "units",
)


def main() -> None:
    names = [name for name in sys.argv[1:] if name != "--save"] or NAMES
    if unknown := set(names) - set(NAMES):
        sys.exit(
            f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}"
        )
    for name in names:
        found = import_module(f"benchmarks.{name}").run()
        if isinstance(found, Figures | Installation) and "--save" in sys.argv:
            found.write()


if __name__ == "__main__":
    main()
