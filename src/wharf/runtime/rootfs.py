"""The container's root: mounted, entered, and parts of it hidden or made read-only."""

from __future__ import annotations

import errno
import os
import stat

from wharf.kernel import mount as kernel
from wharf.kernel import overlay
from wharf.kernel.mount import Change, MountAttr, MountFlag, OpenTree, UmountFlag
from wharf.kernel.openat2 import open_in_root
from wharf.runtime import mount_options
from wharf.runtime.errors import during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable
    from typing import Final

    from wharf.runtime.mount_options import Options
    from wharf.spec.shim_messages import RootfsMount

_CLONE: Final = int(OpenTree.CLONE)
_RECURSIVE_CLONE: Final = int(OpenTree.CLONE | OpenTree.RECURSIVE)
_COPY: Final = int(OpenTree.CLONE | OpenTree.EMPTY_PATH)
_SAME_RECURSIVE: Final = int(OpenTree.CLONE | OpenTree.RECURSIVE | OpenTree.EMPTY_PATH)
_DETACH: Final = int(UmountFlag.DETACH)
_RDONLY: Final = int(MountAttr.RDONLY)
_PRIVATE: Final = int(MountFlag.PRIVATE)
_SLAVE_ALL: Final = int(MountFlag.SLAVE | MountFlag.REC)
_REC: Final = int(MountFlag.REC)
_SHARED: Final = int(MountFlag.SHARED)
_NULL_DEVICE: Final = os.makedev(1, 3)
_MASK: Final = MountAttr.RDONLY | MountAttr.NOSUID | MountAttr.NODEV | MountAttr.NOEXEC


class RootPlan:
    """How the root comes to be.

    Attributes:
        path: the folder it is mounted on, absolute.
        mounts: (type, source, options) in order; none: the folder itself is the root.
        propagation: flags of the root's propagation, 0 when not asked for.
        detached: without a mount namespace of its own the container's mounts are a tree that has no place anywhere:
            nobody else sees it, and it goes with its last process (Linux 6.15+).
        opened: the mount itself, detached, when somebody has made it already; -1 otherwise.
        place: a descriptor of that folder, opened while it could be reached; -1 otherwise.
        idmap: its files have the ids of the container's user namespace (:mod:`wharf.runtime.mapped_root`).
    """

    __slots__ = ("detached", "idmap", "mounts", "opened", "path", "place", "propagation")

    def __init__(
        self, path: str, mounts: list[tuple[str, str, list[str]]], propagation: int, *, detached: bool = False
    ) -> None:
        self.detached = detached
        self.idmap = any("idmap" in options for _, _, options in mounts)
        self.opened = self.place = -1
        self.path = path
        self.mounts = mounts
        self.propagation = propagation

    def __repr__(self) -> str:
        return f"root {self.path} {self.mounts} propagation={self.propagation:#x}"


def plan(path: str, mounts: Iterable[RootfsMount], propagation: str, *, detached: bool = False) -> RootPlan:
    """Return how to make the root.

    Raises:
        StartFailed: a propagation or a mount option is not supported.
    """
    flags = 0
    if propagation:
        flag, recursive = mount_options.propagation_of(propagation)
        flags = flag | (_REC if recursive else 0)
    made = [(m["type"], m["source"], m["options"]) for m in mounts]
    if made and detached:
        raise invalid("a root that is mounted needs a mount namespace of the container's own")
    return RootPlan(path, made, flags, detached=detached)


