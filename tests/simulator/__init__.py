"""The simulator, tested by clients that are not ours."""
