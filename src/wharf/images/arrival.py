"""A layer as it comes from a registry: what an earlier attempt has left, then the rest; kept and verified."""

from __future__ import annotations

from wharf.errors import DataLoss, InvalidArgument
from wharf.lib.digest import Digest
from wharf.storage.content import Writer
from wharf.storage.tar_reader import Source

_CHUNK = 1024 * 1024


class Arriving:
    """The stored bytes of a download, as a source; every byte that comes is kept before it is given on."""

    def __init__(self, writer: Writer, rest: Source) -> None:
        self._writer = writer
        self._earlier = writer.replay()
        self._rest = rest
        self._head = memoryview(b"")

    def read(self, size: int, /) -> bytes:
        """Return at most ``size`` bytes; none at the end."""
        if not self._head:
            self._head = memoryview(next(self._earlier, b""))
        if self._head:
            data, self._head = bytes(self._head[:size]), self._head[size:]
            return data
        data = self._rest.read(size)
        if data:
            self._writer.write(data)
        return data

    def verify(self, digest: Digest, size: int) -> None:
        """Read to the end, and check what has come.

        Raises:
            DataLoss: it is something else than what was asked for.
        """
        while self.read(_CHUNK):
            pass
        if self._writer.digest != digest or self._writer.size != size:
            raise DataLoss(
                f"filesystem layer verification failed for digest {digest}: "
                f"the registry sent {self._writer.size} bytes of digest {self._writer.digest}"
            )


def blame(arriving: Arriving, digest: Digest, size: int, error: InvalidArgument) -> Exception:
    """Return what is to be said of an archive that cannot be read: it was damaged on its way, or is so by itself."""
    try:
        arriving.verify(digest, size)
    except DataLoss as damaged:
        return damaged
    return error