def make(root: RootPlan) -> int:
    """Mount the root in this mount namespace alone; return a descriptor of it (O_PATH).

    Raises:
        StartFailed: with the mount's source.
    """
    try:
        if root.opened != -1:
            kernel.mount(None, "/", None, _SLAVE_ALL)
            _place(root.opened, root.path if root.place == -1 else "", dir_fd=root.place)
            return root.opened
        if root.detached:
            fd = kernel.open_tree(root.path, _RECURSIVE_CLONE)
            kernel.mount_setattr(fd, propagation=_PRIVATE, recursive=True)  # Linux 6.15+ alone comes here
            return fd
        # Shared with the host's for as long as bind mounts are made, when their mounts shall reach it.
        shared = root.propagation & _SHARED
        kernel.mount(None, "/", None, _SHARED | _REC if shared else _SLAVE_ALL)
        if shared:
            _make_parent_private(root.path)
        if not root.mounts:
            fd = kernel.open_tree(root.path, _RECURSIVE_CLONE)
            _place(fd, root.path, Change(propagation=_PRIVATE))
            return fd
    except OSError as error:
        raise during_init(error, "error preparing rootfs") from error
    fd = -1
    for fstype, source, options in root.mounts:
        try:
            if fd != -1:
                os.close(fd)
            fd = _mount(fstype, source, mount_options.parse(options), root.path)
        except OSError as error:
            raise during_init(error, f'error mounting "{source}" to rootfs at "/"') from error
    return fd


