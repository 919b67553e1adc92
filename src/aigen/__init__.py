"""aigen."""
