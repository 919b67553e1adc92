"""The store, the events and the clock of an installation with many processes, on PostgreSQL."""
