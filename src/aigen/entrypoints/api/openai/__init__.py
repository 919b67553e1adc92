"""The same services in OpenAI's words, under /v1: any client of OpenAI's can use them."""
