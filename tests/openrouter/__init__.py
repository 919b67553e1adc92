"""The adapter, over real HTTP: against the simulator, and against servers that break rules."""
