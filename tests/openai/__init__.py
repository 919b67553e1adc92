"""The door in OpenAI's words, opened by OpenAI's own SDK."""
