"""A container's file system as the container sees it, opened from outside: nothing of it is run or loaded.

Of a running one the root of its init, of a stopped one the same mounts put together where nobody else sees them
(``kernel/mount_view.py``). Paths in it are then resolved with openat2, so none leads out (CVE-2018-15664).
"""

from __future__ import annotations

import asyncio
import os
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import ExitStack, asynccontextmanager, contextmanager, suppress
from typing import Final

from wharf.engine.containers.mount_request import wanted
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.errors import Conflict
from wharf.kernel.mount_view import Bind, View, open_view
from wharf.lib.remap import Remap, parse
from wharf.spec.engine_api.container import MountPoint

_FOLDER: Final = os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW | os.O_CLOEXEC


class Root:
    """An open root: ``fd`` is a path descriptor of it, valid until :meth:`close`.

    ``remap``: its files show the machine's ids of the users of this user namespace; None: their own.
    """

    __slots__ = ("_view", "fd", "remap")

    def __init__(self, fd: int, view: ExitStack | None = None, *, remap: Remap | None = None) -> None:
        self.fd = fd
        self.remap = remap
        self._view = view  # what lets go of the descriptor, and of all that it shows

    def close(self) -> None:
        """Let go; idempotent."""
        if self._view is not None:
            self._view.close()
        elif self.fd >= 0:
            os.close(self.fd)
        self.fd = -1


async def open_for_reading(context: Context, container: Container) -> Root:
    """Open a container's root; the caller closes it. What is read of a stopped one may change under the reader."""
    async with container.lock:
        if container.state.alive:
            return _root_of(container)
        return await asyncio.to_thread(_view, context, container, False)  # noqa: FBT003  # a thread's argument


@asynccontextmanager
async def open_for_writing(context: Context, container: Container) -> AsyncIterator[Root]:
    """Open a container's root and close it at the end; a stopped container stays stopped until then."""
    async with container.lock:
        root = (
            _root_of(container) if container.state.alive else await asyncio.to_thread(_view, context, container, True)  # noqa: FBT003  # a thread's argument
        )
        if not container.state.alive:
            try:
                yield root
            finally:
                root.close()
            return
    try:
        yield root
    finally:
        root.close()


def _root_of(container: Container) -> Root:
    """Return the root of the container's init.

    Raises:
        Conflict: it has just ended.
    """
    # The folder below /proc stays that of this very process: its number may be another's by the time we look.
    with suppress(FileNotFoundError, ProcessLookupError):
        process = os.open(f"/proc/{container.state.pid}", _FOLDER)
        try:
            if container.id in _read(process, "cgroup"):
                remap = parse(_read(process, "uid_map"), _read(process, "gid_map"))
                fd = os.open("root", os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC, dir_fd=process)
                return Root(fd, remap=remap)
        finally:
            os.close(process)
    raise Conflict(f"container {container.id} is not running")


def _read(folder: int, name: str) -> str:
    with os.fdopen(os.open(name, os.O_RDONLY | os.O_CLOEXEC, dir_fd=folder)) as file:
        return file.read()


@contextmanager
def view_of(
    context: Context, container: Container, binds: Sequence[Bind] = (), *, write: bool = False
) -> Iterator[View]:
    """Give a view of a container's own files and its image's, and of what lies on them; blocking.

    Args:
        context: the engine's.
        container: running or not.
        binds: what lies on it, an outer place before what is in it.
        write: whether what is written becomes the container's, which must be stopped; else it goes with the view.
    """
    place = context.data.container(container.id) / "rootfs"
    place.mkdir(exist_ok=True)
    with (
        context.snapshots.layers_of(container.id, container.chain_id, write=write) as layers,
        open_view(str(place), layers, binds) as view,
    ):
        yield view


def _view(context: Context, container: Container, write: bool) -> Root:  # noqa: FBT001  # a thread's argument
    parts = {m.target: m.subpath for m in wanted(container.spec.config, container.spec.host_config)}
    binds = [_bind(point, parts) for point in _in_order(container.spec.mounts)]
    with ExitStack() as stack:
        view = stack.enter_context(view_of(context, container, binds, write=write))
        kept = stack.pop_all()
    return Root(view.root, kept)


def _in_order(points: list[MountPoint]) -> list[MountPoint]:
    """Return the mounts that have a source on the host, an outer one before what is in it."""
    own = [p for p in points if p.get("Type") in ("bind", "volume")]
    return sorted(own, key=lambda p: (p.get("Destination") or "").count("/"))


def _bind(point: MountPoint, parts: Mapping[str, str]) -> Bind:
    target = point.get("Destination") or ""
    return Bind(point.get("Source") or "", target, read_only=not point.get("RW"), part=parts.get(target, ""))
