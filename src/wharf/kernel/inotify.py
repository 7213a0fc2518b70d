"""inotify(7): learn that a file has grown or been renamed without asking again and again."""

from __future__ import annotations

import os
import struct
from enum import IntFlag

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final


class Watch(IntFlag):
    """IN_* events and flags."""

    MODIFY = 0x2
    ATTRIB = 0x4
    CLOSE_WRITE = 0x8
    MOVED_FROM = 0x40
    MOVED_TO = 0x80
    CREATE = 0x100
    DELETE = 0x200
    DELETE_SELF = 0x400
    MOVE_SELF = 0x800
    Q_OVERFLOW = 0x4000
    IGNORED = 0x8000
    ONLYDIR = 0x01000000


_init = libc.prototype("inotify_init1", ctypes.c_int)
_add = libc.prototype("inotify_add_watch", ctypes.c_int, ctypes.c_char_p, ctypes.c_uint32, path=1)
_remove = libc.prototype("inotify_rm_watch", ctypes.c_int, ctypes.c_int)
_HEADER: Final = struct.Struct("iIII")
_BUFFER_BYTES: Final = 64 * 1024


def inotify_init() -> int:
    """Return a descriptor, owned by the caller, that becomes readable when something happens; it never blocks."""
    return _init(os.O_NONBLOCK | os.O_CLOEXEC)


def add_watch(fd: int, path: str, events: int) -> int:
    """Watch ``path`` for ``events`` (:class:`Watch`); return the watch's number."""
    return _add(fd, os.fsencode(path), events)


def remove_watch(fd: int, watch: int) -> None:
    """Stop watching; an IGNORED event follows."""
    _remove(fd, watch)


def read(fd: int) -> list[tuple[int, int, str]]:
    """Return what has happened: (watch, events, name in a watched folder or ""); empty when nothing has."""
    try:
        data = os.read(fd, _BUFFER_BYTES)
    except BlockingIOError:
        return []
    happened: list[tuple[int, int, str]] = []
    at = 0
    while at < len(data):
        watch, events, _cookie, length = _HEADER.unpack_from(data, at)
        at += _HEADER.size
        happened.append((watch, events, os.fsdecode(data[at : at + length].rstrip(b"\0"))))
        at += length
    return happened
