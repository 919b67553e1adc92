"""Ports kept in memory: the fakes that `aigen.testing` ships, and the clock that stands still."""
