"""The container's streams: three given descriptors, or a terminal of its own devpts (config.md "terminal")."""

from __future__ import annotations

import errno
import os
import stat

from wharf.kernel import mount as kernel
from wharf.kernel.libc import suppress_errno
from wharf.kernel.mount import OpenTree
from wharf.kernel.openat2 import Resolve, ensure_folder, open_in_root, openat2
from wharf.runtime.errors import during_init

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.spec.oci_runtime import ConsoleSize

_CLONE_IT: Final = int(OpenTree.CLONE | OpenTree.EMPTY_PATH)
_NULL_DEVICE: Final = os.makedev(1, 3)
_NO_LINKS: Final = int(Resolve.BENEATH | Resolve.NO_SYMLINKS)
_RIGHT_HERE: Final = _NO_LINKS | int(Resolve.NO_XDEV)


def use_descriptors(stdio: tuple[int, int, int]) -> None:
    """Make the three descriptors 0, 1 and 2."""
    for number, fd in enumerate(stdio):
        if fd != number:
            os.dup2(fd, number)
        else:
            os.set_inheritable(fd, True)  # noqa: FBT003 - its own signature


def load() -> None:
    """Load what a terminal needs: the process that will open it can import nothing any more."""
    from wharf.kernel import pty  # noqa: F401, PLC0415 - start-up


def open_terminal(root: int, size: ConsoleSize | None, *, console_file: bool) -> int:
    """Open a terminal, make it 0, 1, 2 and the controlling one of this session; return its master.

    Args:
        root: descriptor of the container's root, with its devpts mounted.
        size: in characters.
        console_file: show it as /dev/console too.

    Raises:
        StartFailed: no devpts in the container, for example.
    """
    from wharf.kernel import pty  # noqa: PLC0415 - start-up; whoever has planned a terminal has called `load`

    try:
        master, slave, _number = pty.open_pair(_open_multiplexer(root))
        if size and size.get("height") and size.get("width"):
            pty.set_window_size(slave, size["height"], size["width"])
        if console_file:
            _show(root, slave)
        pty.make_controlling(slave)
    except OSError as error:
        raise during_init(error, "error opening a terminal") from error
    for number in range(3):
        os.dup2(slave, number)
    os.close(slave)
    return master


def _open_multiplexer(root: int) -> int:
    """Return the multiplexer of the container's devpts, where nobody can put another file.

    It is looked for in a folder that is seen to be one first: to open something else may have an effect already.
    """
    folder = open_in_root(root, "/dev/pts", os.O_PATH | os.O_DIRECTORY)
    try:
        if kernel.filesystem_of(folder) != kernel.DEVPTS:
            raise OSError(errno.ENOTTY, "/dev/pts is not a devpts file system")
        return openat2(folder, "ptmx", os.O_RDWR | os.O_NOCTTY, resolve=_RIGHT_HERE)
    finally:
        os.close(folder)


def _show(root: int, slave: int) -> None:
    dev = ensure_folder(root, "/dev")
    try:
        target = _console_file(dev)
    finally:
        os.close(dev)
    fd = kernel.open_tree("", _CLONE_IT, dir_fd=slave)
    try:
        kernel.move_mount(fd, "", dir_fd=target)
    finally:
        os.close(fd)
        os.close(target)


def _console_file(dev: int) -> int:
    """Return a descriptor of /dev/console, made if missing; a symlink there, which may lead anywhere, is refused."""
    with suppress_errno(errno.EEXIST):
        flags = os.O_CREAT | os.O_EXCL | os.O_WRONLY | os.O_CLOEXEC
        os.close(os.open("console", flags, 0o600, dir_fd=dev))
    return openat2(dev, "console", os.O_PATH, resolve=_NO_LINKS)


def give_to(uid: int, gid: int) -> None:
    """Let the user open its streams again by /dev/stdout and the like: make it their owner.

    A terminal keeps its group (tty). What cannot be given (a read-only file, the user namespace does not map the
    owner) stays as it is.
    """
    seen: set[int] = set()
    for number in range(3):
        status = os.fstat(number)
        if status.st_uid == uid or status.st_ino in seen or status.st_rdev == _NULL_DEVICE:
            continue
        seen.add(status.st_ino)
        group = -1 if stat.S_ISCHR(status.st_mode) else gid
        with suppress_errno(errno.EPERM, errno.EROFS, errno.EINVAL):
            os.fchown(number, uid, group)
