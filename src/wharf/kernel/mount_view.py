"""A tree of mounts that nobody else sees: an overlay with other folders on it, for as long as a descriptor lives.

It is made in a mount namespace of its own, by a thread that ends right after; the namespace lives by a descriptor, so
a process that is killed leaves nothing. In it there is nothing but the tree: the host's own mounts are let go of.
"""

from __future__ import annotations

import errno
import os
import stat
import threading
from collections.abc import Sequence
from types import TracebackType
from typing import Final, NamedTuple, Self

from wharf.kernel import mount, namespace, overlay, overlay_options
from wharf.kernel.mount import Change, MountAttr, MountFlag, OpenTree, UmountFlag
from wharf.kernel.openat2 import ensure_file, ensure_folder, open_in_root

_PATH_FOLDER: Final = os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC


class Layers(NamedTuple):
    """The folders of an overlay, the uppermost of ``lower`` first.

    Without ``upper`` what is written goes to memory and is lost with the view, and ``lower`` stays as it is.
    """

    lower: Sequence[str]
    upper: str | None = None
    work: str | None = None


class Bind(NamedTuple):
    """A folder or file of the host at a place of the view; the place is made when it is missing."""

    source: str
    target: str
    read_only: bool = False
    part: str = ""  # of the source, found inside it


class View:
    """An open view; ``root`` is a path descriptor of its root. Closing it lets the mounts go."""

    __slots__ = ("_namespace", "root")

    def __init__(self, root: int, namespace_fd: int) -> None:
        self.root = root
        self._namespace = namespace_fd

    def close(self) -> None:
        """Let go; idempotent."""
        for fd in (self.root, self._namespace):
            if fd >= 0:
                os.close(fd)
        self.root = self._namespace = -1

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()


def open_view(place: str, layers: Layers, binds: Sequence[Bind] = ()) -> View:
    """Return a view; blocking.

    Args:
        place: any folder: where the tree is put together, seen by nobody.
        layers: its root.
        binds: what lies on it, an outer place before what is in it.

    Raises:
        OSError: a folder is missing, or the kernel refuses a mount.
    """
    opened: list[View] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            opened.append(_make(place, layers, binds))
        except BaseException as error:  # noqa: BLE001  # raised on the caller's thread
            failures.append(error)

    thread = threading.Thread(target=work, name="mount-view")
    thread.start()
    thread.join()
    if failures:
        raise failures[0]
    return opened[0]


def _make(place: str, layers: Layers, binds: Sequence[Bind]) -> View:
    # Of a thread among others: NEWNS brings a root and a working directory of its own along (unshare(2)).
    namespace.unshare(namespace.Clone.NEWNS)
    mount.mount(None, "/", None, MountFlag.REC | MountFlag.PRIVATE)  # nothing that follows shows on the host
    own = os.open("/proc/thread-self/ns/mnt", os.O_RDONLY | os.O_CLOEXEC)
    try:
        _attach_root(place, layers)
        root = os.open(place, _PATH_FOLDER)
        try:
            for bind in binds:
                _attach(root, bind)
            os.fchdir(root)
            mount.pivot_root(".", ".")
            mount.umount(".", UmountFlag.DETACH)
        except BaseException:
            os.close(root)
            raise
    except BaseException:
        os.close(own)
        raise
    return View(root, own)


def _attach_root(place: str, layers: Layers) -> None:
    if layers.upper is not None and not layers.lower:
        _move(mount.open_tree(layers.upper), place)
        return
    lower, upper, work = layers.lower, layers.upper, layers.work
    if upper is None:
        mount.mount("tmpfs", place, "tmpfs", MountFlag.NOSUID | MountFlag.NODEV, "mode=0700")
        upper, work = f"{place}/upper", f"{place}/work"
        os.mkdir(upper)
        os.mkdir(work)
        _same_owner(lower[0], upper)
    try:
        _move(overlay.detached(lower, upper, work, options=overlay_options.mapping()), place)
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
        overlay.attach(place, lower, upper, work, options=overlay_options.mapping())


def _same_owner(source: str, target: str) -> None:
    """Give the view's root what the uppermost folder has: it would show the upper one's own instead."""
    status = os.stat(source)
    os.chown(target, status.st_uid, status.st_gid)
    os.chmod(target, status.st_mode & 0o7777)
    os.utime(target, ns=(status.st_atime_ns, status.st_mtime_ns))


def _attach(root: int, bind: Bind) -> None:
    tree = _clone(bind)
    try:
        ensure = ensure_folder if stat.S_ISDIR(os.fstat(tree).st_mode) else ensure_file
        target = ensure(root, bind.target)
        try:
            changes = [Change(MountAttr.RDONLY, recursive=True)] if bind.read_only else []
            mount.place(tree, "", *changes, dir_fd=target)
        finally:
            os.close(target)
    finally:
        os.close(tree)


def _clone(bind: Bind) -> int:
    flags = OpenTree.CLONE | OpenTree.RECURSIVE
    if not bind.part:
        return mount.open_tree(bind.source, flags)
    top = os.open(bind.source, _PATH_FOLDER)
    try:
        part = open_in_root(top, bind.part)
    finally:
        os.close(top)
    try:
        return mount.open_tree("", flags | OpenTree.EMPTY_PATH, dir_fd=part)
    finally:
        os.close(part)


def _move(tree: int, place: str) -> None:
    try:
        mount.move_mount(tree, place)
    finally:
        os.close(tree)
