"""Network namespaces with a name: an nsfs bind mount on a file keeps one alive without a process in it.

unshare(NEWNET) and setns(NEWNET) are a thread's own affair (network_namespaces(7)), so both are done on threads that
end right after: a pool's thread, once moved, would take other work along with it.
"""

from __future__ import annotations

import errno
import fcntl
import os
import threading
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from wharf.kernel import mount, namespace
from wharf.kernel.libc import suppress_errno

T = TypeVar("T")

_GET_USERNS = 0xB701
_OWN = "/proc/thread-self/ns/net"


class Origin(NamedTuple):
    """What makes network namespaces that belong to other user namespaces: no process with threads does by itself."""

    make: Callable[[], int]
    """Returns a descriptor, the caller's own. Blocks."""
    repeatable: bool = True
    """Whether others may be made by it, for whoever comes later."""


def make(path: str, inside: Callable[[], T], origin: Origin | None = None) -> T:
    """Make a network namespace, bind it on ``path``, run ``inside`` in it and return what that returned.

    When this raises, neither the namespace nor the file is left. Undone by :func:`remove`.

    Args:
        path: where no file is yet.
        inside: what to do in it, on a thread of its own.
        origin: makes the namespace; None: it is of the caller's own user namespace.

    Raises:
        OSError: EEXIST when ``path`` exists; whatever ``inside`` raised.
    """

    def work() -> T:
        _reserve(path)
        try:
            _enter_new(origin)
            mount.mount(_OWN, path, None, mount.MountFlag.BIND)
            return inside()
        except BaseException:
            remove(path)
            raise

    return _on_a_thread(work)


def unnamed(inside: Callable[[], T], origin: Origin | None = None) -> T:
    """Make a network namespace without a name, run ``inside`` in it and return what that returned.

    The namespace goes with the last descriptor of it, or socket in it, that ``inside`` leaves open: so it does not
    outlive this process, however that ends. Arguments as for :func:`make`.
    """

    def work() -> T:
        _enter_new(origin)
        return inside()

    return _on_a_thread(work)


def _enter_new(origin: Origin | None) -> None:
    if origin is None:
        namespace.unshare(namespace.Clone.NEWNET)
        return
    fd = origin.make()
    try:
        namespace.setns(fd, namespace.Clone.NEWNET)
    finally:
        os.close(fd)


def bind(path: str, fd: int) -> None:
    """Bind the namespace of descriptor ``fd`` on ``path``: undone by :func:`remove`.

    Raises:
        OSError: EEXIST when ``path`` exists.
    """
    _reserve(path)
    try:
        mount.mount(f"/proc/self/fd/{fd}", path, None, mount.MountFlag.BIND)
    except BaseException:
        remove(path)
        raise


def _reserve(path: str) -> None:
    os.close(os.open(path, os.O_CREAT | os.O_EXCL | os.O_RDONLY | os.O_CLOEXEC, 0o444))


def within(path: str, inside: Callable[[], T]) -> T:
    """Run ``inside`` in the network namespace bound on ``path`` and return what it returned."""

    def work() -> T:
        fd = open_namespace(path)
        try:
            namespace.setns(fd, namespace.Clone.NEWNET)
        finally:
            os.close(fd)
        return inside()

    return _on_a_thread(work)


def open_namespace(path: str) -> int:
    """Return a descriptor of the namespace bound on ``path``, or of any /proc/<pid>/ns/net; the caller owns it."""
    return os.open(path, os.O_RDONLY | os.O_CLOEXEC)


def open_owner(fd: int) -> int:
    """Return a descriptor, the caller's own, of the user namespace that ``fd`` belongs to (ioctl_ns(2)).

    Raises:
        OSError: EPERM: it is none of the caller's, nor below it.
    """
    return fcntl.ioctl(fd, _GET_USERNS)


def remove(path: str) -> None:
    """Take the name away: the namespace and all its links go once no process is in it. Idempotent.

    A file on which no namespace was bound yet (its maker was killed) goes as well.
    """
    with suppress_errno(errno.EINVAL, errno.ENOENT):
        mount.umount(path, mount.UmountFlag.DETACH | mount.UmountFlag.NOFOLLOW)
    with suppress_errno(errno.ENOENT):
        os.unlink(path)


def _on_a_thread(work: Callable[[], T]) -> T:
    results: list[T] = []
    errors: list[BaseException] = []

    def run() -> None:
        try:
            results.append(work())
        except BaseException as error:  # noqa: BLE001 - handed to the caller's thread, which raises it
            errors.append(error)

    thread = threading.Thread(target=run, name="netns")
    thread.start()
    thread.join()
    if errors:
        raise errors[0]
    return results[0]
