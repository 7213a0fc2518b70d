"""The daemon and the two command lines of the end-to-end tests."""

from tests.root.e2e.conftest import daemon, run

__all__ = ["daemon", "run"]
