"""Engines on roots of their own, with busybox in them; each test's root must be empty again at its end."""

from __future__ import annotations

import asyncio
import shutil
import subprocess
from collections.abc import Awaitable, Callable, Iterator
from pathlib import Path

import pytest
from tests.root.world import EMPTY, observe

import wharf
from wharf.storage.layout import DataRoot, run_root_of

Body = Callable[[wharf.Engine], Awaitable[None]]


@pytest.fixture
def root(stocked: Path, tmp_path: Path) -> Iterator[Path]:
    """A data root with busybox; what an engine made on the host below it must be gone at the end."""
    path = tmp_path / "root"
    subprocess.run(["cp", "-a", stocked, path], check=True)  # keeps hard links, as copytree would not
    yield path
    run = run_root_of(path)
    left = observe(DataRoot(path), run)
    shutil.rmtree(run.path, ignore_errors=True)
    assert left == EMPTY


@pytest.fixture
def on_engine(root: Path) -> Callable[[Body], None]:
    """Run an async test body on an engine of its own; all containers are removed after it."""

    def run(body: Body) -> None:
        async def main() -> None:
            async with wharf.Engine(root) as engine:
                try:
                    async with asyncio.timeout(240):
                        await body(engine)
                finally:
                    for container in await engine.containers.list(all=True):
                        await engine.containers.remove(container["Id"] or "", force=True, volumes=True)

        asyncio.run(main())

    return run
