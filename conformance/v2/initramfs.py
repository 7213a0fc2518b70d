"""An initramfs: a cpio archive in the new format (kernel docs, "initramfs buffer format"), and what goes into it."""

from __future__ import annotations

import os
import re
import stat
import subprocess
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import BinaryIO

_ALIGNMENT = 4
_LEFT_OUT = {"__pycache__", "test", "tests", "idlelib", "tkinter", "turtledemo", "ensurepip", "lib2to3", "config"}


class Archive:
    """Writes entries; parents of a path are made by themselves."""

    def __init__(self, out: BinaryIO) -> None:
        self._out = out
        self._number = 0
        self._known: set[str] = {"/"}

    def add(self, path: str, mode: int, content: bytes = b"", *, device: tuple[int, int] = (0, 0)) -> None:
        """Add one entry; ``mode`` has its type. A path that is there already stays as it is."""
        if path in self._known:
            return
        self.add(os.path.dirname(path) or "/", stat.S_IFDIR | 0o755)
        self._known.add(path)
        self._write(path.lstrip("/"), mode, content, device)

    def copy(self, path: Path) -> None:
        """Add a file, a folder or a symlink of this machine under its own name; what a link leads to as well."""
        status = path.lstat()
        if stat.S_ISLNK(status.st_mode):
            target = os.readlink(path)
            self.add(str(path), status.st_mode, target.encode())
            self.copy(path.parent / target)
        elif stat.S_ISREG(status.st_mode):
            self.add(str(path), status.st_mode, path.read_bytes())
        else:
            self.add(str(path), status.st_mode)

    def end(self) -> None:
        """Write the trailer."""
        self._write("TRAILER!!!", 0, b"", (0, 0))

    def _write(self, name: str, mode: int, content: bytes, device: tuple[int, int]) -> None:
        self._number += 1
        text = name.encode() + b"\0"
        numbers = (self._number, mode, 0, 0, 1, 0, len(content), 0, 0, *device, len(text), 0)
        head = b"070701" + b"".join(b"%08X" % number for number in numbers)
        self._out.write(_padded(head + text) + _padded(content))


def _padded(data: bytes) -> bytes:
    return data + b"\0" * (-len(data) % _ALIGNMENT)


def tree(top: Path, *, leave_out: Iterable[str] = _LEFT_OUT) -> Iterator[Path]:
    """Yield the files and links below ``top``; not those in folders of certain names."""
    names = set(leave_out)
    for folder, folders, files in os.walk(top):
        folders[:] = sorted(name for name in folders if name not in names and not name.startswith("config-"))
        yield from (Path(folder, name) for name in sorted(files))


def libraries(programs: Iterable[Path]) -> set[Path]:
    """Return the shared libraries that programs and modules need (ldd(1)), with the loader."""
    found: set[Path] = set()
    for program in programs:
        done = subprocess.run(["ldd", program], capture_output=True, text=True, check=False)
        found |= {Path(path) for path in re.findall(r"(/\S+) \(0x", done.stdout)}
    return found


def kernel_modules(folder: Path, wanted: Sequence[str]) -> list[Path]:
    """Return the files of modules, each after those it depends on (its own "depends=")."""
    files = {path.stem.replace("-", "_"): path for path in folder.rglob("*.ko")}
    ordered: list[Path] = []

    def take(name: str) -> None:
        path = files[name]
        match = re.search(rb"\0depends=([^\0]*)\0", path.read_bytes())
        for needed in match[1].decode().split(",") if match and match[1] else ():
            take(needed.replace("-", "_"))
        if path not in ordered:
            ordered.append(path)

    for name in wanted:
        take(name)
    return ordered
