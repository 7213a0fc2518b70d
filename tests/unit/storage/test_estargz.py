from __future__ import annotations

import gzip
import hashlib
import io
import tarfile
import tracemalloc
import zlib
from collections.abc import Iterator
from pathlib import Path

import msgspec
import pytest

from wharf.errors import InvalidArgument
from wharf.storage import estargz
from wharf.storage.estargz import CHUNK_BYTES, TABLE, Item, Table, Written, table_digest, write
from wharf.storage.tar_entry import Entry, Kind
from wharf.storage.tar_writer import TarWriter

LARGE = bytes(range(251)) * (2 * CHUNK_BYTES // 251 + 100)  # of three parts
FILES = {"d/": None, "d/f": b"content", "d/empty": b"", "large": LARGE}


def archive(**more: Entry) -> bytes:
    buffer = io.BytesIO()
    writer = TarWriter(buffer)
    for name, content in FILES.items():
        kind = Kind.FOLDER if content is None else Kind.FILE
        entry = Entry(
            name.encode(), kind, mode=0o750, uid=7, size=len(content or b""), mtime_ns=1_600_000_000 * 10**9
        )
        writer.add(entry, [content] if content else [])
    for entry in more.values():
        writer.add(entry)
    writer.close()
    return buffer.getvalue()


def written(plain: bytes, path: Path, level: int | None = None) -> tuple[bytes, Written]:
    with path.open("wb") as file:
        found = write(io.BytesIO(plain), file, level)
    return path.read_bytes(), found


def contents(blob: bytes, items: list[Item]) -> Iterator[tuple[str, bytes]]:
    """Read each file as one who fetches no more than its parts: from a member's beginning on."""
    regular = [item for item in items if item.type == "reg" and item.size]
    for item in regular:
        parts = [one for one in items if one.name == item.name]
        data = b""
        for one in parts:
            assert one.chunk_offset == len(data)
            size = one.chunk_size or item.size - len(data)
            part = zlib.decompressobj(31).decompress(blob[one.offset :], size)
            assert one.chunk_digest == f"sha256:{hashlib.sha256(part).hexdigest()}"
            data += part
        assert (item.size, item.digest) == (len(data), f"sha256:{hashlib.sha256(data).hexdigest()}")
        yield item.name, data


def entries_of(blob: bytes) -> list[Item]:
    """Read the table of contents that the blob's end tells the place of."""
    offset = int(blob[-35:-19], 16)
    with tarfile.open(fileobj=io.BytesIO(gzip.decompress(blob[offset:-51]))) as tar:
        file = tar.extractfile(TABLE)
        assert file is not None
        return msgspec.json.decode(file.read(), type=Table).entries


def test_files_are_found_where_the_table_says_and_are_what_it_says(tmp_path: Path) -> None:
    blob, told = written(archive(), tmp_path / "blob")
    entries = entries_of(blob)

    assert table_digest(tmp_path / "blob") == told.table
    assert dict(contents(blob, entries)) == {"d/f": b"content", "large": LARGE}
    assert [(one.name, one.type) for one in entries] == [
        ("d/", "dir"), ("d/f", "reg"), ("d/empty", "reg"), ("large", "reg"), ("large", "chunk"), ("large", "chunk"),
    ]  # fmt: skip
    assert [one.chunk_size for one in entries[3:]] == [CHUNK_BYTES, CHUNK_BYTES, 0]


def test_who_knows_nothing_of_it_reads_the_same_archive(tmp_path: Path) -> None:
    plain = archive()
    blob, told = written(plain, tmp_path / "blob", 9)
    whole = gzip.decompress(blob)

    assert whole.startswith(plain)
    assert (told.diff_id, told.size_bytes) == (f"sha256:{hashlib.sha256(whole).hexdigest()}", len(whole))
    with tarfile.open(fileobj=io.BytesIO(blob)) as tar:
        assert tar.getnames() == ["d", "d/f", "d/empty", "large"]
    with tarfile.open(fileobj=io.BytesIO(whole[len(plain) :])) as tar:
        assert tar.getnames() == [TABLE]


def test_the_same_archive_is_the_same_blob_however_it_is_read(tmp_path: Path) -> None:
    class Slow(io.BytesIO):
        def read(self, size: int | None = -1, /) -> bytes:
            return super().read(min(size or 0, 1000))

    plain = archive()
    with (tmp_path / "slow").open("wb") as file:
        write(Slow(plain), file)
    assert (tmp_path / "slow").read_bytes() == written(plain, tmp_path / "blob")[0]


def test_what_is_no_file_is_told_of_with_all_that_belongs_to_it(tmp_path: Path) -> None:
    link = Entry(b"l", Kind.SYMLINK, mode=0o777, target=b"d/f", mtime_ns=1_600_000_000_600_000_000)
    more = {
        "link": link,
        "same": Entry(b"same", Kind.HARDLINK, target=b"d/f", xattrs={"user.k": b"\xff"}),
        "device": Entry(b"null", Kind.CHARACTER, mode=0o666, device=(1, 3)),
    }
    blob, _ = written(archive(**more), tmp_path / "blob")

    assert entries_of(blob)[-3:] == [
        Item("l", "symlink", link_name="d/f", mode=0o777, uid=0, gid=0, modtime="2020-09-13T12:26:41Z"),
        Item("same", "hardlink", link_name="d/f", mode=0o644, uid=0, gid=0, xattrs={"user.k": b"\xff"}),
        Item("null", "char", mode=0o666, uid=0, gid=0, dev_major=1, dev_minor=3),
    ]


@pytest.mark.parametrize(
    ("entry", "said"),
    [
        (Entry(TABLE.encode(), Kind.FILE), "a file named stargz.index.json"),
        (Entry(b"./stargz.index.json", Kind.FILE), "a file named stargz.index.json"),
        (Entry(b"caf\xe9", Kind.FILE), "not UTF-8"),
        (Entry(b"late", Kind.FILE, mtime_ns=253_402_300_800 * 10**9), "a time outside the years 1 to 9999.*: late"),
    ],
)
def test_what_cannot_be_told_of_is_refused(entry: Entry, said: str) -> None:
    with pytest.raises(InvalidArgument, match=said):
        write(io.BytesIO(archive(more=entry)), io.BytesIO())


def test_other_blobs_have_no_table(tmp_path: Path) -> None:
    footer = estargz._footer(0)
    for number, blob in enumerate(
        (b"", gzip.compress(archive()), gzip.compress(b"no archive") + footer, footer, estargz._footer(10**6))
    ):
        (tmp_path / str(number)).write_bytes(blob)
        assert table_digest(tmp_path / str(number)) is None


def test_a_small_blob_with_a_huge_table_takes_little_memory(tmp_path: Path) -> None:
    size = 32 << 20
    buffer = io.BytesIO()
    writer = TarWriter(buffer)
    writer.add(Entry(TABLE.encode(), Kind.FILE, size=size), [bytes(size)])
    (tmp_path / "blob").write_bytes(gzip.compress(buffer.getvalue(), 1) + estargz._footer(0))
    expected = f"sha256:{hashlib.sha256(bytes(size)).hexdigest()}"
    tracemalloc.start()
    try:
        assert table_digest(tmp_path / "blob") == expected
        assert tracemalloc.get_traced_memory()[1] < size // 8
    finally:
        tracemalloc.stop()


@pytest.mark.parametrize("place", [b"-000000000000001", b" 0000000000000_1", b"0x00000000000000"])
def test_a_footer_whose_place_is_no_number_is_none(tmp_path: Path, place: bytes) -> None:
    footer = estargz._footer(0).replace(b"0" * 16, place)
    (tmp_path / "blob").write_bytes(gzip.compress(archive()) + footer)

    assert table_digest(tmp_path / "blob") is None


def test_times_have_years_of_four_digits(tmp_path: Path) -> None:
    early = Entry(b"early", Kind.FOLDER, mtime_ns=-62_135_596_800 * 10**9)
    blob, _ = written(archive(early=early), tmp_path / "blob")

    assert entries_of(blob)[-1].modtime == "0001-01-01T00:00:00Z"
