"""A daemon for each test, on a root with busybox in it; nothing of it is left on the host at the end."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.wharfd import Wharfd
from tests.root.world import EMPTY


@pytest.fixture
def daemon(stocked: Path, tmp_path: Path) -> Iterator[Wharfd]:
    """One that runs; whatever the test did to it, the next one must be able to clear up."""
    daemon = Wharfd(tmp_path, stocked)
    try:
        daemon.start()
        yield daemon
        if daemon.process is None:
            daemon.start()
        daemon.clear()
        daemon.end()
        assert daemon.world() == EMPTY
    finally:
        daemon.forget()
