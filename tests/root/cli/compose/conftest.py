"""A project's folder with `wharf compose` in it."""

from tests.root.compose.conftest import compose, daemon, engine

__all__ = ["compose", "daemon", "engine"]
