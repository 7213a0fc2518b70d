"""Streams that decompress what they read, recognised by their first bytes; memory stays bounded whatever comes in."""

from __future__ import annotations

import bz2
import hashlib
import io
import lzma
import zlib
from collections.abc import Callable
from typing import TYPE_CHECKING, Final, Protocol, cast

from wharf.lib.digest import Digest
from wharf.storage.tar_entry import Corrupt
from wharf.storage.tar_reader import Source

if TYPE_CHECKING:
    import zstandard

_CHUNK: Final = 256 * 1024
_ZSTD_WINDOW: Final = 128 * 1024 * 1024
_ZSTD_SLICE: Final = 1024
"""Input at a time: four bytes can stand for a block of 128 KiB, so this bounds the output to 32 MiB."""
_GZIP_LEVEL: Final = 1
_GZIP_FORMAT: Final = 31  # zlib's wbits: the largest window, in gzip's container
_FAILURES: Final = (EOFError, OSError, zlib.error, lzma.LZMAError)


class _Sink(Protocol):
    def write(self, data: bytes, /) -> object: ...


class Compressed(io.RawIOBase):
    """The stored side of a stream: looks at its first bytes, copies everything that is read to ``copy``."""

    def __init__(self, source: Source, copy: _Sink | None) -> None:
        self._source = source
        self._copy = copy
        self._head = b""
        self.failure: BaseException | None = None
        """What the source raised: not the archive's fault, so it is not reported as corruption."""

    def peek(self, size: int) -> bytes:
        """Return the first ``size`` bytes, fewer at the end, without taking them."""
        while len(self._head) < size and (data := self._pull(_CHUNK)):
            self._head += data
        return self._head[:size]

    def read(self, size: int = -1, /) -> bytes:
        """Return at most ``size`` bytes, or a chunk of any length when it is negative."""
        wanted = size if size >= 0 else _CHUNK
        if self._head:
            data, self._head = self._head[:wanted], self._head[wanted:]
            return data
        return self._pull(wanted)

    def readable(self) -> bool:
        """Return True: the decompressors ask."""
        return True

    def readinto(self, buffer: memoryview, /) -> int:  # type: ignore[override]  # any writable buffer is one
        """Fill ``buffer`` and return how many bytes that took."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def _pull(self, size: int) -> bytes:
        try:
            data = self._source.read(size)
        except BaseException as error:
            self.failure = error
            raise
        if self._copy is not None and data:
            self._copy.write(data)
        return data


def compression_of(stored: Compressed) -> str:
    """Return "gzip", "zstd", "bzip2", "xz", or "" for anything else."""
    return _recognise(stored.peek(6))[0]


class Decompressed:
    """The plain side: what a tar reader reads; knows its digest (the diff id) and its size when all is read."""

    def __init__(self, source: Source, copy: _Sink | None = None, *, limit: int | None = None) -> None:
        """Begin a stream.

        Args:
            source: the bytes as they are stored or sent.
            copy: gets exactly those bytes as they are read.
            limit: bytes of plain content beyond which the stream is refused.
        """
        self._stored = Compressed(source, copy)
        self.compression, opener = _recognise(self._stored.peek(6))
        """"", "gzip", "zstd", "bzip2" or "xz"."""
        self._plain, failure = opener(self._stored)
        self._failures = (*_FAILURES, failure)
        self._hash: hashlib._Hash | None = hashlib.sha256()
        self._limit = limit
        self.size = 0

    def leave_unhashed(self) -> None:
        """Spare the work of a digest that nobody will ask for; before the first read."""
        self._hash = None

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes of plain content.

        Raises:
            Corrupt: the compressed stream is damaged or cut short, or the content is larger than the limit.
        """
        try:
            data = self._plain.read(size)
        except self._failures as error:
            if self._stored.failure is not None:
                raise
            raise Corrupt(f"corrupt archive: damaged {self.compression} stream: {error}") from error
        if self._hash is not None:
            self._hash.update(data)
        self.size += len(data)
        if self._limit is not None and self.size > self._limit:
            raise Corrupt(f"archive holds more than {self._limit} bytes")
        return data

    def drain(self) -> None:
        """Read to the end, so that both digests count everything that is stored."""
        while self.read(_CHUNK):
            pass
        while self._stored.read(_CHUNK):
            pass

    @property
    def digest(self) -> Digest:
        """The digest of the plain bytes read so far."""
        assert self._hash is not None, "it was told that nobody would ask"
        return Digest(f"sha256:{self._hash.hexdigest()}")


class Compressor(Protocol):
    """Compresses a stream, piece by piece."""

    def compress(self, data: bytes, /) -> bytes:
        """Take some plain bytes; return what is ready of the compressed ones."""

    def flush(self) -> bytes:
        """Return the rest."""


class _Stored:
    """Leaves everything as it is."""

    def compress(self, data: bytes, /) -> bytes:
        return data

    def flush(self) -> bytes:
        return b""


