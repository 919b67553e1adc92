"""The embedded store: one process owns the file, one thread writes it."""
