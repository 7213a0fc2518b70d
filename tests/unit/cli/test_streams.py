from __future__ import annotations

import os
import socket
import threading

import pytest

from wharf.cli.streams import Conversation, DetachKeys, Signals
from wharf.client.http1 import Wire
from wharf.errors import WharfError


def test_keys_that_only_begin_the_sequence_go_on_to_the_container() -> None:
    keys = DetachKeys(b"\x10\x11")

    assert [keys.feed(b"a\x10"), keys.feed(b"b"), keys.feed(b"c\x10\x10"), keys.feed(b"\x11z")] == [
        (b"a", False), (b"\x10b", False), (b"c\x10", False), (b"", True),
    ]  # fmt: skip


def test_multiplexed_output_lands_on_stdout_and_stderr(capfd: pytest.CaptureFixture[str]) -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"\1\0\0\0\0\0\0\3out\2\0\0\0\0\0\0\3err")
    theirs.close()

    with Signals([]) as signals:
        Conversation(Wire(ours), stdin=False, tty=False).run(signals)
    ours.close()

    assert tuple(capfd.readouterr()) == ("out", "err")


def test_failure_in_the_stream_is_raised() -> None:
    ours, theirs = socket.socketpair()
    theirs.sendall(b"\3\0\0\0\0\0\0\3bad")

    with Signals([]) as signals, pytest.raises(WharfError, match="bad"):
        Conversation(Wire(ours), stdin=False, tty=False).run(signals)
    ours.close()
    theirs.close()


def test_signal_is_handed_on_while_the_stream_is_open() -> None:
    ours, theirs = socket.socketpair()
    got: list[int] = []

    def on_signal(number: int) -> None:
        got.append(number)
        theirs.close()

    with Signals([10]) as signals:
        os.kill(os.getpid(), 10)
        Conversation(Wire(ours), stdin=False, tty=True, on_signal=on_signal).run(signals)
    ours.close()

    assert got == [10]


def _feed(descriptor: int, size: int) -> None:
    with os.fdopen(descriptor, "wb") as file:
        file.write(b"x" * size)


def test_container_that_writes_more_than_it_reads_is_no_deadlock(capfdbinary: pytest.CaptureFixture[bytes]) -> None:
    size, times = 2 * 2**20, 3
    ours, theirs = socket.socketpair()

    def answer() -> None:
        while data := theirs.recv(65536):
            theirs.sendall(data * times)
        theirs.close()

    reader, writer = os.pipe()
    before = os.dup(0)
    os.dup2(reader, 0)
    threads = [threading.Thread(target=answer), threading.Thread(target=_feed, args=(writer, size))]
    for thread in threads:
        thread.start()
    try:
        with Signals([]) as signals:
            Conversation(Wire(ours), stdin=True, tty=True).run(signals)
    finally:
        os.dup2(before, 0)
        for descriptor in (before, reader):
            os.close(descriptor)
    ours.close()
    for thread in threads:
        thread.join()

    assert len(capfdbinary.readouterr().out) == size * times
