"""The frontend: pages against a real API, and in a real browser."""
