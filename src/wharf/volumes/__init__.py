"""Volumes of the local driver, and what container mounts resolve to."""
