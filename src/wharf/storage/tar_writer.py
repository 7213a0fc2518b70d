"""Write a tar stream: ustar headers, with pax records only for what does not fit; the same input, the same bytes."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final, Protocol

from wharf.storage.tar_entry import BLOCK, Entry, Kind

_NS: Final = 1_000_000_000
_ZEROS: Final = bytes(BLOCK)


class Sink(Protocol):
    """Where bytes go."""

    def write(self, data: bytes, /) -> object:
        """Take all of ``data``."""


class TarWriter:
    """Entries one after another; :meth:`close` ends the archive and leaves the sink open."""

    def __init__(self, sink: Sink) -> None:
        self._sink = sink

    def add(self, entry: Entry, content: Iterable[bytes] = ()) -> None:
        """Write one entry; ``content`` must have ``entry.size`` bytes, for :class:`Kind.FILE` only."""
        self._sink.write(header(entry))
        written = 0
        for data in content:
            self._sink.write(data)
            written += len(data)
        assert written == (entry.size if entry.kind is Kind.FILE else 0), f"{entry.name!r} changed its size"
        self._sink.write(_ZEROS[: -written % BLOCK])

    def close(self) -> None:
        """Write the end: two blocks of zeros."""
        self._sink.write(_ZEROS + _ZEROS)


def header(entry: Entry) -> bytes:
    """Return the header of an entry, its pax records before it when it needs them. Pure."""
    size = entry.size if entry.kind is Kind.FILE else 0
    records: dict[bytes, bytes] = {f"SCHILY.xattr.{k}".encode(): entry.xattrs[k] for k in sorted(entry.xattrs)}
    prefix, name = _split(entry.name)
    seconds, fraction = divmod(entry.mtime_ns, _NS)
    if len(name) > 100:
        records[b"path"], prefix, name = entry.name, b"", name[:100]
    if len(entry.target) > 100:
        records[b"linkpath"] = entry.target
    if fraction or not 0 <= seconds < 8**11:
        records[b"mtime"] = _decimal_time(entry.mtime_ns)
        seconds = min(max(seconds, 0), 8**11 - 1)
    numbers = {b"uid": (entry.uid, 8**7), b"gid": (entry.gid, 8**7), b"size": (size, 8**11)}
    for keyword, (value, limit) in numbers.items():
        if value >= limit:
            records[keyword] = str(value).encode()
    fields = {keyword: value if value < limit else 0 for keyword, (value, limit) in numbers.items()}
    block = _block(entry, name, prefix, fields, seconds)
    return _extended(records) + block if records else block


def _block(entry: Entry, name: bytes, prefix: bytes, fields: dict[bytes, int], seconds: int) -> bytes:
    return _sum(
        name.ljust(100, b"\0")
        + b"%07o\0" % entry.mode
        + b"%07o\0%07o\0" % (fields[b"uid"], fields[b"gid"])
        + b"%011o\0%011o\0" % (fields[b"size"], seconds)
        + b" " * 8
        + entry.kind.value
        + entry.target[:100].ljust(100, b"\0")
        + b"ustar\x0000"
        + bytes(64)
        + b"%07o\0%07o\0" % entry.device
        + prefix.ljust(155, b"\0")
        + bytes(12)
    )


def _extended(records: dict[bytes, bytes]) -> bytes:
    body = b"".join(_record(keyword, value) for keyword, value in records.items())
    block = _sum(
        b"PaxHeaders".ljust(100, b"\0")
        + b"0000644\0"
        + b"0000000\0" * 2
        + b"%011o\0%011o\0" % (len(body), 0)
        + b" " * 8
        + b"x"
        + bytes(100)
        + b"ustar\x0000"
        + bytes(247)
    )
    return block + body + _ZEROS[: -len(body) % BLOCK]


def _record(keyword: bytes, value: bytes) -> bytes:
    rest = b" " + keyword + b"=" + value + b"\n"
    length = len(rest) + 1
    while len(str(length)) + len(rest) != length:
        length = len(str(length)) + len(rest)
    return str(length).encode() + rest


def _sum(block: bytes) -> bytes:
    assert len(block) == BLOCK
    return block[:148] + b"%06o\0 " % sum(block) + block[156:]


def _split(name: bytes) -> tuple[bytes, bytes]:
    """Return prefix and name; the name is longer than 100 bytes when no slash splits it so that both fit."""
    if len(name) <= 100:
        return b"", name
    slash = name.find(b"/", len(name) - 101, min(len(name) - 1, 156))
    return (name[:slash], name[slash + 1 :]) if 0 < slash <= 155 else (b"", name)


def _decimal_time(ns: int) -> bytes:
    sign = b"-" if ns < 0 else b""
    seconds, fraction = divmod(abs(ns), _NS)
    return (sign + b"%d.%09d" % (seconds, fraction)).rstrip(b"0").rstrip(b".") if fraction else sign + b"%d" % seconds
