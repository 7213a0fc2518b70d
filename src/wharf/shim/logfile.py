"""The container's log in Docker's json-file form, rotated by size.

A record is one line of output with its newline, or a piece of one: what is longer than 16 KiB is cut there, and the
last bytes before the end stand without a newline. A record's time is when its last byte was read.
"""

from __future__ import annotations

import os
import select
import sys
import time

from wharf.lib import light_json
from wharf.lib.stdcopy import STDERR, STDOUT
from wharf.lib.timestamps import rfc3339_nano

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wharf.spec.shim_messages import LogOptions

LONGEST_LINE_BYTES = 16 * 1024
_NAMES = {STDOUT: "stdout", STDERR: "stderr"}


class Lines:
    """Cuts one stream into records."""

    __slots__ = ("_rest",)

    def __init__(self) -> None:
        self._rest = b""

    def feed(self, data: bytes) -> list[bytes]:
        """Return the records that ``data`` completes."""
        *whole, self._rest = _split(self._rest + data)
        return whole

    def flush(self) -> list[bytes]:
        """Return what is left when the stream has ended."""
        rest, self._rest = self._rest, b""
        return [rest] if rest else []


def _split(data: bytes) -> list[bytes]:
    """Return the records in ``data``, and last what does not make one yet (maybe empty)."""
    records, start = [], 0
    while True:
        newline = data.find(b"\n", start, start + LONGEST_LINE_BYTES)
        if newline >= 0:
            end = newline + 1
        elif len(data) - start >= LONGEST_LINE_BYTES:
            end = start + LONGEST_LINE_BYTES
        else:
            records.append(data[start:])
            return records
        records.append(data[start:end])
        start = end


class LogFile:
    """Appends records; a failure to write loses records, never the container.

    What the disk refuses (ENOSPC, EIO) is told once on standard error, which is the shim's own log, and again when
    writing works again.
    """

    __slots__ = (
        "_attrs", "_compress", "_compressing", "_failing", "_fd", "_files", "_lines", "_max_bytes", "_path", "_size",
    )  # fmt: skip

    def __init__(self, options: LogOptions) -> None:
        """Open, or make, the file.

        Raises:
            OSError: with the path.
        """
        self._path = options["path"]
        self._max_bytes = options.get("max_size_bytes", 0)
        self._files = max(1, options.get("max_files", 1))
        self._lines = {STDOUT: Lines(), STDERR: Lines()}
        self._compress = options.get("compress", False)
        self._compressing = -1  # descriptor of the process that compresses, while it runs
        attrs = options.get("attrs")
        self._attrs = f',"attrs":{light_json.dumps(attrs)}' if attrs else ""
        self._failing = False
        self._fd = -1
        self._size = 0
        self._open()

    def write(self, stream: int, data: bytes) -> None:
        """Log what was read from ``stream``."""
        self._append(stream, self._lines[stream].feed(data))

    def end(self, stream: int) -> None:
        """Log what is left of ``stream``, which has ended."""
        self._append(stream, self._lines[stream].flush())

    def close(self) -> None:
        """Log what is left and close the file; idempotent."""
        if self._fd < 0:
            return
        for stream in self._lines:
            self.end(stream)
        os.close(self._fd)
        self._fd = -1

    def _append(self, stream: int, records: list[bytes]) -> None:
        if not records:
            return
        tail = f',"stream":"{_NAMES[stream]}"{self._attrs},"time":"{rfc3339_nano(time.time_ns())}"}}\n'
        documents = [f'{{"log":{_quote(record)}{tail}'.encode() for record in records]
        try:
            for batch in self._batches(documents):
                self._write_all(batch)
        except OSError as error:
            self._failed(error)
        else:
            self._failing = False

    def _batches(self, documents: list[bytes]) -> Iterator[bytes]:
        """Give what goes out in one write each, rotating the file in between."""
        if not self._max_bytes:
            yield b"".join(documents)
            return
        for document in documents:
            if self._size >= self._max_bytes and not self._busy():
                self._rotate()
            yield document

    def _write_all(self, data: bytes) -> None:
        view = memoryview(data)
        while view:
            written = os.write(self._fd, view)
            self._size += written
            view = view[written:]

    def _rotate(self) -> None:
        for number in range(self._files - 1, 0, -1):
            source = self._path if number == 1 else f"{self._path}.{number - 1}"
            for kind, other in (("", ".gz"), (".gz", "")):
                if os.path.exists(source + kind):
                    os.rename(source + kind, f"{self._path}.{number}{kind}")
                    _remove(f"{self._path}.{number}{other}")
        old = self._fd
        self._open(os.O_TRUNC)
        os.close(old)
        if self._compress and self._files > 1:
            self._start_compressing(f"{self._path}.1")

    def _busy(self) -> bool:
        """Return whether the last rotated part is still being compressed: it must keep its name until then."""
        if self._compressing < 0:
            return False
        poll = select.poll()
        poll.register(self._compressing, select.POLLIN)
        if not poll.poll(0):
            return True
        os.close(self._compressing)
        self._compressing = -1
        return False

    def _start_compressing(self, path: str) -> None:
        """Compress in a child, which gives its memory back when it is done. The shim's own loop reaps it."""
        child = os.fork()
        if child == 0:
            code = 1
            try:
                os.closerange(3, 1 << 16)  # above all the lock that says a shim lives
                compress(path)
                code = 0
            finally:
                os._exit(code)
        try:
            self._compressing = os.pidfd_open(child)
        except OSError:  # it was quick
            self._compressing = -1

    def _open(self, extra: int = 0) -> None:
        flags = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
        self._fd = os.open(self._path, flags | extra, 0o640)
        self._size = os.fstat(self._fd).st_size

    def _failed(self, error: OSError) -> None:
        if not self._failing:
            sys.stderr.write(f"cannot write the log: {error}\n")
            sys.stderr.flush()
        self._failing = True


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def compress(path: str) -> None:
    """Replace a file by its compressed form, ``path`` with .gz; for a moment there are both."""
    import gzip  # noqa: PLC0415  # heavy, and only in a child that ends

    temporary = f"{path}.gz.part"
    with open(path, "rb") as source, gzip.open(temporary, "wb", 6) as target:
        while data := source.read(1 << 18):
            target.write(data)
    os.chmod(temporary, 0o640)
    os.rename(temporary, f"{path}.gz")
    os.unlink(path)


def _quote(record: bytes) -> str:
    """Return ``record`` as a JSON string; bytes that are not UTF-8 become U+FFFD, as Docker does it."""
    return light_json.quote(record.decode("utf-8", "replace"))
