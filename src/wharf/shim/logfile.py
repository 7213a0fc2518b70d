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
from wharf.spec import log_parts
from wharf.spec.log_parts import COMPRESSED

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.spec.shim_messages import LogOptions

LONGEST_LINE_BYTES = 16 * 1024
_FLAGS = os.O_WRONLY | os.O_APPEND | os.O_CREAT | os.O_CLOEXEC | os.O_NOFOLLOW
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
    """Appends records, and says when to read no more.

    What the disk refuses (ENOSPC, EIO) is told once on standard error, which is the shim's own log, and again when
    writing works again. Where the log is only kept (json-file, local) such records are lost, never the container.
    Where it is delivered elsewhere and the container is to wait for that (``waits``), they stay here and ``held`` is
    set, as it is when the next rotation would remove a part that has not been delivered: until :meth:`look` finds
    that it goes on, whoever has ``held`` seen reads no more. What was read before is written all the same.
    """

    __slots__ = (
        "_attrs", "_compress", "_compressing", "_cursor", "_failing", "_fd", "_files", "_lines", "_max_bytes",
        "_midway", "_owed", "_path", "_size", "_waits", "held", "logged",
    )  # fmt: skip

    def __init__(self, options: LogOptions) -> None:
        """Open, or make, the file.

        Raises:
            OSError: with the path.
        """
        self._path = options["path"]
        self._max_bytes = options.get("max_size_bytes", 0)
        self._files = max(1, options.get("max_files", 1))
        self._cursor = options.get("cursor", "")
        self._waits = options.get("waits", False)
        self._lines = {STDOUT: Lines(), STDERR: Lines()}
        self._compress = options.get("compress", False)
        self._compressing = -1  # descriptor of the process that compresses, while it runs
        attrs = options.get("attrs")
        self._attrs = f',"attrs":{light_json.dumps(attrs)}' if attrs else ""
        self._failing = False
        self._owed = bytearray()  # records that are not written yet
        self._midway = False  # a part of the first one is
        self.held = False
        self.logged = False  # whether there has been a record
        self._fd = os.open(self._path, _FLAGS, 0o640)
        self._size = os.fstat(self._fd).st_size
        if self._waits and self._full:
            self._turn()

    def write(self, stream: int, data: bytes) -> None:
        """Log what was read from ``stream``."""
        self._append(stream, self._lines[stream].feed(data))

    def end(self, stream: int) -> None:
        """Log what is left of ``stream``, which has ended."""
        self._append(stream, self._lines[stream].flush())

    def look(self) -> None:
        """Try again what could not be done; ``held`` says how it went."""
        if self.held:
            self.held = False
            self._tried(self._go_on)

    def close(self) -> None:
        """Log what is left and close the file; idempotent."""
        if self._fd < 0:
            return
        for stream in self._lines:
            self.end(stream)
        self.held = False
        os.close(self._fd)
        self._fd = -1

    def _append(self, stream: int, records: list[bytes]) -> None:
        if not records:
            return
        self.logged = True
        tail = f',"stream":"{_NAMES[stream]}"{self._attrs},"time":"{rfc3339_nano(time.time_ns())}"}}\n'
        for record in records:
            self._owed += f'{{"log":{_quote(record)}{tail}'.encode()
        self._tried(self._flush)

    def _tried(self, do: Callable[[], None]) -> None:
        try:
            do()
        except OSError as error:
            self._failed(error)
            if self._waits:
                self.held = True
            else:
                self._owed.clear()
        else:
            self._failing = False

    def _go_on(self) -> None:
        if self._full and not self._midway:
            self._turn()
        self._flush()

    def _flush(self) -> None:
        """Write what is owed, rotating the file in between."""
        while self._owed:
            if self._full and not self._midway and not self.held:
                self._turn()
            end = self._room()
            written = os.write(self._fd, self._owed[:end])
            self._size += written
            self._midway = written < end
            del self._owed[:written]

    @property
    def _full(self) -> bool:
        return 0 < self._max_bytes <= self._size

    def _room(self) -> int:
        """Return how much goes out in one write: whole records, and of those that reach the limit the first."""
        if not self._max_bytes or self._full:
            return len(self._owed)
        last = self._owed.find(b"\n", self._max_bytes - self._size - 1)
        return last + 1 or len(self._owed)

    def _turn(self) -> None:
        """Rotate, or note that it must wait."""
        if self._busy():
            return
        if self._waits and not self._may_drop():
            self.held = True
        else:
            self._rotate()

    def _may_drop(self) -> bool:
        """Return whether all that a rotation removes has been delivered."""
        parts = log_parts.find(self._path)
        dropped = sum(part.number >= self._files - 1 for part in parts)
        return dropped == 0 or log_parts.delivered(parts, log_parts.read_position(self._cursor)) >= dropped

    def _rotate(self) -> None:
        draft = f"{self._path}.next"
        fd = self._make(draft)
        try:
            for number in range(self._files - 1, 0, -1):
                self._age(self._path if number == 1 else f"{self._path}.{number - 1}", number)
            os.rename(draft, self._path)
        except OSError:
            os.close(fd)
            raise
        os.close(self._fd)
        self._fd, self._size = fd, 0
        if self._compress and self._files > 1:
            self._start_compressing(f"{self._path}.1")

    def _age(self, source: str, number: int) -> None:
        for kind, other in (("", COMPRESSED), (COMPRESSED, "")):
            if os.path.exists(source + kind):
                os.rename(source + kind, f"{self._path}.{number}{kind}")
                _remove(f"{self._path}.{number}{other}")

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

    def _make(self, path: str) -> int:
        """Return an empty file, to be written to from its end on.

        It never has the inode that the cursor names: what that was in may be gone, and who goes on from there would
        take the new file for it.
        """
        fd = os.open(path, _FLAGS | os.O_TRUNC, 0o640)
        position = log_parts.read_position(self._cursor) if self._cursor else None
        if position is None or position[0] != os.fstat(fd).st_ino:
            return fd
        os.unlink(path)
        another = os.open(path, _FLAGS, 0o640)  # while that one is still there
        os.close(fd)
        return another

    def _failed(self, error: OSError) -> None:
        if not self._failing:
            sys.stderr.write(f"cannot write the log: {error}\n")
            sys.stderr.flush()
        self._failing = True


def _remove(path: str) -> None:
    if os.path.exists(path):
        os.unlink(path)


def compress(path: str) -> None:
    """Replace a part by its compressed form, ``path`` with .gz; for a moment there are both (spec/log_parts.py)."""
    import gzip  # noqa: PLC0415  # heavy, and only in a child that ends

    temporary = f"{path}.gz.part"
    with open(path, "rb") as source, open(temporary, "wb") as file:
        inode = os.fstat(source.fileno()).st_ino
        with gzip.GzipFile(str(inode), "wb", 6, file) as target:
            while data := source.read(1 << 18):
                target.write(data)
    os.chmod(temporary, 0o640)
    os.rename(temporary, f"{path}.gz")
    os.unlink(path)


def _quote(record: bytes) -> str:
    """Return ``record`` as a JSON string; bytes that are not UTF-8 become U+FFFD, as Docker does it."""
    return light_json.quote(record.decode("utf-8", "replace"))
