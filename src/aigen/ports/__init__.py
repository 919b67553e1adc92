"""What the domain needs of the world, as Protocols; the docstrings are the promises."""
