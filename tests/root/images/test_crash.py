"""kill -9 at any instant of images' and volumes' lives: the next start finds whole things, or nothing of them."""

from __future__ import annotations

import asyncio
import gzip
import os
import random
import shutil
import signal
import time
from pathlib import Path

import pytest
from chaos.images import chaos
from tests.root.images.conftest import Store, imported, tar
from tests.root.registry import PROGRAM

from wharf.images.catalog import blobs_of

pytestmark = [pytest.mark.root, pytest.mark.slow]

_POINTS = 40
_ARCHIVE = gzip.compress(tar(**{f"d{i}__f{i}": os.urandom(2000) for i in range(150)}))


async def _live(store: Store) -> None:
    await store.images.start()
    while True:
        await imported(store, _ARCHIVE, "a")
        await store.images.tag("a", repository="b", tag=None)
        await imported(store, tar(other=b"x"), "a")
        await store.images.remove("b")
        await store.images.remove("a")


def _run_and_kill(path: Path, after_s: float) -> None:
    pid = os.fork()
    if pid == 0:
        try:
            asyncio.run(_live(Store(path)))
        finally:
            os._exit(1)
    time.sleep(after_s)
    os.kill(pid, signal.SIGKILL)
    assert os.waitpid(pid, 0)[1] == signal.SIGKILL


def _what_is_wrong(store: Store) -> list[str]:
    records = [store.images.resolve(str(item.get("Id"))) for item in asyncio.run(store.images.list())]
    blobs = {digest for record in records for digest in blobs_of(record)}
    layers = {path.parent for record in records for path in store.snapshots.lower_dirs(record.chain_id)}
    wrong = [f"blob {d} without an image" for d in set(store.content.digests()) - blobs]
    wrong += [f"blob {d} is missing" for d in blobs - set(store.content.digests())]
    wrong += [f"layer {p} without an image" for p in set(store.data.snapshots.iterdir()) - layers]
    wrong += [f"layer {p} is not whole" for p in layers if len(list((p / "fs").rglob("*"))) not in (1, 300)]
    wrong += [f"left {p}" for p in (*store.data.ingest.iterdir(), *(store.data.content / "ingest").iterdir())]
    return wrong


def test_a_killed_engine_leaves_only_what_the_next_start_sweeps(tmp_path: Path) -> None:
    chance = random.Random(7)
    for point in range(_POINTS):
        _run_and_kill(tmp_path / "root", chance.uniform(0.005, 0.2))
        store = Store(tmp_path / "root")
        try:
            asyncio.run(store.images.start())
            assert (point, _what_is_wrong(store)) == (point, [])
        finally:
            asyncio.run(store.aclose())


@pytest.mark.skipif(shutil.which(PROGRAM) is None, reason=f"{PROGRAM} is not installed")
def test_transfers_that_are_killed_leave_a_whole_store_and_are_taken_up_again(tmp_path: Path) -> None:
    assert chaos(tmp_path, points=12, seed=7) == []
