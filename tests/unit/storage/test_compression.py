from __future__ import annotations

import io
import random

import pytest

from wharf.storage.compression import Compressing, Decompressed, compressor

# Long runs of one byte: what is made of them must not depend on where reads end.
PLAIN = bytes(900_000) + bytes(range(251)) * 3000 + b"end"


class Irregular:
    """Gives as much as a pipe happens to have."""

    def __init__(self, data: bytes, seed: int) -> None:
        self._file = io.BytesIO(data)
        self._random = random.Random(seed)

    def read(self, size: int, /) -> bytes:
        return self._file.read(self._random.randint(1, size))


@pytest.mark.parametrize(("kind", "level"), [("gzip", None), ("gzip", 6), ("zstd", None), ("", None)])
def test_the_same_bytes_are_the_same_compressed_however_they_come(kind: str, level: int | None) -> None:
    made = set()
    for seed in range(4):
        out = io.BytesIO()
        stream = Compressing(Irregular(PLAIN, seed), out, compressor(kind, level))
        while stream.read(1 << 18):
            pass
        stream.finish()
        made.add(out.getvalue())
    assert len(made) == 1

    plain = Decompressed(io.BytesIO(made.pop()))
    assert (b"".join(iter(lambda: plain.read(1 << 20), b"")), plain.compression) == (PLAIN, kind)
