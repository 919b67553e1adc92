"""Use cases: each method reads, decides inside one change of the store, and answers."""
