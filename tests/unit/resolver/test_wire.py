from __future__ import annotations

import struct

import pytest

from wharf.resolver import wire
from wharf.resolver.wire import Query


def _question(name: bytes, kind: int, *, edns: bool = False) -> bytes:
    opt = struct.pack("!BHHIH", 0, wire.OPT, 1232, 0, 0) if edns else b""
    return struct.pack("!HHHHHH", 7, 0x0100, 1, 0, 0, 1 if edns else 0) + name + struct.pack("!HH", kind, 1) + opt


_WEB = b"\x03WEB\x00"


def test_question_is_read_and_repeated_as_it_was_written() -> None:
    query = Query(_question(_WEB, wire.A))
    answer = wire.addresses(query, ["10.0.0.2", "fd00::2"])

    assert (query.name, query.kind) == ("web", wire.A)
    assert struct.unpack_from("!HHHHHH", answer) == (7, 0x8180, 1, 1, 0, 0)
    assert answer[12:17] == _WEB
    assert answer.endswith(b"\x0a\0\0\2")


def test_name_without_an_address_of_that_version_is_no_failure() -> None:
    answer = wire.addresses(Query(_question(_WEB, wire.AAAA)), ["10.0.0.2"])

    assert struct.unpack_from("!HHHHHH", answer)[1:4] == (0x8180, 1, 0)


def test_answer_that_does_not_fit_says_so() -> None:
    many = [f"10.0.0.{i}" for i in range(100)]
    plain = wire.addresses(Query(_question(_WEB, wire.A)), many)
    large = wire.addresses(Query(_question(_WEB, wire.A, edns=True)), many)

    assert len(plain) <= 512
    assert plain[2] & 0x02
    assert len(plain) < len(large) <= 1232
    assert len(wire.addresses(Query(_question(_WEB, wire.A)), many, stream=True)) > 1600


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"\0" * 11,
        _question(_WEB, 1)[:14],
        _question(b"\xc0\x0c", 1),
        _question(_WEB, 1)[:2] + b"\x81\x80" + _question(_WEB, 1)[4:],
        struct.pack("!HHHHHH", 7, 0x0100, 2, 0, 0, 0) + _WEB,
        _question(b"\x3f" + b"a" * 63 + b"\x3f" + b"a" * 63, 1),
    ],
)
def test_what_is_no_question_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"question|name|truncated|query"):
        Query(data)


@pytest.mark.parametrize(
    ("name", "address"),
    [
        ("2.0.17.172.in-addr.arpa", "172.17.0.2"),
        ("2." + "0." * 29 + "d.f.ip6.arpa", "fd00::2"),
        ("web", ""),
        ("1.2.in-addr.arpa", ""),
        ("x.ip6.arpa", ""),
    ],
)
def test_reverse_name_is_an_address(name: str, address: str) -> None:
    assert wire.address_of(name) == address


@pytest.mark.parametrize(
    ("flags", "code"),
    [(0x2100, wire.NOT_IMPLEMENTED), (0x0100, wire.FORMAT_ERROR)],
    ids=["notify", "no question"],
)
def test_what_is_no_question_is_told_so(flags: int, code: int) -> None:
    refusal = wire.refusal(struct.pack("!HHHHHH", 7, flags, 0, 0, 0, 0))

    assert struct.unpack("!HHHHHH", refusal) == (7, 0x8000 | flags | code, 0, 0, 0, 0)


def test_answers_and_scraps_are_not_answered() -> None:
    assert wire.refusal(struct.pack("!HHHHHH", 7, 0x8000, 0, 0, 0, 0)) == wire.refusal(b"\0" * 11) == b""
