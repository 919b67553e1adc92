"""The HTTP API: parse, call one service, answer."""
