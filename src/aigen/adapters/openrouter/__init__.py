"""OpenRouter over HTTP, and in `simulator` the same contract from the other side."""
