"""Values and rules: frozen, free of I/O; time and ids come in as arguments."""
