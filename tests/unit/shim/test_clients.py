from __future__ import annotations

from wharf.shim.clients import DetachKeys


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
