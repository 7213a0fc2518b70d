from __future__ import annotations

import errno
import struct

from wharf.kernel import netlink_wire as wire
from wharf.kernel.netlink_wire import Request


def test_attributes_come_back_as_they_were_written() -> None:
    data = wire.text(3, "eth0") + wire.nested(18, wire.u32(1, 7), wire.u16(2, 9)) + wire.ip(5, "fd00::1")
    found = wire.attributes(data)

    assert wire.string(found, 3) == "eth0"
    assert wire.number(wire.attributes(found[18]), 1) == 7
    assert found[5] == bytes.fromhex("fd00") + bytes(13) + b"\1"


def test_attribute_that_is_too_short_ends_the_reading() -> None:
    assert wire.attributes(b"\0\0\1\0" + b"rest") == {}


def test_batch_is_taken_apart_at_its_messages() -> None:
    batch = wire.pack(Request(16, 0, b"abc", "one"), 0, 1) + wire.pack(Request(18, 0, b"", "two"), 0, 2)

    assert [(kind, sequence, body[2:]) for kind, sequence, body in wire.messages(batch)] == [
        (16, 1, b"abc"),
        (18, 2, b""),
    ]


def test_failure_bears_the_name_of_what_failed() -> None:
    failed = wire.failure(struct.pack("=Hi", 0, -errno.EEXIST), "make bridge")

    assert failed
    assert (failed.errno, failed.filename) == (errno.EEXIST, "make bridge")
    assert wire.failure(struct.pack("=Hi", 0, 0), "make bridge") is None
