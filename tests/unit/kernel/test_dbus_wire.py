from __future__ import annotations

import pytest

from wharf.kernel import dbus_wire as wire

_FIELDS = {"path": "/a", "destination": "b.c", "interface": "d.e", "member": "F"}


def test_signatures_are_split_into_whole_types() -> None:
    assert wire.split("ssa(sv)a(sa(sv))au") == ["s", "s", "a(sv)", "a(sa(sv))", "au"]


def test_a_call_without_a_body_has_the_specifications_bytes() -> None:
    hello = wire.Message(wire.CALL, 1, {"path": "/x", "member": "Hi"}, [])

    assert wire.encode(hello) == (
        b"l\x01\0\x01" b"\0\0\0\0" b"\x01\0\0\0" b"\x1b\0\0\0"
        b"\x01\x01o\0\x02\0\0\0/x\0" b"\0\0\0\0\0"
        b"\x03\x01s\0\x02\0\0\0Hi\0" b"\0\0\0\0\0"
    )  # fmt: skip


def test_what_is_written_can_be_read_again() -> None:
    properties = [
        ("PIDs", ("au", [1, 2])),
        ("Delegate", ("b", 1)),
        ("MemoryMax", ("t", 1 << 40)),
        ("Slice", ("s", "ü")),
    ]
    sent = wire.Message(
        wire.CALL, 9, {**_FIELDS, "signature": "sya(sv)a(sa(sv))i"}, ["u", 3, properties, [("x", [])], -5]
    )

    data = wire.encode(sent)
    got = wire.decode(data)

    assert wire.length(data[: wire.HEAD_BYTES]) == len(data)
    assert (got.kind, got.serial, got.fields, got.body) == (sent.kind, sent.serial, sent.fields, sent.body)


_CUT = wire.encode(wire.Message(wire.CALL, 1, _FIELDS, []))[:-8]
_MALFORMED = b"l\x01\0\x01" + b"\0" * 8 + b"\x08\0\0\0" + b"\xff" * 8


@pytest.mark.parametrize("data", [b"", b"B" + b"\0" * 15, _CUT, _MALFORMED])
def test_what_is_no_message_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match="D-Bus"):
        wire.decode(data)
