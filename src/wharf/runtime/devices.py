"""The devices every container has, those asked for, and the links beside them (config-linux.md "Devices")."""

from __future__ import annotations

import errno
import os
import stat

from wharf.kernel import mount as kernel
from wharf.kernel.libc import suppress_errno
from wharf.kernel.openat2 import ensure_file, ensure_folder
from wharf.runtime.errors import during_init, invalid

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence
    from typing import Final

    from wharf.runtime.mounts import MountPlan
    from wharf.spec.oci_runtime import Device, DeviceRule

_DEFAULT: Final = (
    ("/dev/null", 1, 3),
    ("/dev/zero", 1, 5),
    ("/dev/full", 1, 7),
    ("/dev/random", 1, 8),
    ("/dev/urandom", 1, 9),
    ("/dev/tty", 5, 0),
)


def _default_rules() -> list[DeviceRule]:
    return [{"allow": True, "type": "c", "major": n, "minor": m, "access": "rwm"} for _, n, m in _DEFAULT]


DEFAULT_RULES: Final[list[DeviceRule]] = [
    {"allow": True, "type": "c", "access": "m"},
    {"allow": True, "type": "b", "access": "m"},
    *_default_rules(),
    {"allow": True, "type": "c", "major": 5, "minor": 2, "access": "rwm"},  # ptmx
    {"allow": True, "type": "c", "major": 136, "access": "rwm"},  # /dev/pts/*
]
"""What every container may use, whatever its own rules say: making nodes, the default ones, its terminals."""

_LINKS: Final = (
    ("fd", "/proc/self/fd"),
    ("stdin", "/proc/self/fd/0"),
    ("stdout", "/proc/self/fd/1"),
    ("stderr", "/proc/self/fd/2"),
)
_PTMX: Final = "/dev/ptmx"
_TYPES: Final = {"c": stat.S_IFCHR, "u": stat.S_IFCHR, "b": stat.S_IFBLK, "p": stat.S_IFIFO}


class Node:
    """One node to make."""

    __slots__ = ("asked", "device", "gid", "mode", "path", "uid")

    def __init__(self, path: str, mode: int, device: int, uid: int = 0, gid: int = 0, *, asked: bool = False) -> None:
        self.path = path
        self.mode = mode  # with its type
        self.device = device
        self.uid = uid
        self.gid = gid
        self.asked = asked  # by config.json: then it does not take the place of another file

    def __repr__(self) -> str:
        number = f"{os.major(self.device)}:{os.minor(self.device)}"
        return f"mknod {self.path} {self.mode:o} {number} owned by {self.uid}:{self.gid}"


def plan(asked: Iterable[Device], mounts: Iterable[MountPlan]) -> list[Node]:
    """Return the nodes to make; none when /dev is a bind mount: then it is the host's to fill.

    Raises:
        StartFailed: a device of unknown type, or outside the root.
    """
    if any(mount.destination == "/dev" and mount.options.bind for mount in mounts):
        return []
    nodes = {path: Node(path, stat.S_IFCHR | 0o666, os.makedev(major, minor)) for path, major, minor in _DEFAULT}
    for device in asked:
        node = _plan_one(device)
        nodes[node.path] = node
    return list(nodes.values())


def _plan_one(device: Device) -> Node:
    path, letter = device.get("path", ""), device.get("type", "")
    kind = _TYPES.get(letter)
    if not path.startswith("/") or kind is None:
        raise invalid(f'device "{path}" of type "{letter}" is not supported')
    if letter != "p" and not {"major", "minor"} <= device.keys():
        raise invalid(f'device "{path}" of type "{letter}" has no major or no minor number')
    number = 0 if letter == "p" else os.makedev(device.get("major", 0), device.get("minor", 0))
    mode = kind | (device.get("fileMode", 0o666) & 0o7777)
    return Node(path, mode, number, device.get("uid", 0), device.get("gid", 0), asked=True)


def make(root: int, nodes: Sequence[Node], *, bind: bool) -> None:
    """Make the nodes inside the root; what has the name already and is that device stays.

    Args:
        root: descriptor of the root.
        nodes: from :func:`plan`.
        bind: mount the host's nodes instead: mknod(2) is not allowed in a user namespace. Where the runtime itself
            is in one, that shows.

    Raises:
        StartFailed: with the device.
    """
    if not nodes:
        return
    folders: dict[str, int] = {}
    before = os.umask(0)
    try:
        for node in nodes:
            folder, _, name = node.path.rpartition("/")
            if folder not in folders:
                folders[folder] = ensure_folder(root, folder or "/")
            try:
                _make_or_bind(root, folders[folder], name, node, bind=bind)
            except OSError as error:
                raise during_init(error, f'error creating device nodes: mknod "{node.path}"') from error
        _link(root)
    finally:
        os.umask(before)
        for fd in folders.values():
            os.close(fd)


