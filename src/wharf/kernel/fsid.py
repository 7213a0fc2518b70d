"""Whose the files are that this process makes, apart from who it is (setfsuid(2), setfsgid(2))."""

from __future__ import annotations

import _thread

from wharf.kernel import libc, prctl
from wharf.kernel import light_ctypes as ctypes

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

_GET_DUMPABLE: Final = 3
_GET_SECUREBITS: Final = 27
_SET_SECUREBITS: Final = 28
_NO_SETUID_FIXUP: Final = 4  # a change of user takes no capabilities away (capabilities(7))

_setfsuid = libc.prototype("setfsuid", ctypes.c_uint)
_setfsgid = libc.prototype("setfsgid", ctypes.c_uint)


_lock: Final = _thread.allocate_lock()


class As:
    """``with As(uid, gid):`` this thread's new files are theirs, and all capabilities stay. For root."""

    __slots__ = ("_bits", "_gid", "_uid")
    _at_once = 0  # threads that are somebody else now
    _dumpable = 0  # the process's, before the first of them was

    def __init__(self, uid: int, gid: int) -> None:
        self._uid = uid
        self._gid = gid
        self._bits = 0

    def __enter__(self) -> None:
        self._bits = prctl.prctl(_GET_SECUREBITS)
        prctl.prctl(_SET_SECUREBITS, self._bits | _NO_SETUID_FIXUP)
        with _lock:
            if not As._at_once:
                As._dumpable = prctl.prctl(_GET_DUMPABLE)
            As._at_once += 1
            self._uid, self._gid = _setfsuid(self._uid), _setfsgid(self._gid)

    def __exit__(self, *_: object) -> None:
        with _lock:
            _setfsuid(self._uid)
            _setfsgid(self._gid)
            As._at_once -= 1
            if As._dumpable == 1:  # the change has undone it: others would not be let into /proc/<pid>/fd any more
                prctl.set_dumpable(dumpable=True)
        prctl.prctl(_SET_SECUREBITS, self._bits)
