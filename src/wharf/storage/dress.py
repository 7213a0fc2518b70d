"""What an archive says of an entry besides its content, given to the file: owner, mode, attributes, time."""

from __future__ import annotations

import errno
import os

from wharf.errors import InvalidArgument
from wharf.kernel.owner import give
from wharf.lib.remap import Remap
from wharf.storage import overlay_marks as marks
from wharf.storage.tar_entry import Entry, Kind


def dress_fd(fd: int, entry: Entry) -> None:
    """Set what an open file or folder has."""
    give(fd, entry.uid, entry.gid)
    os.fchmod(fd, entry.mode)  # after the owner: a change of owner takes setuid and capabilities away
    for key, value in entry.xattrs.items():
        _set_attribute(fd, key, value)


def dress_name(entry: Entry, parent: int, name: bytes) -> None:
    """Set what a name in the folder ``parent`` has, which was just made: nothing is followed."""
    give(name, entry.uid, entry.gid, dir_fd=parent)
    if entry.kind is not Kind.SYMLINK:
        os.chmod(name, entry.mode, dir_fd=parent)  # a device or fifo that was just made here: nothing to follow
    for key, value in entry.xattrs.items():
        _set_attribute(f"/proc/self/fd/{parent}/".encode() + name, key, value)
    os.utime(name, ns=(entry.mtime_ns, entry.mtime_ns), dir_fd=parent, follow_symlinks=False)


def outside(remap: Remap, entry: Entry) -> tuple[int, int]:
    """Return the machine's ids of an entry whose own are meant in a user namespace.

    Raises:
        InvalidArgument: it has no such ids.
    """
    try:
        return remap.outside(entry.uid, entry.gid)
    except ValueError as error:
        raise InvalidArgument(f"{entry.name.decode(errors='replace')}: {error}") from error


def _set_attribute(file: int | bytes, key: str, value: bytes) -> None:
    """Set an attribute of the archive; what this file system has no room for is left out, as Docker does.

    Raises:
        InvalidArgument: it is one of overlay's own.
    """
    if key.startswith(marks.PRIVATE_PREFIXES):
        raise InvalidArgument(f"invalid archive: a layer may not set the attribute {key}")
    try:
        if isinstance(file, int):
            os.setxattr(file, key, value)
        else:
            os.setxattr(file, key, value, follow_symlinks=False)
    except OSError as error:
        user = key.startswith("user.") and error.errno == errno.EPERM  # not for links and devices: xattr(7)
        if not user and (error.errno != errno.ENOTSUP or key == "security.capability"):
            raise
