"""What a client says of its files (fsutil, types/stat.proto; or in lists), checked. Pure."""

from __future__ import annotations

import os
import stat
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from wharf.errors import InvalidArgument
from wharf.lib.readable import readable
from wharf.spec.buildkit.stat_pb2 import Stat

MOST_ENTRIES: Final = 4_000_000
_MAX_PATH: Final = 4096

# Go's os.FileMode, which fsutil sends: its permissions are Unix's, its kinds are bits of their own.
_GO_KINDS: Final = {
    1 << 31: stat.S_IFDIR,
    1 << 27: stat.S_IFLNK,
    1 << 26: stat.S_IFBLK,
    1 << 26 | 1 << 21: stat.S_IFCHR,
    1 << 25: stat.S_IFIFO,
    1 << 24: stat.S_IFSOCK,
    0: stat.S_IFREG,
}
_GO_KIND_MASK: Final = 1 << 31 | 1 << 27 | 1 << 26 | 1 << 25 | 1 << 24 | 1 << 21 | 1 << 19
_GO_BITS: Final = {1 << 23: stat.S_ISUID, 1 << 22: stat.S_ISGID, 1 << 20: stat.S_ISVTX}


@dataclass(frozen=True, slots=True)
class Entry:
    """One file of a client."""

    path: str  # relative, clean; as the file system's functions take it, whatever its bytes are
    mode: int  # st_mode
    size_bytes: int = 0
    mtime_ns: int = 0
    link: str = ""  # of a symbolic link: where it points; of a file: the earlier path that it is the same as
    device: tuple[int, int] = (0, 0)
    attributes: Mapping[str, bytes] | None = None

    @property
    def has_content(self) -> bool:
        """Whether its content can be asked for: fsutil numbers only these."""
        return stat.S_ISREG(self.mode)


def mode_of(go_mode: int) -> int:
    """Return Go's file mode as st_mode.

    Raises:
        InvalidArgument: it is of no kind that Unix knows.
    """
    kind = _GO_KINDS.get(go_mode & _GO_KIND_MASK)
    if kind is None:
        raise InvalidArgument(f"a file of an unknown kind: mode {go_mode:#o}")
    bits = sum(ours for theirs, ours in _GO_BITS.items() if go_mode & theirs)
    return kind | bits | (go_mode & 0o777)


def go_mode_of(mode: int) -> int:
    """Return st_mode as Go's file mode."""
    kind = next(theirs for theirs, ours in _GO_KINDS.items() if ours == stat.S_IFMT(mode))
    return kind | sum(theirs for theirs, ours in _GO_BITS.items() if mode & ours) | (mode & 0o777)


def entry_of(sent: Stat) -> Entry:
    """Return what a client says of a file.

    Raises:
        InvalidArgument: its path leaves the folder, or something of it cannot be.
    """
    path, link = os.fsdecode(sent.path), os.fsdecode(sent.linkname)
    _check_path(path)
    mode = mode_of(sent.mode)
    _check_link(path, mode, link)
    if not (0 <= sent.devmajor < 1 << 32 and 0 <= sent.devminor < 1 << 32):  # makedev(3)
        raise InvalidArgument(f"{readable(path)}: a device that cannot be")
    return Entry(
        path=path,
        mode=mode,
        size_bytes=max(0, sent.size),
        mtime_ns=sent.modTime,
        link=link,
        device=(sent.devmajor, sent.devminor),
        attributes={name: value for name, value in sent.xattrs.items() if _is_kept(name)} or None,
    )


def entry_in(fields: object) -> Entry:
    """Return what a client that lends its files says of one: path, st_mode, bytes, nanoseconds, link, st_rdev.

    Raises:
        InvalidArgument: as :func:`entry_of`.
    """
    match fields:
        case [str(path), int(mode), int(size), int(mtime_ns), str(link), int(device)]:
            _check_path(path)
            _check_link(path, mode, link)
            if not (_is_encodable(path) and _is_encodable(link)):
                raise InvalidArgument(f"a name that cannot be: {path[:200]!r}")
            if stat.S_IFMT(mode) not in _GO_KINDS.values() or not _fits(mode, size, mtime_ns, device):
                raise InvalidArgument(f"{readable(path)}: a file that cannot be")
            return Entry(path, mode, size, mtime_ns, link, (os.major(device), os.minor(device)))
    raise InvalidArgument("a client lends what is no file")


def _is_encodable(text: str) -> bool:
    """Return whether a text can be a name: one that is not UTF-8 comes as Python has it (PEP 383)."""
    try:
        os.fsencode(text)
    except UnicodeEncodeError:
        return False
    return True


def _fits(mode: int, size: int, mtime_ns: int, device: int) -> bool:
    return 0 <= mode < 1 << 16 and size >= 0 and -(1 << 63) <= mtime_ns < 1 << 63 and 0 <= device < 1 << 64


def _check_link(path: str, mode: int, link: str) -> None:
    if "\0" in link or len(link) > _MAX_PATH:
        raise InvalidArgument(f"{readable(path)}: a link that cannot be")
    if link and stat.S_ISREG(mode):
        _check_path(link)


def _is_kept(name: str) -> bool:
    """Whether an extended attribute may come from outside: none that the kernel trusts a file for, but one."""
    return name.startswith("user.") or name == "security.capability"


def _check_path(path: str) -> None:
    parts = path.split("/")
    if not path or len(path) > _MAX_PATH or "\0" in path or any(part in ("", ".", "..") for part in parts):
        raise InvalidArgument(f"a path that leaves the folder or cannot be: {path[:200]!r}")


class Order:
    """Holds a client to the order of a walk: names ascend, and folders come before what is in them."""

    def __init__(self) -> None:
        self._last: list[bytes] = []
        self._open: list[bytes] = []  # the folders above the last entry, and itself if it is one
        self._count = 0

    def follow(self, entry: Entry) -> int:
        """Take the next entry, and return how many of the open folders it lies in.

        Raises:
            InvalidArgument: it is out of order, its folder was not sent, or there are too many.
        """
        parts = os.fsencode(entry.path).split(b"/")  # as clients compare names
        if parts <= self._last or parts[:-1] != self._open[: len(parts) - 1]:
            last = os.fsdecode(b"/".join(self._last))
            raise InvalidArgument(f"files came out of order: {entry.path!r} after {last!r}")
        self._count += 1
        if self._count > MOST_ENTRIES:
            raise InvalidArgument(f"more than {MOST_ENTRIES} files")
        self._last = parts
        depth = len(parts) - 1
        del self._open[depth:]
        if stat.S_ISDIR(entry.mode):
            self._open.append(parts[-1])
        return depth
