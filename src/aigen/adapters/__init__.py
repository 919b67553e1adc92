"""How the ports are kept: one package or module for each technology."""
