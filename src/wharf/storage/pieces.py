"""A file's bytes, piece by piece, on the event loop: no descriptor is open between two pieces."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Final

from wharf.errors import DataLoss

PIECE_BYTES: Final = 1 << 20


async def pieces(path: Path, start: int, end: int, *, size: int = PIECE_BYTES) -> AsyncIterator[bytes]:
    """Yield the bytes from ``start`` to before ``end``, ``size`` at most at a time.

    Raises:
        DataLoss: the file ends earlier.
    """
    at = start
    while at < end:
        data = await asyncio.to_thread(_read, path, at, min(size, end - at))
        if not data:
            raise DataLoss(f"{path} became shorter while it was read")
        at += len(data)
        yield data


def _read(path: Path, at: int, size: int) -> bytes:
    with path.open("rb", buffering=0) as file:
        file.seek(at)
        return file.read(size)
