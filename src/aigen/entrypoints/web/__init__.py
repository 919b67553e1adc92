"""The frontend: Flask pages over the HTTP API, of which they know only what the API says."""
