"""The use cases over in-memory adapters, a clock that stands still and a scripted provider."""
