"""A daemon for the builds of one module, of which nothing may be left."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.wharfd import Cli, Wharfd, cli, until
from tests.root.world import EMPTY


@pytest.fixture(scope="module")
def daemon(stocked: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Wharfd]:
    daemon = Wharfd(tmp_path_factory.mktemp("build"), stocked)
    try:
        daemon.start()
        yield daemon
        for place in ("ingest", "build/work"):
            until(lambda place=place: not list((daemon.root / place).iterdir()))  # type: ignore[misc]
        daemon.end()
        assert daemon.world() == EMPTY
    finally:
        daemon.forget()


@pytest.fixture
def wharf(daemon: Wharfd) -> Cli:
    return cli("wharf", daemon)
