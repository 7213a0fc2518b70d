from __future__ import annotations

from tests.root.daemon.conftest import daemon

__all__ = ["daemon"]
