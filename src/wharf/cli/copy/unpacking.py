"""A container's archive into local files. The container wrote it: nothing of it may lead out of the destination.

Every folder is opened from the one above it and never through a symlink, so neither an entry's name nor a symlink
that the archive itself brought leads anywhere else (as in CVE-2019-14271 and its kind).
"""

from __future__ import annotations

import io
import os
import stat
import tarfile
from contextlib import suppress
from typing import cast

from wharf.cli.copy.rules import rename
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import IO

    from wharf.cli.copy.rules import Plan

_FOLDER = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC
_NEW = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_CHUNK = 1 << 18


class Chunks(io.RawIOBase):
    """Chunks as a file to read from; ``size`` counts what has come."""

    def __init__(self, chunks: Iterable[bytes]) -> None:
        super().__init__()
        self._chunks = iter(chunks)
        self._rest = b""
        self.size = 0

    def read(self, size: int = -1, /) -> bytes:
        """Return ``size`` bytes, fewer at the end only; all of them when it is negative."""
        while size < 0 or len(self._rest) < size:
            chunk = next(self._chunks, b"")
            if not chunk:
                break
            self.size += len(chunk)
            self._rest += chunk
        end = len(self._rest) if size < 0 else size
        data, self._rest = self._rest[:end], self._rest[end:]
        return data


def unpack(source: Chunks, plan: Plan, *, owners: bool) -> None:
    """Unpack an archive into ``plan.folder``.

    Args:
        source: the archive.
        plan: where to, and what its first name becomes.
        owners: give files to whom the archive names, which takes root; else they are the caller's.

    Raises:
        InvalidArgument: the archive is damaged, leads out of the folder, or would put a folder in a file's place.
    """
    top = os.open(plan.folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    times: list[tuple[list[str], float]] = []
    try:
        with tarfile.open(fileobj=cast("IO[bytes]", source), mode="r|") as archive:
            for entry in archive:
                parts = _parts(rename(entry.name, plan.old, plan.new))
                _place(top, parts, entry, archive.extractfile(entry) if entry.isreg() else None, plan, owners=owners)
                if entry.isdir():
                    times.append((parts, entry.mtime))
        for parts, mtime in reversed(times):
            with suppress(OSError):  # a later entry has taken its place
                _touch_folder(top, parts, mtime)
    except tarfile.TarError as error:
        raise InvalidArgument(f"the container's archive is damaged: {error}") from error
    except OSError as error:
        raise InvalidArgument(f"{plan.folder}: {(error.strerror or str(error)).lower()}") from error
    finally:
        os.close(top)


def _parts(name: str) -> list[str]:
    parts = [part for part in name.split("/") if part not in ("", ".")]
    if ".." in parts:
        raise InvalidArgument(f"the container's archive leads out of the destination: {name!r}")
    return parts


def _open(top: int, parts: list[str]) -> int:
    fd = os.dup(top)
    for part in parts:
        try:
            inner = os.open(part, _FOLDER, dir_fd=fd)
        finally:
            os.close(fd)
        fd = inner
    return fd


def _place(
    top: int,
    parts: list[str],
    entry: tarfile.TarInfo,
    content: IO[bytes] | None,
    plan: Plan,
    *,
    owners: bool,
) -> None:
    if not parts:
        return  # the destination itself, which stays as it is
    folder = _open(top, parts[:-1])
    try:
        _make_room(folder, parts[-1], entry)
        if entry.isdir():
            with suppress(FileExistsError):
                os.mkdir(parts[-1], 0o700, dir_fd=folder)
        elif entry.issym():
            os.symlink(entry.linkname, parts[-1], dir_fd=folder)
        elif entry.islnk():
            _link(top, folder, parts[-1], _parts(rename(entry.linkname, plan.old, plan.new)))
            return
        elif content is not None:
            _write(folder, parts[-1], content)
        else:
            device = os.makedev(entry.devmajor, entry.devminor)
            os.mknod(parts[-1], _KINDS.get(entry.type, stat.S_IFIFO) | 0o600, device, dir_fd=folder)
        _dress(folder, parts[-1], entry, owners=owners)
    finally:
        os.close(folder)


_KINDS = {tarfile.CHRTYPE: stat.S_IFCHR, tarfile.BLKTYPE: stat.S_IFBLK, tarfile.FIFOTYPE: stat.S_IFIFO}


def _make_room(folder: int, name: str, entry: tarfile.TarInfo) -> None:
    try:
        mode = os.stat(name, dir_fd=folder, follow_symlinks=False).st_mode
    except FileNotFoundError:
        return
    if stat.S_ISDIR(mode) != entry.isdir():
        kinds = ("directory", "non-directory") if stat.S_ISDIR(mode) else ("non-directory", "directory")
        raise InvalidArgument(f'cannot overwrite {kinds[0]} "{name}" with {kinds[1]} "{entry.name}"')
    if not stat.S_ISDIR(mode):
        os.unlink(name, dir_fd=folder)


def _link(top: int, folder: int, name: str, target: list[str]) -> None:
    source = _open(top, target[:-1])
    try:
        os.link(target[-1], name, src_dir_fd=source, dst_dir_fd=folder, follow_symlinks=False)
    finally:
        os.close(source)


def _write(folder: int, name: str, content: IO[bytes]) -> None:
    with os.fdopen(os.open(name, _NEW, 0o600, dir_fd=folder), "wb", buffering=0) as file:
        while data := content.read(_CHUNK):
            file.write(data)


def _dress(folder: int, name: str, entry: tarfile.TarInfo, *, owners: bool) -> None:
    if owners:
        os.chown(name, entry.uid, entry.gid, dir_fd=folder, follow_symlinks=False)
    if entry.issym():
        return
    os.chmod(name, entry.mode & 0o7777, dir_fd=folder)
    os.utime(name, (entry.mtime, entry.mtime), dir_fd=folder, follow_symlinks=False)


def _touch_folder(top: int, parts: list[str], mtime: float) -> None:
    fd = _open(top, parts)
    try:
        os.utime(fd, (mtime, mtime))
    finally:
        os.close(fd)
