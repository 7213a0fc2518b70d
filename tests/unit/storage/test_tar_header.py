from __future__ import annotations

import pytest

from wharf.storage.tar_entry import Corrupt
from wharf.storage.tar_header import decimal, number, parse_records


def test_records_count_themselves() -> None:
    body = b"12 path=a/b\n" + b"17 mtime=1.5e= x\n"

    assert parse_records(body) == {b"path": b"a/b", b"mtime": b"1.5e= x"}


def test_pairs_of_a_sparse_map_are_gathered() -> None:
    body = b"23 GNU.sparse.offset=0\n" + b"25 GNU.sparse.numbytes=5\n"
    body = body.replace(b"25", b"%d" % len(b"25 GNU.sparse.numbytes=5\n"))

    assert parse_records(body) == {b"GNU.sparse.map": b"0,5"}


@pytest.mark.parametrize(
    "body",
    [
        b"no number=1\n",
        b"0 a=1\n",
        b"3 a=1\n",
        b"99 a=1\n",
        b"6 a=1x",
        b"6 a1x\n",
        b"6 a=1\n" + b"\0" * 30,  # nothing that counts after what is right: it was read again and again
        b"6 a=1\n" + b"x" * 30 + b" ",
        b"6 a=1\n" + b"-1 a=1\n",
    ],
)
def test_what_does_not_count_itself_is_corrupt(body: bytes) -> None:
    with pytest.raises(Corrupt):
        parse_records(body)


def test_numbers_are_octal_or_in_base_256() -> None:
    assert (number(b"0000644\0"), number(b"\x80" + bytes(6) + b"\x05"), number(b" 17 \0")) == (0o644, 5, 0o17)
    with pytest.raises(Corrupt, match="is not a number"):
        number(b"89\0")
    with pytest.raises(Corrupt, match="is not a size"):
        decimal(b"-1")
