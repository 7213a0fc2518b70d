"""Session keyrings (keyctl(2)): keys are not namespaced, so each container gets a session of its own."""

from __future__ import annotations

import errno

from wharf.kernel import libc
from wharf.kernel import light_ctypes as ctypes

_JOIN_SESSION_KEYRING = 1
_keyctl = libc.syscall((250, 219), ctypes.c_int, ctypes.c_char_p)


def join_new_session() -> None:
    """Leave the inherited session keyring for a new, anonymous one; nothing to do on a kernel without keys."""
    with libc.suppress_errno(errno.ENOSYS):
        _keyctl(_JOIN_SESSION_KEYRING, None)
