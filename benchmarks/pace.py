"""How much is measured: all of it, or with `--quick` just enough to see that it works."""

import sys

QUICK = "--quick" in sys.argv


def paced(whole: int, quick: int) -> int:
    """How many, or how many seconds: the second number is for a look of two minutes."""
    return quick if QUICK else whole


def say(text: str) -> None:
    """Progress, beside the tables."""
    print(f"bench: {text}", file=sys.stderr)
