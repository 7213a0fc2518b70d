"""Who a file belongs to, also where not every id exists (user_namespaces(7))."""

from __future__ import annotations

import errno
import os

from wharf.kernel import userns


def give(file: int | str | bytes | os.PathLike[str], uid: int, gid: int, *, dir_fd: int | None = None) -> None:
    """Give a file to ``uid`` and ``gid``; a name is not followed when it is a symlink.

    In a user namespace where nobody but root exists, everything stays root's: there is no other choice.

    Raises:
        OSError: EINVAL with the owner: the namespace has others, but not this one.
    """
    try:
        if isinstance(file, int):
            os.fchown(file, uid, gid)
        else:
            os.chown(file, uid, gid, dir_fd=dir_fd, follow_symlinks=False)
    except OSError as error:
        if error.errno != errno.EINVAL or not userns.inside():
            raise
        if not userns.has_one_id():
            text = f"owner {uid}:{gid} does not exist in this user namespace: its user needs more subordinate ids"
            raise OSError(errno.EINVAL, text) from error
