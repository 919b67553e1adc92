"""`python -m benchmarks [--save] [--quick] [NAMES]`: all of them, or those that are named.

With --save, what is found is kept, and docs/benchmarks.md, docs/capacity.md and the README's
figures are written from it. With --quick all end within two minutes: enough to see that they work,
too little to be kept.
"""

import sys
import time
from importlib import import_module

from benchmarks.pace import QUICK, say
from benchmarks.report import SUMMARY, Report, save
from benchmarks.tables import aligned

#: In the order of the page: what people feel first, what takes minutes last.
NAMES = (
    "text",
    "openai",
    "web",
    "logins",
    "store",
    "growth",
    "install",
    "footprint",
    "soak",
    "postgres",
    "in_flight",
    "units",
)

#: What says nothing if it is cut short, and takes minutes otherwise.
NOT_QUICK = ("install", "units")


def main() -> None:
    options = {argument for argument in sys.argv[1:] if argument.startswith("-")}
    named = [argument for argument in sys.argv[1:] if argument not in options]
    if unknown := (options - {"--save", "--quick"}) | (set(named) - set(NAMES)):
        known = ", ".join(NAMES)
        sys.exit(f"no benchmark is called {', '.join(sorted(unknown))}; there are {known}")
    if options == {"--save", "--quick"}:
        sys.exit("what --quick finds is not saved: it is too little")
    names = named or [name for name in NAMES if not (QUICK and name in NOT_QUICK)]
    if QUICK and not named:
        say(f"{', '.join(NOT_QUICK)} cannot be quick, and are left out")
    reports = {}
    began = time.monotonic()
    for place, name in enumerate(names, 1):
        say(f"{name} ({place} of {len(names)}, after {time.monotonic() - began:.0f} s)")
        reports[name] = import_module(f"benchmarks.{name}").run()
        if "--save" in options:
            save({name: reports[name]})
    conclude(reports)
    say(f"done after {time.monotonic() - began:.0f} s")


def conclude(reports: dict[str, Report]) -> None:
    """One table of all that there are bounds for."""
    rows = [row for report in reports.values() for row in report.summary()]
    if len(reports) > 1 and rows:
        print("\nAll of it" + (", quickly: no figures to go by" if QUICK else ""))
        print(aligned([SUMMARY, *rows]))


if __name__ == "__main__":
    main()
