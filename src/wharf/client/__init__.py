"""A light client of the Engine API."""
