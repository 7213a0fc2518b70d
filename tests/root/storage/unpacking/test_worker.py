"""The worker's program, served by a thread of this process."""

from __future__ import annotations

import json
import os
import socket
import threading
from pathlib import Path

import pytest
from tests.root.images.conftest import tar

from wharf.lib.digest import digest_of
from wharf.storage.unpacking.worker import FOLLOW, answer, serve

pytestmark = pytest.mark.root


def asked(data: bytes, folder: Path) -> dict[str, object]:
    """Feed one layer to the worker, and return what it says."""
    folder.mkdir(exist_ok=True)
    out, into = os.pipe()

    def feed() -> None:
        with os.fdopen(into, "wb") as sink:
            try:
                sink.write(data)
                sink.flush()
            except BrokenPipeError:
                sink.detach()

    thread = threading.Thread(target=feed)
    thread.start()
    try:
        return answer(out, os.open(folder, os.O_RDONLY))
    finally:
        thread.join()


def test_a_layer_is_unpacked_and_told(tmp_path: Path) -> None:
    data = tar(f=b"12345")

    assert asked(data, tmp_path / "layer") == {"diff_id": digest_of(data), "size_bytes": 5, "compression": ""}
    assert (tmp_path / "layer/f").read_bytes() == b"12345"


def test_a_file_that_is_followed_ends_when_its_writer_says_so(tmp_path: Path) -> None:
    data = tar(f=bytes(3_000_000))
    (tmp_path / "blob").write_bytes(data)
    (tmp_path / "layer").mkdir()
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    server = threading.Thread(target=serve, args=(theirs.detach(),))
    server.start()
    with ours:
        fds = [os.open(tmp_path / name, os.O_RDONLY) for name in ("blob", "layer")]
        socket.send_fds(ours, [FOLLOW], fds)
        asked, said = [], {}
        while "size_bytes" not in (said := json.loads(ours.recv(4096))):
            asked.append(said["beyond"])
            ours.send(b"%d" % min(len(data), said["beyond"] + 1_000_000))
    server.join()
    for fd in fds:
        os.close(fd)

    assert asked == [0, 1_000_000, 2_000_000, 3_000_000, len(data)]
    assert said == {"diff_id": None, "size_bytes": 3_000_000, "compression": ""}


def test_what_is_refused_is_told_in_its_words(tmp_path: Path) -> None:
    assert "lies outside" in str(asked(tar(**{"..__f": b"1"}), tmp_path / "layer")["refused"])


def test_what_fails_is_told_with_its_number(tmp_path: Path) -> None:
    (tmp_path / "layer").mkdir()
    stream = os.open(tmp_path, os.O_RDONLY)  # a folder, which is no stream
    said = answer(stream, os.open(tmp_path / "layer", os.O_RDONLY))

    assert said == {"errno": 21, "message": "Is a directory"}


def test_requests_are_served_until_the_other_end_hangs_up(tmp_path: Path) -> None:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    serving = threading.Thread(target=serve, args=(theirs.detach(),))
    serving.start()
    with ours:
        for name in ("a", "b"):
            (tmp_path / name).mkdir()
            (tmp_path / f"{name}.tar").write_bytes(tar(f=name.encode()))
            fds = os.open(tmp_path / f"{name}.tar", os.O_RDONLY), os.open(tmp_path / name, os.O_RDONLY)
            socket.send_fds(ours, [b"unpack"], fds)
            assert json.loads(ours.recv(4096))["size_bytes"] == 1
            for fd in fds:
                os.close(fd)
    serving.join()