def compressor(kind: str = "gzip", level: int | None = None) -> Compressor:
    """Return a compressor; the same input gives the same bytes.

    Args:
        kind: "gzip", "zstd", or "" to leave bytes as they are.
        level: gzip's 0 to 9, zstd's 1 to 22; None for a fast one.
    """
    if kind == "zstd":
        import zstandard  # noqa: PLC0415  # memory: see _gzip

        return zstandard.ZstdCompressor(level=3 if level is None else level).compressobj()
    if not kind:
        return _Stored()
    if level is not None:
        return zlib.compressobj(level, zlib.DEFLATED, _GZIP_FORMAT)
    from isal import isal_zlib  # noqa: PLC0415  # memory: see _gzip

    return _Steady(cast("Compressor", isal_zlib.compressobj(level=_GZIP_LEVEL, wbits=_GZIP_FORMAT)))


class _Steady:
    """Hands bytes on in blocks of one size: what isal makes of them depends on how they come."""

    def __init__(self, compressor: Compressor) -> None:
        self._compressor = compressor
        self._pending = bytearray()

    def compress(self, data: bytes, /) -> bytes:
        """Take some plain bytes; return what is ready of the compressed ones."""
        if not self._pending and len(data) == _CHUNK:
            return self._compressor.compress(data)
        self._pending += data
        out = b""
        while len(self._pending) >= _CHUNK:
            out += self._compressor.compress(bytes(self._pending[:_CHUNK]))
            del self._pending[:_CHUNK]
        return out

    def flush(self) -> bytes:
        """Return the rest."""
        return self._compressor.compress(bytes(self._pending)) + self._compressor.flush()


class Compressing:
    """A plain stream that is read, and compressed into ``copy`` on the way (the same input, the same bytes)."""

    def __init__(self, source: Source, copy: _Sink, into: Compressor | None = None) -> None:
        """Begin a stream; ``into`` is gzip unless told otherwise."""
        self._source = source
        self._copy = copy
        self._compressor = into or compressor()

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` plain bytes."""
        data = self._source.read(size)
        if data and (stored := self._compressor.compress(data)):
            self._copy.write(stored)
        return data

    def finish(self) -> None:
        """Write what is left of the compressed stream; once, when all has been read."""
        self._copy.write(self._compressor.flush())


_Opener = Callable[[Compressed], tuple[Source, type[Exception]]]
"""Returns the plain stream, and what its library raises besides the usual when the stored one is damaged."""


def _gzip(stored: Compressed) -> tuple[Source, type[Exception]]:
    # Loaded when there is something to decompress: an engine that only runs containers does not carry them.
    from isal import igzip, igzip_lib  # noqa: PLC0415

    plain = igzip.IGzipFile(fileobj=stored, mode="rb")  # type: ignore[no-untyped-call]  # untyped
    return cast("Source", plain), cast("type[Exception]", igzip_lib.IsalError)  # its stub calls it an instance


class _Zstd:
    """Frame after frame. zstandard's own reader ends quietly where its input is cut short, so it is not used."""

    def __init__(self, stored: Compressed) -> None:
        import zstandard  # noqa: PLC0415  # memory: see _gzip

        self.failure = zstandard.ZstdError
        self._stored = stored
        self._decompressor = zstandard.ZstdDecompressor(max_window_size=_ZSTD_WINDOW)
        self._frame: zstandard.ZstdDecompressionObj | None = None
        self._input = b""
        self._output = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; ZstdError for a damaged stream, EOFError for one cut short."""
        while not self._output and self._advance():
            pass
        data, self._output = bytes(self._output[:size]), self._output[size:]
        return data

    def _advance(self) -> bool:
        data = self._input or self._stored.read(_ZSTD_SLICE)
        self._input = b""
        if not data:
            if self._frame is not None:
                raise EOFError("it ends before the end of its frame")
            return False
        if self._frame is None:
            self._frame = self._decompressor.decompressobj()
        self._output = memoryview(self._frame.decompress(data))
        if self._frame.eof:
            self._input = self._frame.unused_data
            self._frame = None
        return True


def _zstd(stored: Compressed) -> tuple[Source, type[Exception]]:
    plain = _Zstd(stored)
    return plain, plain.failure


def _bzip2(stored: Compressed) -> tuple[Source, type[Exception]]:
    return bz2.BZ2File(cast("io.BufferedReader", stored)), OSError


def _xz(stored: Compressed) -> tuple[Source, type[Exception]]:
    return lzma.LZMAFile(cast("io.BufferedReader", stored)), lzma.LZMAError


def _plain(stored: Compressed) -> tuple[Source, type[Exception]]:
    return stored, OSError


_MAGIC: Final[tuple[tuple[bytes, str, _Opener], ...]] = (
    (b"\x1f\x8b", "gzip", _gzip),
    (b"\x28\xb5\x2f\xfd", "zstd", _zstd),
    (b"BZh", "bzip2", _bzip2),
    (b"\xfd7zXZ\x00", "xz", _xz),
)


def _recognise(head: bytes) -> tuple[str, _Opener]:
    for magic, name, opener in _MAGIC:
        if head.startswith(magic):
            return name, opener
    return "", _plain
