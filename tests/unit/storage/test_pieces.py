from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from wharf.errors import DataLoss
from wharf.storage.pieces import pieces


def _read(path: Path, start: int, end: int) -> list[bytes]:
    async def body() -> list[bytes]:
        return [piece async for piece in pieces(path, start, end, size=3)]

    return asyncio.run(body())


def test_a_part_of_a_file_comes_in_pieces(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"0123456789")
    assert _read(tmp_path / "f", 2, 9) == [b"234", b"567", b"8"]
    assert _read(tmp_path / "f", 4, 4) == []


def test_a_file_that_is_shorter_than_it_was_is_told_of(tmp_path: Path) -> None:
    (tmp_path / "f").write_bytes(b"01")
    with pytest.raises(DataLoss, match="became shorter"):
        _read(tmp_path / "f", 0, 5)
