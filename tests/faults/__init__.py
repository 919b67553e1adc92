"""Faults: real processes, and a world that is against them."""
