"""The worker's program, served by a thread of this process."""

from __future__ import annotations

import gzip
import json
import os
import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from tests.root.images.conftest import tar

from wharf.lib.digest import digest_of
from wharf.storage.unpacking.worker import FOLLOW, serve

pytestmark = pytest.mark.root


@contextmanager
def serving() -> Iterator[socket.socket]:
    """Yield the engine's end of a worker's socket; the worker must have ended once that is closed."""
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server = threading.Thread(target=serve, args=(theirs.detach(),))
    server.start()
    with ours:
        yield ours
    server.join()


def asked(
    worker: socket.socket, blob: Path, folder: Path, step: int = 1 << 30, *, flags: int = os.O_RDONLY
) -> tuple[list[int], dict[str, object]]:
    """Have one layer unpacked, whose blob grows by steps; return what the worker asked for, and what it said."""
    folder.mkdir(exist_ok=True)
    fds = [os.open(blob, flags), os.open(folder, os.O_RDONLY)]
    try:
        socket.send_fds(worker, [FOLLOW], fds)
    finally:
        for fd in fds:
            os.close(fd)
    size, wanted = blob.stat().st_size, []
    while "beyond" in (said := json.loads(worker.recv(4096))):
        wanted.append(said["beyond"])
        worker.send(b"%d" % min(size, said["beyond"] + step))
    return wanted, said


def test_layers_are_unpacked_and_told_until_the_other_end_hangs_up(tmp_path: Path) -> None:
    with serving() as worker:
        for name in ("a", "b"):
            (tmp_path / "blob").write_bytes(tar(f=name.encode() * 5))
            said = asked(worker, tmp_path / "blob", tmp_path / name)[1]

            assert said == {"diff_id": None, "size_bytes": 5, "compression": ""}
            assert (tmp_path / name / "f").read_bytes() == name.encode() * 5


def test_a_file_that_is_followed_ends_when_its_writer_says_so(tmp_path: Path) -> None:
    data = tar(f=bytes(3_000_000))
    (tmp_path / "blob").write_bytes(data)
    with serving() as worker:
        wanted, said = asked(worker, tmp_path / "blob", tmp_path / "layer", 1_000_000)

    assert wanted == [0, 1_000_000, 2_000_000, 3_000_000, len(data)]
    assert said == {"diff_id": None, "size_bytes": 3_000_000, "compression": ""}


def test_a_compressed_layer_is_told_by_what_is_in_it(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(gzip.compress(tar(f=b"1")))
    with serving() as worker:
        said = asked(worker, tmp_path / "blob", tmp_path / "layer")[1]

    assert said == {"diff_id": digest_of(tar(f=b"1")), "size_bytes": 1, "compression": "gzip"}


def test_what_is_refused_is_told_in_its_words(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(tar(**{"..__f": b"1"}))
    with serving() as worker:
        assert "lies outside" in str(asked(worker, tmp_path / "blob", tmp_path / "layer")[1]["refused"])


def test_what_fails_is_told_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "blob").write_bytes(tar(f=b"1"))
    with serving() as worker:
        said = asked(worker, tmp_path / "blob", tmp_path / "layer", flags=os.O_WRONLY)[1]

    assert said == {"errno": 9, "message": "Bad file descriptor"}
