"""Where files are read; the only edge of loading that touches a disk."""

from __future__ import annotations

import os
import sys
from collections.abc import Callable
from typing import Protocol

from wharf.compose.load.located import ComposeError

MAX_BYTES = 16 * 1024 * 1024
"""A larger file is no Compose file."""


class Files(Protocol):
    """Texts by absolute path."""

    def read(self, path: str) -> str | None:
        """Return the text of a file, None where there is none.

        Raises:
            ComposeError: it cannot be read.
        """
        ...

    def bring(self, name: str) -> str | None:
        """Return the path of the copy of what is elsewhere (``oci://``, git); None for a file of this machine.

        Raises:
            WharfError: it cannot be had.
        """
        ...


class DiskFiles:
    """Files on this machine; ``-`` is standard input."""

    def __init__(self, bring: Callable[[str], str | None] = lambda _: None) -> None:
        """Prepare; ``bring`` fetches what is elsewhere."""
        self._stdin: str | None = None
        self._bring = bring

    def bring(self, name: str) -> str | None:
        """Return the path of the copy of what is elsewhere; None where it is a file of this machine."""
        return self._bring(name)

    def read(self, path: str) -> str | None:
        """Return the text of a file, None where there is none."""
        if path == "-":
            if self._stdin is None:
                self._stdin = sys.stdin.read(MAX_BYTES)
            return self._stdin
        try:
            with open(path, "rb") as file:
                data = file.read(MAX_BYTES + 1)
        except (FileNotFoundError, NotADirectoryError):
            return None
        except OSError as error:
            raise ComposeError(f"read {path}: {(error.strerror or str(error)).lower()}") from error
        if len(data) > MAX_BYTES:
            raise ComposeError(f"{path}: larger than {MAX_BYTES // 1024**2} MiB")
        try:
            return data.decode("utf-8")
        except UnicodeDecodeError as error:
            raise ComposeError(f"{path}: not UTF-8 at byte {error.start}") from error


def absolute(path: str, base: str) -> str:
    """Return ``path`` below ``base``, a leading ``~`` replaced by the user's home."""
    if path == "~" or path.startswith("~/"):
        path = os.path.expanduser(path)
    return os.path.normpath(os.path.join(base, path))
