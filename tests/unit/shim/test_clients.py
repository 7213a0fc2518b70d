from __future__ import annotations

import socket

import pytest

from wharf.shim.clients import DetachKeys
from wharf.shim.loop import Loop
from wharf.shim.streams import Streams
from wharf.spec.shim_messages import Attachment


def test_detach_keys_are_found_across_pieces_and_not_passed_on() -> None:
    keys = DetachKeys([16, 17])
    assert [keys.feed(b"a\x10"), keys.feed(b"\x11")] == [(b"a", False), (b"", True)]


def test_a_broken_sequence_is_passed_on_whole() -> None:
    assert DetachKeys([16, 17]).feed(b"\x10\x10b") == (b"\x10\x10b", False)


def test_a_sequence_may_begin_within_a_broken_one() -> None:
    assert DetachKeys([16, 17]).feed(b"\x10\x10\x11") == (b"\x10", True)


def test_without_keys_everything_passes() -> None:
    assert DetachKeys([]).feed(b"\x10\x11") == (b"\x10\x11", False)
    assert DetachKeys([4]).feed(b"x\x04") == (b"x", True)


HELD: Attachment = {"stdin": True, "stdout": True, "stderr": True, "holds": True}


@pytest.mark.parametrize("typed", [b"", b"x" * 100_000])  # the latter is more than a process takes that does not read
def test_a_container_is_abandoned_when_who_holds_it_goes(typed: bytes) -> None:
    loop, calls = Loop(), list[int]()
    streams = Streams(loop, abandoned=lambda: calls.append(1))
    streams.open_pipes(stdin=True)
    streams.on_empty = loop.stop
    ours, theirs = socket.socketpair()
    with ours:
        streams.attach(theirs, HELD)
        ours.sendall(typed)
    loop.run()
    streams.finish()

    assert calls == [1]


def test_who_holds_a_container_may_have_no_more_input() -> None:
    loop, calls = Loop(), list[int]()
    streams = Streams(loop, abandoned=lambda: calls.append(1))
    ours, theirs = socket.socketpair()
    with ours:
        streams.attach(theirs, HELD)
        ours.shutdown(socket.SHUT_WR)
        loop.later(0, loop.stop)
        loop.run()
        attached = not streams.empty
        streams.finish()

    assert (attached, calls) == (True, [])


def test_a_container_that_has_ended_is_not_abandoned() -> None:
    loop, calls = Loop(), list[int]()
    streams = Streams(loop, abandoned=lambda: calls.append(1))
    ours, theirs = socket.socketpair()
    with ours:
        streams.attach(theirs, HELD)
        streams.finish()

    assert (streams.empty, calls) == (True, [])
