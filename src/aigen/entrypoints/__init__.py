"""How the world comes in: the library's face, the HTTP API, the worker, the command line."""
