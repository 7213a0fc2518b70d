from __future__ import annotations

import struct

from wharf.kernel import netdev

_LOCAL = struct.pack("=HH4s", 8, 2, b"\x0a\x4d\x00\x01")
_TIMES = struct.pack("=HH16s", 20, 6, bytes(16))


def address(flags: int, scope: int, link: int, attributes: bytes = b"") -> bytes:
    return struct.pack("=BBBBi", 2, 24, flags, scope, link) + attributes


def test_only_permanent_addresses_of_global_scope_go_along() -> None:
    bodies = [address(0x80, 0, 3), address(0, 0, 3), address(0x80, 253, 3), address(0x80, 0, 4)]

    assert [netdev.is_kept(body, 3) for body in bodies] == [True, False, False, False]


def test_an_address_is_the_same_on_another_link_but_for_its_times() -> None:
    assert netdev.moved(address(0x80, 0, 3, _LOCAL + _TIMES), 9) == address(0x80, 0, 9, _LOCAL)
