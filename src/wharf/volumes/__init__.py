"""Volumes of the local driver: a row and a folder each. What containers mount of them is the engine's affair."""
