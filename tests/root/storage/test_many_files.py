"""A layer of a hundred thousand files, and a bomb."""

from __future__ import annotations

import gzip
import io
import os
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from resource import RUSAGE_SELF, getrusage

import pytest

from wharf.storage.diff import unpack
from wharf.storage.tar_entry import Entry, Kind
from wharf.storage.tar_writer import TarWriter, header
from wharf.storage.unpacking.unpacked import unpack_layer

pytestmark = pytest.mark.root
FILES = 100_000


@pytest.fixture
def folder(tmp_path: Path) -> Iterator[int]:
    """A folder in memory, in the tests' own mount namespace: a disk would measure the disk."""
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=200m,nr_inodes=300k", "tmpfs", tmp_path], check=True)
    fd = os.open(tmp_path, os.O_RDONLY)
    yield fd
    os.close(fd)
    subprocess.run(["umount", tmp_path], check=True)


@pytest.mark.slow
def test_a_hundred_thousand_files_take_little_memory(folder: int, tmp_path: Path) -> None:
    sink = io.BytesIO()
    writer = TarWriter(sink)
    for number in range(FILES):
        writer.add(Entry(b"d%d/e%d/file%d" % (number % 300, number % 7, number), Kind.FILE, size=0))
    writer.close()
    sink.seek(0)
    before = getrusage(RUSAGE_SELF).ru_maxrss
    unpacked = unpack(sink, folder)

    assert unpacked.entries == FILES
    assert sum(len(files) for _, _, files in os.walk(tmp_path)) == FILES
    assert getrusage(RUSAGE_SELF).ru_maxrss - before < 30_000  # kilobytes


def test_a_bomb_fills_the_disk_at_most_and_never_the_memory(folder: int) -> None:
    sink = io.BytesIO()
    with gzip.open(sink, "wb", compresslevel=1) as bomb:
        bomb.write(header(Entry(b"bomb", Kind.FILE, size=2 << 30)))
        piece = bytes(1 << 20)
        for _ in range(250):
            bomb.write(piece)
    sink.seek(0)
    tracemalloc.start()
    with pytest.raises(OSError, match="No space left"):
        unpack_layer(sink, folder)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()

    assert peak < 8_000_000
