"""The inside, alone: rules as plain functions on values."""
