"""A path in a container as docker cp names it: taken apart (pure), found, described."""

from __future__ import annotations

import os
import posixpath
import stat
from typing import Final, NamedTuple

from wharf.errors import InvalidArgument, NotFound
from wharf.kernel.openat2 import open_in_root
from wharf.lib.timestamps import rfc3339_nano
from wharf.spec.engine_api.container import ContainerPathStat

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC
_MOST_SYMLINKS: Final = 255
_GO_MODES: Final = {
    stat.S_IFDIR: 1 << 31,
    stat.S_IFLNK: 1 << 27,
    stat.S_IFBLK: 1 << 26,
    stat.S_IFIFO: 1 << 25,
    stat.S_IFSOCK: 1 << 24,
    stat.S_IFCHR: 1 << 26 | 1 << 21,
}
GO_KINDS: Final = sum(
    {1 << 31, 1 << 27, 1 << 26, 1 << 25, 1 << 24, 1 << 21, 1 << 19}
)  # os.ModeType: of no plain file
_GO_BITS: Final = {stat.S_ISUID: 1 << 23, stat.S_ISGID: 1 << 22, stat.S_ISVTX: 1 << 20}


class Split(NamedTuple):
    """A path in its parts: the folder, which is followed, and a name in it, which is not; "." for the folder."""

    folder: str
    name: str
    title: str  # what it is called in an archive and in its description


def absolute(path: str) -> str:
    """Return ``path`` from the root, without "." and "..", as Docker takes it: by its text alone. Pure."""
    return "/" + posixpath.normpath("/" + path).strip("/")


def split(path: str) -> Split:
    """Take a path apart; one that ends in "/" or "/." leads through a symlink (filepath.Split, in Go). Pure."""
    whole = absolute(path)
    if path.endswith(("/", "/.")) or path == ".":
        here = path.rstrip("/").rpartition("/")[2] == "."
        return Split(whole, ".", "." if here else posixpath.basename(whole) or "/")
    if whole == "/":
        return Split("/", ".", "/")
    return Split(posixpath.dirname(whole), posixpath.basename(whole), posixpath.basename(whole))


def missing(path: str, ref: str) -> NotFound:
    """Return the error for a path that does not exist."""
    return NotFound(f"Could not find the file {path} in container {ref}")


def open_folder(root: int, path: str, whole: str, ref: str) -> int:
    """Return a descriptor of a folder of the container, owned by the caller.

    Raises:
        NotFound: it does not exist; the message names ``whole``, what was asked for.
        InvalidArgument: it is no folder.
    """
    try:
        return open_in_root(root, path, _FOLDER)
    except FileNotFoundError:
        raise missing(whole, ref) from None
    except NotADirectoryError:
        raise InvalidArgument(f"{whole}: not a directory") from None
    except OSError as error:  # a loop of symlinks, a name that is too long
        raise InvalidArgument(f"{whole}: {(error.strerror or '').lower()}") from error


def describe(root: int, folder: int, parts: Split, path: str, ref: str) -> ContainerPathStat:
    """Return what X-Docker-Container-Path-Stat says.

    Raises:
        NotFound: there is no such name in the folder.
    """
    try:
        status = os.stat(parts.name, dir_fd=folder, follow_symlinks=False)
    except FileNotFoundError:
        raise missing(path, ref) from None
    link = stat.S_ISLNK(status.st_mode)
    return {
        "name": parts.title,
        "size": status.st_size,
        "mode": go_mode(status.st_mode),
        "mtime": rfc3339_nano(status.st_mtime_ns),
        "linkTarget": real_path(root, f"{parts.folder}/{parts.name}") if link else "",
    }


def go_mode(mode: int) -> int:
    """Return a mode as Go's os.FileMode has it. Pure."""
    bits = sum(ours for theirs, ours in _GO_BITS.items() if mode & theirs)
    return _GO_MODES.get(stat.S_IFMT(mode), 0) | bits | (mode & 0o777)


def real_path(root: int, path: str) -> str:
    """Return where ``path`` leads, as the container spells it; what is missing stays as it is.

    For people to read: by the time it is used the container may have changed it.
    """
    left, done = [part for part in path.split("/") if part][::-1], ""
    for _ in range(_MOST_SYMLINKS):
        if not left:
            return done or "/"
        part = left.pop()
        if part in (".", ".."):
            done = done.rpartition("/")[0] if part == ".." else done
            continue
        target = _link(root, f"{done}/{part}")
        if target is None:
            done = f"{done}/{part}"
            continue
        left += [piece for piece in target.split("/") if piece][::-1]
        done = "" if target.startswith("/") else done
    return done or "/"


def _link(root: int, path: str) -> str | None:
    try:
        fd = open_in_root(root, path, os.O_PATH | os.O_NOFOLLOW)
    except OSError:
        return None
    try:
        return os.readlink("", dir_fd=fd) or None
    except OSError:
        return None  # no symlink
    finally:
        os.close(fd)
