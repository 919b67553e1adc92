"""`python -m benchmarks [NAMES]`: all of them, or those that are named."""

import sys
from importlib import import_module

NAMES = ("store", "postgres", "text", "openai", "web", "footprint", "soak")


def main() -> None:
    names = sys.argv[1:] or NAMES
    if unknown := set(names) - set(NAMES):
        sys.exit(
            f"no benchmark is called {', '.join(sorted(unknown))}; there are {', '.join(NAMES)}"
        )
    for name in names:
        import_module(f"benchmarks.{name}").run()


if __name__ == "__main__":
    main()