def _make_or_bind(root: int, folder: int, name: str, node: Node, *, bind: bool) -> None:
    if not bind:
        try:
            _make_one(folder, name, node)
        except PermissionError:
            bind = True
    if bind and node.path != _PTMX:  # that becomes a link, which a mount would be in the way of
        _bind(root, node)


def make_in(dev: int, nodes: Sequence[Node]) -> None:
    """Make those nodes that lie right in /dev, and the links, in the new file system ``dev`` that will be there."""
    before = os.umask(0)
    try:
        for node in nodes:
            folder, _, name = node.path.rpartition("/")
            if folder == "/dev":
                _make_one(dev, name, node)
        _link_in(dev)
    finally:
        os.umask(before)


def _make_one(folder: int, name: str, node: Node) -> None:
    try:
        os.mknod(name, node.mode, node.device, dir_fd=folder)
    except FileExistsError:
        status = os.stat(name, dir_fd=folder, follow_symlinks=False)
        if stat.S_IFMT(status.st_mode) != stat.S_IFMT(node.mode) or status.st_rdev != node.device:
            if node.asked:
                raise OSError(errno.EEXIST, "another file is there") from None
            os.unlink(name, dir_fd=folder)
            os.mknod(name, node.mode, node.device, dir_fd=folder)
    if node.uid or node.gid:
        os.chown(name, node.uid, node.gid, dir_fd=folder, follow_symlinks=False)


def _bind(root: int, node: Node) -> None:
    target = ensure_file(root, node.path)
    fd = kernel.open_tree(_on_host(node))
    try:
        status = os.fstat(fd)
        if stat.S_IFMT(status.st_mode) != stat.S_IFMT(node.mode) or status.st_rdev != node.device:
            raise OSError(errno.ENODEV, f"the host's {node.path} is another device")
        kernel.move_mount(fd, "", dir_fd=target)
    finally:
        os.close(fd)
        os.close(target)


def _on_host(node: Node) -> str:
    """Return where the host has this device: under the same name, or where the kernel says (sysfs-dev, uevent).

    Raises:
        OSError: ENOENT: the host has none.
    """
    with suppress_errno(errno.ENOENT, errno.ENOTDIR):
        if os.stat(node.path).st_rdev == node.device:
            return node.path
    kind = "block" if stat.S_ISBLK(node.mode) else "char"
    with open(f"/sys/dev/{kind}/{os.major(node.device)}:{os.minor(node.device)}/uevent", "rb", buffering=0) as file:
        names = [line.partition(b"=")[2] for line in file.read().splitlines() if line.startswith(b"DEVNAME=")]
    path = f"/dev/{os.fsdecode(names[0])}" if names else node.path
    if os.stat(path).st_rdev != node.device:
        raise OSError(errno.ENOENT, "the host has no such device", path)
    return path


def _link(root: int) -> None:
    dev = ensure_folder(root, "/dev")
    try:
        _link_in(dev)
    finally:
        os.close(dev)


def _link_in(dev: int) -> None:
    for name, target in _LINKS:
        with suppress_errno(errno.EEXIST):
            os.symlink(target, name, dir_fd=dev)
    with suppress_errno(errno.EEXIST):
        if os.path.exists("/proc/kcore"):  # a kernel need not have it (CONFIG_PROC_KCORE)
            os.symlink("/proc/kcore", "core", dir_fd=dev)
    _link_ptmx(dev)


def _link_ptmx(dev: int) -> None:
    """Make /dev/ptmx the multiplexer of the container's own devpts, whatever the image has there."""
    try:
        os.symlink("pts/ptmx", "ptmx", dir_fd=dev)
    except FileExistsError:
        if not stat.S_ISLNK(os.stat("ptmx", dir_fd=dev, follow_symlinks=False).st_mode):
            os.unlink("ptmx", dir_fd=dev)
            os.symlink("pts/ptmx", "ptmx", dir_fd=dev)
