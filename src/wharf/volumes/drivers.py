"""What keeps volumes: a driver makes, mounts and removes them. The local one is here; plugins are others."""

from __future__ import annotations

import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Protocol

from wharf.errors import InvalidArgument, Unavailable, WharfError
from wharf.kernel import mount
from wharf.kernel.mount import MountFlag, UmountFlag
from wharf.storage import trees
from wharf.storage.layout import DataRoot
from wharf.storage.project_limits import ProjectLimits
from wharf.volumes.options import LocalMount, local_mount, size_limit
from wharf.volumes.rows import Row


@dataclass(frozen=True, slots=True)
class Shown:
    """What a driver tells of a volume."""

    path: str  # on the host; '' while it is nowhere
    status: Mapping[str, object] | None = None


class Driver(Protocol):
    """A driver of volumes. Its methods block; raise WharfError for what the user should hear."""

    name: str  # in full
    scope: str  # local or global

    def check(self, name: str, options: Mapping[str, str]) -> None:
        """Refuse options that cannot be."""

    def create(self, row: Row) -> None:
        """Make a volume that has its row; idempotent."""

    def remove(self, row: Row) -> None:
        """Remove a volume with its data; idempotent."""

    def mount(self, row: Row, user: str) -> str:
        """Make a volume's data be at a path, for one user of it, and return the path; idempotent."""

    def unmount(self, row: Row, user: str, others: int) -> None:
        """End one user's need for the data, ``others`` still have it; idempotent."""

    def show(self, row: Row) -> Shown:
        """Return where the data is, and what else there is to tell."""


class LocalDriver:
    """Folders below the data root; with options, a filesystem is mounted on one while a container uses it."""

    name = "local"
    scope = "local"

    def __init__(self, data: DataRoot, limits: ProjectLimits | None = None) -> None:
        self._data = data
        self._limits = limits or ProjectLimits()

    def check(self, name: str, options: Mapping[str, str]) -> None:
        """Refuse options that cannot be, in Docker's words."""
        try:
            local_mount(options)
            limited = size_limit(options) > 0
        except InvalidArgument as error:
            raise InvalidArgument(f"create {name}: {error}") from error
        if limited and not self._limits.supported(self._data.volumes):
            raise InvalidArgument(f"create {name}: quota size requested but no quota support")

    def create(self, row: Row) -> None:
        """Make the folder, and limit it."""
        folder = self._data.volume(row.name)
        folder.parent.mkdir(mode=0o701, exist_ok=True)
        folder.mkdir(exist_ok=True)
        folder.chmod(0o755)
        try:
            self._limit(row)
        except WharfError:
            trees.remove(folder.parent, self._data.ingest)
            raise

    def remove(self, row: Row) -> None:
        """Remove the folder."""
        folder = self._data.volume(row.name)
        self._release(folder)
        if size_limit(row.options):
            self._limits.lift(folder)
        trees.remove(folder.parent, self._data.ingest)

    def _limit(self, row: Row) -> None:
        if size := size_limit(row.options):
            self._limits.limit([self._data.volume(row.name)], size)

    def mount(self, row: Row, user: str) -> str:  # noqa: ARG002  # all users share the one mount
        """Mount what the options say, unless it is; limit it anew, for whoever removed it may have been killed."""
        folder = self._data.volume(row.name)
        self._limit(row)
        wanted = local_mount(row.options)
        if wanted is not None and not is_mounted(folder):
            try:
                _mount(_resolved(wanted), str(folder))
            except OSError as error:
                told = str(wanted).format(folder)
                raise WharfError(
                    f"error while mounting volume '{folder}': failed to mount local volume: {told}: "
                    f"{(error.strerror or '').lower()}"
                ) from error
        return str(folder)

    def unmount(self, row: Row, user: str, others: int) -> None:  # noqa: ARG002  # likewise
        """Unmount for the last user."""
        if not others and row.options:
            self._release(self._data.volume(row.name))

    def show(self, row: Row) -> Shown:
        """Return the folder."""
        return Shown(str(self._data.volume(row.name)))

    def _release(self, folder: Path) -> None:
        while is_mounted(folder):
            mount.umount(str(folder), UmountFlag.DETACH)


def is_mounted(folder: Path) -> bool:
    """Return whether something is mounted on a folder, also a part of its own filesystem."""
    place = os.path.realpath(folder).translate(_ESCAPED)
    with open("/proc/self/mountinfo") as file:
        return any(line.split(" ", 5)[4] == place for line in file)


_ESCAPED = {ord(character): f"\\{ord(character):03o}" for character in " \t\n\\"}


def _mount(wanted: LocalMount, folder: str) -> None:
    kind = None if wanted.type in ("none", "bind") else wanted.type
    mount.mount(wanted.device, folder, kind, wanted.flags, wanted.data or None)
    rest = wanted.flags & ~(MountFlag.BIND | MountFlag.REC)
    if wanted.flags & MountFlag.BIND and rest:
        try:
            mount.mount(None, folder, None, wanted.flags | MountFlag.REMOUNT)
        except OSError:
            mount.umount(folder, UmountFlag.DETACH)
            raise


def _resolved(wanted: LocalMount) -> LocalMount:
    """Return a mount of the network with the address of its server in place of the name: the kernel asks no DNS."""
    if not wanted.type.startswith(("nfs", "cifs")):
        return wanted
    words = wanted.data.split(",")
    for index, word in enumerate(words):
        if word.startswith("addr="):
            name = word.removeprefix("addr=")
            try:
                found = socket.getaddrinfo(name, None, type=socket.SOCK_STREAM)
            except OSError as error:
                raise Unavailable(f"error resolving passed in network volume address: {name}: {error}") from error
            words[index] = f"addr={found[0][4][0]}"
    return replace(wanted, data=",".join(words))
