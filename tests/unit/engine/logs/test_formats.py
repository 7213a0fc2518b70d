from __future__ import annotations

import gzip
import json
import os
import struct
import zlib

import msgspec
import pytest

from wharf.engine.logs import formats
from wharf.engine.logs.formats import Message
from wharf.engine.logs.identity import Identity

NS = 1_700_000_000_123_456_789  # 14 November 2023, 22:13:20 UTC
BOX = Identity("0" * 64, "box", "img", "sha256:1", "cmd", "2026", "host", "tag", {"label": "é"})
OUT, ERR = Message("out", "stdout", NS), Message("err", "stderr", NS)


@pytest.mark.parametrize(
    ("kind", "text"),
    [
        ("", "<30>Nov 14 22:13:20 tag[{pid}]: out"),
        ("rfc3164", "<30>Nov 14 22:13:20 host tag[{pid}]: out"),
        ("rfc5424", "<30>1 2023-11-14T22:13:20Z host tag {pid} tag - out"),
        ("rfc5424micro", "<30>1 2023-11-14T22:13:20.123456Z host tag {pid} tag - out"),
    ],
)
def test_syslog(kind: str, text: str) -> None:
    assert formats.syslog(OUT, BOX, 3, kind).decode() == text.format(pid=os.getpid())


def test_stderr_is_an_error() -> None:
    assert formats.syslog(ERR, BOX, 16, "").startswith(b"<131>")


def test_syslog_on_a_stream_is_counted_or_ended() -> None:
    assert formats.syslog_stream(b"abc", "rfc5424") == b"3 abc"
    assert formats.syslog_stream(b"abc", "") == b"abc\n"


def test_gelf() -> None:
    document = json.loads(formats.gelf(ERR, BOX))

    assert (document["version"], document["short_message"], document["level"]) == ("1.1", "err", 3)
    assert (document["timestamp"], document["_label"], document["_tag"]) == (1_700_000_000.123, "é", "tag")


def test_a_small_gelf_document_is_one_datagram() -> None:
    assert [gzip.decompress(d) for d in formats.gelf_datagrams(b"{}", "gzip", 1, b"")] == [b"{}"]
    assert [zlib.decompress(d) for d in formats.gelf_datagrams(b"{}", "zlib", 9, b"")] == [b"{}"]


def test_a_large_gelf_document_comes_in_chunks_and_a_larger_one_not_at_all() -> None:
    document = bytes(range(256)) * 20
    chunks = list(formats.gelf_datagrams(document, "none", 0, b"8 bytes!"))

    assert {len(chunk) for chunk in chunks[:-1]} == {1420}
    assert [(c[:2], c[2:10], c[10], c[11]) for c in chunks] == [
        (b"\x1e\x0f", b"8 bytes!", number, len(chunks)) for number in range(len(chunks))
    ]
    assert b"".join(c[12:] for c in chunks) == document
    assert list(formats.gelf_datagrams(bytes(200_000), "none", 0, b"8 bytes!")) == []


def test_fluentd() -> None:
    tag, time, record, option = msgspec.msgpack.decode(formats.fluentd(OUT, BOX, precise=False, chunk="c"))

    assert (tag, time, option) == ("tag", NS // 10**9, {"chunk": "c"})
    assert record == {
        "container_id": "0" * 64, "container_name": "/box", "source": "stdout", "log": "out", "label": "é",
    }  # fmt: skip


def test_fluentd_with_nanoseconds() -> None:
    _, time, _, option = msgspec.msgpack.decode(formats.fluentd(OUT, BOX, precise=True))

    assert (time.code, struct.unpack(">II", time.data), option) == (0, (NS // 10**9, NS % 10**9), {})


def test_journald_fields_end_with_a_newline_or_have_a_length() -> None:
    entry = formats.journald(Message("a\nb", "stdout", NS), BOX)

    assert entry.startswith(b"MESSAGE\n" + struct.pack("<Q", 3) + b"a\nb\n")
    assert b"\nCONTAINER_NAME=box\n" in entry
    assert "\nLABEL=é\n".encode() in entry
