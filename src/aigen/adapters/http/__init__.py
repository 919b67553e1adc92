"""The API seen from outside: what the frontend, the command line and distant workers use."""
