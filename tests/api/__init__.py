"""The HTTP API as its callers see it: real store, disk, tokens and links; a scripted provider."""
