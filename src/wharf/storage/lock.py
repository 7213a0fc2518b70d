"""One engine a data root: a lock (flock(2)) on ``engine.lock`` that the kernel drops with its holder."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path
from types import TracebackType
from typing import Self

from wharf.errors import Conflict


class EngineLock:
    """The lock, held from construction to :meth:`close`; the file stays and names the last holder."""

    def __init__(self, path: Path) -> None:
        """Take the lock without waiting.

        Raises:
            Conflict: another engine holds it; the message has its process id.
        """
        self._fd = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        try:
            fcntl.flock(self._fd, fcntl.LOCK_EX | fcntl.LOCK_NB)
            os.ftruncate(self._fd, 0)
            os.pwrite(self._fd, f"{os.getpid()}\n".encode(), 0)
        except BlockingIOError:
            holder = os.pread(self._fd, 32, 0).decode("ascii", "replace").strip() or "unknown"
            os.close(self._fd)
            raise Conflict(f"{path.parent} is in use by another engine (process {holder})") from None
        except BaseException:
            os.close(self._fd)
            raise

    def close(self) -> None:
        """Let go; idempotent."""
        if self._fd >= 0:
            os.close(self._fd)
            self._fd = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()
