"""Tar headers as data: a block and the records before it become an entry. Pure; every field is checked.

Formats: POSIX.1-2017 pax, "ustar Interchange Format" and "pax Header Block"; GNU tar manual, "Basic Tar Format".
"""

from __future__ import annotations

from functools import lru_cache
from typing import Final
from zlib import adler32

from wharf.storage.tar_entry import Corrupt, Entry, Kind

_XATTR: Final = b"SCHILY.xattr."
_KINDS: Final = {kind.value: kind for kind in Kind} | {b"\0": Kind.FILE, b"7": Kind.FILE, b"S": Kind.FILE}
_LONGEST_NUMBER: Final = 20  # digits of a decimal in a record
_LARGEST: Final = 2**63 - 1
_LARGEST_ID: Final = 2**32 - 2  # -1 means "leave as it is" to chown(2)
_NS: Final = 1_000_000_000

Records = dict[bytes, bytes]


def verify(block: bytes) -> None:
    """Raise Corrupt unless the checksum is right, counted with bytes or, as some old programs did, signed chars."""
    try:
        expected = number(block[148:156])
    except Corrupt:
        expected = -1
    unsigned = _sum(block[:256]) + _sum(block[256:]) - sum(block[148:156]) + 8 * 32
    if expected != unsigned and expected != unsigned - 256 * sum(c > 127 for c in block[:148] + block[156:]):
        raise Corrupt("corrupt archive: not a tar header")


def _sum(half: bytes) -> int:
    """Return the sum of at most 256 bytes: what Adler-32's lower half counts (RFC 1950), thirty times as fast."""
    return (adler32(half) & 0xFFFF) - 1


@lru_cache(1024)  # an archive's headers repeat their modes, owners and times
def number(field: bytes) -> int:
    """Return a number in octal digits or, with the top bit set, in GNU's base 256."""
    if field[:-1].isdigit() and field[-1:] in (b"\0", b" "):  # as nearly everybody writes it
        return _octal(field[:-1], field)
    if field[:1] >= b"\x80":
        value = int.from_bytes(field, "big") & ((1 << (8 * len(field) - 1)) - 1)
        if field[0] & 0x40:
            value -= 1 << (8 * len(field) - 1)
    else:
        digits = field.strip(b"\0 ").split(b"\0", 1)[0]
        value = _octal(digits or b"0", field)
    if not -_LARGEST <= value <= _LARGEST:
        raise Corrupt("corrupt archive: a number is too large")
    return value


def _octal(digits: bytes, field: bytes) -> int:
    if digits.translate(None, b"01234567"):
        raise Corrupt(f"corrupt archive: {field!r} is not a number")
    return int(digits, 8)


def decimal(text: bytes) -> int:
    """Return a number of a pax record that cannot be negative."""
    if not text.isdigit() or len(text) > _LONGEST_NUMBER or int(text) > _LARGEST:
        raise Corrupt(f"corrupt archive: {text[:40]!r} is not a size")
    return int(text)


def parse_records(body: bytes) -> Records:
    """Return what a pax header says: lines of ``<length> <keyword>=<value>``, which count themselves.

    The pairs of sparse format 0.0, which come one keyword a number, are gathered into the map of format 0.1.
    """
    records: Records = {}
    sparse: list[bytes] = []
    at = 0
    while at < len(body):
        space = body.find(b" ", at, at + _LONGEST_NUMBER)
        if space < 0:  # a length that is not there must not count as one: nothing would ever come after it
            raise Corrupt("corrupt archive: a pax record without its length")
        length = decimal(body[at:space])
        record = body[space + 1 : at + length]
        keyword, equals, value = record.partition(b"=")
        if at + length > len(body) or record[-1:] != b"\n" or not equals:
            raise Corrupt("corrupt archive: malformed pax record")
        if keyword in (b"GNU.sparse.offset", b"GNU.sparse.numbytes"):
            sparse.append(value[:-1])
        else:
            records[keyword] = value[:-1]
        at += length
    if sparse:
        records[b"GNU.sparse.map"] = b",".join(sparse)
    return records


def parse_entry(block: bytes, records: Records, long_name: bytes, long_target: bytes) -> Entry:
    """Return the entry of a verified header; ``records`` win over its fields."""
    flag = block[156:157]
    kind = _KINDS.get(flag)
    name = records.get(b"path") or long_name or _name(block)
    if kind is None:
        raise Corrupt(f"corrupt archive: unknown type {flag!r} of {name!r}")
    entry = Entry(
        name=name,
        kind=kind,
        mode=number(block[100:108]) & 0o7777,
        uid=_identity(records.get(b"uid"), block[108:116]),
        gid=_identity(records.get(b"gid"), block[116:124]),
        mtime_ns=_time_ns(records[b"mtime"]) if records.get(b"mtime") else number(block[136:148]) * _NS,
        size=_size(block, kind, records),
        target=records.get(b"linkpath") or long_target or _text(block[157:257]),
        device=_device(block) if kind in (Kind.CHARACTER, Kind.BLOCK) else (0, 0),
    )
    if records:
        entry.xattrs = _xattrs(records)
    if b"\0" in entry.name or b"\0" in entry.target or not entry.name:
        raise Corrupt(f"corrupt archive: invalid name {entry.name!r}")
    if kind is Kind.FILE and flag != b"S" and entry.name.endswith(b"/"):
        entry.kind = Kind.FOLDER  # before POSIX, folders were files of such a name
    return entry


def _xattrs(records: Records) -> dict[str, bytes]:
    found = {}
    for keyword, value in records.items():
        if keyword.startswith(_XATTR):
            try:
                found[keyword[len(_XATTR) :].decode()] = value
            except UnicodeDecodeError:
                raise Corrupt(f"corrupt archive: invalid attribute name {keyword!r}") from None
    return found


def _size(block: bytes, kind: Kind, records: Records) -> int:
    if kind is not Kind.FILE:
        return 0  # links may state their target's size; no content follows
    size = decimal(records[b"size"]) if records.get(b"size") else number(block[124:136])
    if size < 0:
        raise Corrupt("corrupt archive: a negative size")
    return size


def _text(field: bytes) -> bytes:
    return field.split(b"\0", 1)[0]


def _name(block: bytes) -> bytes:
    name, prefix = _text(block[:100]), _text(block[345:500])
    return prefix + b"/" + name if prefix and block[257:263] == b"ustar\0" else name


def _identity(record: bytes | None, field: bytes) -> int:
    value = decimal(record) if record else number(field)
    if not 0 <= value <= _LARGEST_ID:
        raise Corrupt(f"corrupt archive: owner {value} is out of range")
    return value


def _device(block: bytes) -> tuple[int, int]:
    major, minor = number(block[329:337]), number(block[337:345])
    if not (0 <= major < 2**12 and 0 <= minor < 2**20):
        raise Corrupt(f"corrupt archive: device number {major}:{minor} is out of range")
    return major, minor


def _time_ns(text: bytes) -> int:
    whole, _, fraction = text.partition(b".")
    digits = whole.removeprefix(b"-")
    if not digits.isdigit() or len(digits) > 12 or (fraction and not fraction.isdigit()):
        raise Corrupt(f"corrupt archive: {text[:40]!r} is not a time")
    ns = int(digits) * _NS + int(fraction[:9].ljust(9, b"0"))
    return -ns if whole.startswith(b"-") else ns
