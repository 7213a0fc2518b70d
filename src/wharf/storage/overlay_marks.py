"""How a deletion is written: as a file in a layer's archive, as a device or an attribute in overlay's folders.

=====================  =============================  ==========================================
means                  archive (image-spec layer.md)  overlay (kernel docs, "whiteouts and opaque directories")
=====================  =============================  ==========================================
NAME is deleted        ``.wh.NAME``                   character device 0:0 called NAME
a folder is replaced   ``.wh..wh..opq`` in it         its attribute ``trusted.overlay.opaque`` is ``y``
=====================  =============================  ==========================================

In a user namespace the attribute is ``user.overlay.opaque`` ("userxattr"): trusted ones are the machine's root's.
"""

from __future__ import annotations

import os
import stat
from functools import cache
from typing import Final

from wharf.errors import InvalidArgument
from wharf.kernel import userns
from wharf.storage.trees import opened_folder

WHITEOUT_PREFIX: Final = b".wh."
RESERVED_PREFIX: Final = b".wh..wh."  # further marks of aufs: nothing of the image's
OPAQUE_MARK: Final = b".wh..wh..opq"
PRIVATE_PREFIXES: Final = ("trusted.overlay.", "user.overlay.")
"""Overlay's own attributes: an archive that could set them could show what is elsewhere (redirect)."""


def refuse(path: bytes, status: os.stat_result | None = None) -> None:
    """Refuse a file of the user's that a layer would have as a mark.

    Raises:
        InvalidArgument: its name is one in an archive, or it is a device that is one; the message says which.
    """
    shown = path.decode("utf-8", "backslashreplace")
    if path.rpartition(b"/")[2].startswith(WHITEOUT_PREFIX):
        raise InvalidArgument(
            f'"{shown}": no image can have it: names that begin with ".wh." mark deletions in layers'
        )
    if status is not None and is_whiteout(status):
        raise InvalidArgument(f'"{shown}": no image can have it: a character device 0:0 marks a deletion in layers')


def is_whiteout(status: os.stat_result) -> bool:
    """Return whether this is overlay's mark of a deleted name."""
    return stat.S_ISCHR(status.st_mode) and status.st_rdev == 0


def make_whiteout(name: bytes, folder_fd: int) -> None:
    """Mark ``name`` as deleted; it must not exist in the folder."""
    os.mknod(name, stat.S_IFCHR, 0, dir_fd=folder_fd)


@cache
def opaque_attribute() -> str:
    """Return the name of the attribute that overlay reads for whoever runs this."""
    return "user.overlay.opaque" if userns.inside() else "trusted.overlay.opaque"


def mark_opaque(folder_fd: int) -> None:
    """Hide what lower layers have in this folder; needs a readable descriptor of it."""
    os.setxattr(folder_fd, opaque_attribute(), b"y")


def is_opaque(folder_fd: int) -> bool:
    """Return whether a folder hides what lower layers have in it."""
    try:
        return os.getxattr(folder_fd, opaque_attribute()) == b"y"
    except OSError:
        return False


def is_opaque_in(name: bytes, parent: int) -> bool:
    """Return whether the folder ``name`` of the folder ``parent`` hides what lower layers have in it."""
    with opened_folder(name, parent) as fd:
        return is_opaque(fd)
