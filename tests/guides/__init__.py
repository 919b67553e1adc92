"""The examples of docs/guides, run."""
