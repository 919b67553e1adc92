"""Documentation, names and structure, held against the code."""