def open_place(path: str) -> int:
    """Return a descriptor of the folder that a root will be mounted on.

    Raises:
        StartFailed: it cannot be reached.
    """
    try:
        return os.open(path, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    except OSError as error:
        raise during_init(error, "error preparing rootfs") from error


def _make_parent_private(path: str) -> None:
    """Keep what is mounted at ``path`` to this namespace: pivot_root wants it so, and the host has nothing of it."""
    while True:
        fd = os.open(path, os.O_PATH | os.O_CLOEXEC)
        try:
            kernel.change(fd, Change(propagation=_PRIVATE))
        except OSError as error:
            if error.errno != errno.EINVAL or path == "/":  # EINVAL: no mount has its root here
                raise
        else:
            return
        finally:
            os.close(fd)
        path = os.path.dirname(path)


def _mount(fstype: str, source: str, options: Options, path: str) -> int:
    changes: list[Change] = []
    if options.bind or fstype == "bind":
        fd = kernel.open_tree(source, _RECURSIVE_CLONE if options.recursive else _CLONE)
        changes = [Change(options.set)] if options.set else []
    elif fstype == "overlay":
        fd, changes = _overlay(options, path)
    else:
        raise invalid(f"root of type {fstype} is not supported")
    _place(fd, path, *changes)
    return fd


def _place(fd: int, path: str, *changes: Change, dir_fd: int = -1) -> None:
    # The parent may be shared with the host (rootfsPropagation=rshared): what is mounted here must not go there.
    kernel.place(fd, path, *changes, dir_fd=kernel.AT_FDCWD if dir_fd == -1 else dir_fd)
    kernel.change(fd, Change(propagation=_PRIVATE))


def _overlay(options: Options, path: str) -> tuple[int, list[Change]]:
    lower: list[str] = []
    upper = work = None
    rest: dict[str, str] = {}
    for key, value in options.data:
        if key in ("lowerdir", "lowerdir+"):
            lower += value.split(":") if key == "lowerdir" else [value]
        elif key == "upperdir":
            upper = value
        elif key == "workdir":
            work = value
        else:
            rest[key] = value
    try:
        return overlay.detached(lower, upper, work, options=rest, attributes=options.set), []
    except OSError as error:
        if error.errno != errno.EOPNOTSUPP:
            raise
    overlay.attach(path, lower, upper, work, options=rest)
    fd = kernel.open_tree(path)
    kernel.umount(path, _DETACH)
    return fd, [Change(options.set)] if options.set else []


def enter(root: int, propagation: int) -> None:
    """Make ``root`` the root and working directory, and let go of the old one.

    Raises:
        StartFailed: the kernel refused.
    """
    try:
        old = os.open("/", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            os.fchdir(root)
            kernel.pivot_root(".", ".")
            # The old root now lies on top of the new one. What is done to it must not reach the host; "." is still
            # the new one to mount(2), and mounts in that may be the host's peers, which they have to stay.
            os.fchdir(old)
            kernel.mount(None, ".", None, _SLAVE_ALL)
            kernel.umount(".", _DETACH)
            os.chdir("/")
        finally:
            os.close(old)
        if propagation:
            kernel.mount(None, "/", None, propagation)
    except OSError as error:
        raise during_init(error, "error jailing process inside rootfs: pivot_root") from error


def enter_detached(root: int, propagation: int) -> None:
    """Make a root without a place the root and working directory, in whatever mount namespace the caller is.

    Raises:
        StartFailed: the kernel refused.
    """
    try:
        if propagation:
            kernel.mount_setattr(root, propagation=propagation & ~_REC, recursive=bool(propagation & _REC))
        os.fchdir(root)
        os.chroot(".")
        os.chdir("/")
    except OSError as error:
        raise during_init(error, "error jailing process inside rootfs: chroot") from error


def make_read_only(root: int) -> None:
    """Make the root's mount read-only; not what is mounted in it."""
    try:
        kernel.change(root, Change(_RDONLY))
    except OSError as error:
        raise during_init(error, "error setting rootfs as readonly") from error


def make_paths_read_only(root: int, paths: Iterable[str]) -> None:
    """Make what is at ``paths``, and all mounts below, read-only; what does not exist is skipped."""
    for path in paths:
        try:
            _read_only_path(root, path)
        except OSError as error:
            raise during_init(error, f'can\'t make "{path}" read-only') from error


def _read_only_path(root: int, path: str) -> None:
    target = _open_existing(root, path)
    if target is None:
        return
    try:
        fd = kernel.open_tree("", _SAME_RECURSIVE, dir_fd=target)
        try:
            kernel.place(fd, "", Change(_RDONLY, recursive=True), dir_fd=target)
        finally:
            os.close(fd)
    finally:
        os.close(target)


def mask(root: int, paths: Iterable[str]) -> None:
    """Hide what is at ``paths``: a folder under an empty one, a file under /dev/null; what does not exist is skipped.

    Must run before :func:`enter`: it uses the host's /dev/null, which no image can have replaced.
    """
    empty = -1
    try:
        for path in paths:
            target = _open_existing(root, path)
            if target is None:
                continue
            try:
                if not stat.S_ISDIR(os.fstat(target).st_mode):
                    # Read-only, for the file is the host's: a container's root could give it another mode or owner.
                    _cover(target, _null_device(), Change(_RDONLY))
                elif empty == -1:
                    empty = _empty_folder()
                    kernel.move_mount(empty, "", dir_fd=target)
                else:  # copies of it: before Linux 6.15 only what has a place can be copied
                    _cover(target, kernel.open_tree("", _COPY, dir_fd=empty))
            finally:
                os.close(target)
    except OSError as error:
        raise during_init(error, "can't mask a path") from error
    finally:
        if empty != -1:
            os.close(empty)


def _open_existing(root: int, path: str) -> int | None:
    try:
        return open_in_root(root, path)
    except (FileNotFoundError, NotADirectoryError):
        return None


def _cover(target: int, fd: int, *changes: Change) -> None:
    try:
        kernel.place(fd, "", *changes, dir_fd=target)
    finally:
        os.close(fd)


def _null_device() -> int:
    """Return a detached mount of the host's /dev/null, which nobody can read a secret of or write one through."""
    fd = kernel.open_tree("/dev/null")
    if os.fstat(fd).st_rdev != _NULL_DEVICE:
        os.close(fd)
        raise OSError(errno.ENODEV, "/dev/null is not the null device")
    return fd


def _empty_folder() -> int:
    fs = kernel.fsopen("tmpfs")
    try:
        for key, value in (("nr_blocks", "1"), ("nr_inodes", "1"), ("mode", "755")):
            kernel.set_string(fs, key, value)
        kernel.create(fs)
        return kernel.fsmount(fs, _MASK)
    finally:
        os.close(fs)
