"""The identity map: values by key, with indexes, undo and the net difference of a batch."""
