"""docker cp: a path of a container as a tar archive, and an archive into a folder of it."""

from __future__ import annotations

import os
from collections.abc import AsyncIterator
from contextlib import nullcontext
from dataclasses import dataclass
from functools import partial
from typing import BinaryIO, Self

from wharf.engine.containers import path as paths
from wharf.engine.containers.attributes import publish
from wharf.engine.containers.filesystem import Root, open_for_reading, open_for_writing
from wharf.engine.containers.owner import owner
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.streams import Outgoing, on_thread, take_in
from wharf.errors import Forbidden, InvalidArgument
from wharf.images.bridge import Incoming
from wharf.kernel.fsid import As
from wharf.lib.remap import Remap
from wharf.spec.engine_api.container import ContainerPathStat
from wharf.storage.compression import Decompressed
from wharf.storage.diff import Manner, extract
from wharf.storage.pack import pack_one


class Archive:
    """A path of a container: what it is, and its archive as it is read. Iterate to the end, or :meth:`aclose`."""

    def __init__(self, root: Root, folder: int, parts: paths.Split, stat: ContainerPathStat) -> None:
        self.stat = stat
        self._root = root
        self._folder = folder
        self._parts = parts
        self._outgoing: Outgoing | None = None

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> bytes:
        if self._outgoing is None:
            self._outgoing = Outgoing(self._pack)
        return await anext(self._outgoing)

    async def aclose(self) -> None:
        """Let go of the container; idempotent."""
        try:
            if self._outgoing is not None:
                await self._outgoing.aclose()
        finally:
            if self._folder >= 0:
                os.close(self._folder)
                self._folder = -1
            self._root.close()

    def _pack(self, sink: BinaryIO) -> None:
        title = "" if self._parts.title == "/" else self._parts.title
        pack_one(
            self._folder, os.fsencode(self._parts.name), sink, as_name=os.fsencode(title), remap=self._root.remap
        )


async def get(context: Context, ref: str, path: str) -> Archive:
    """Return a path of a container, running or not; the last part of it is not followed when it is a symlink.

    Raises:
        NotFound: there is no such container, or no such path in it.
        InvalidArgument: it leads through something that is no folder.
    """
    container = context.registry.resolve(ref)
    parts = paths.split(path)
    root = await open_for_reading(context, container)
    try:
        folder, stat = await on_thread(partial(_find, root.fd, parts, path, ref), "wharf-stat")
    except BaseException:
        root.close()
        raise
    return Archive(root, folder, parts, stat)


def told(context: Context, ref: str, path: str) -> None:
    """Publish that an archive of ``path`` is read."""
    publish(context, context.registry.resolve(ref), "archive-path", path=path)


def _find(root: int, parts: paths.Split, path: str, ref: str) -> tuple[int, ContainerPathStat]:
    folder = paths.open_folder(root, parts.folder, path, ref)
    try:
        return folder, paths.describe(root, folder, parts, path, ref)
    except BaseException:
        os.close(folder)
        raise


@dataclass(frozen=True, slots=True)
class Extraction:
    """Where an archive goes, and how.

    ``keep_kinds``: refuse to put a folder in the place of something else, or the reverse. ``own``: give what is
    unpacked to the container's user instead of whom the archive names.
    """

    ref: str
    path: str
    keep_kinds: bool = False
    own: bool = False


async def put(context: Context, asked: Extraction, chunks: AsyncIterator[bytes]) -> None:
    """Unpack an archive, plain or compressed, into a folder of a container, running or not.

    Raises:
        NotFound: there is no such container or folder.
        InvalidArgument: the path is no folder, or the archive is corrupt.
        Forbidden: the folder is read-only.
    """
    container = context.registry.resolve(asked.ref)
    async with open_for_writing(context, container) as root:
        await take_in(chunks, partial(_extract, container, root, asked))
    publish(context, container, "extract-to-dir", path=asked.path)


def _extract(container: Container, opened: Root, asked: Extraction, source: Incoming) -> None:
    # Files are made as the container's root there: its file systems may take no others'.
    with As(*opened.remap.root) if opened.remap else nullcontext():
        _extract_into(container, opened.fd, asked, source, opened.remap)


def _extract_into(container: Container, root: int, asked: Extraction, source: Incoming, remap: Remap | None) -> None:
    base = paths.absolute(asked.path)
    _require_folder(root, base, asked)
    _require_writable(container, root, base)
    user = container.spec.config.get("User") or ""
    manner = Manner(
        layer=False,
        base=os.fsencode(base.strip("/")),
        keep_kinds=asked.keep_kinds,
        owner=owner(root, user) if asked.own and user else None,
        remap=remap,
    )
    plain = Decompressed(source)
    extract(plain, root, manner)
    plain.drain()


def _require_folder(root: int, base: str, asked: Extraction) -> None:
    try:
        os.close(paths.open_folder(root, base, asked.path, asked.ref))
    except InvalidArgument:
        raise InvalidArgument("extraction point is not a directory") from None


def _require_writable(container: Container, root: int, base: str) -> None:
    """Refuse what Docker refuses of a stopped container too, whose view could be written."""
    real = paths.real_path(root, base) + "/"
    inside = [p for p in container.spec.mounts if real.startswith((p.get("Destination") or "").rstrip("/") + "/")]
    if not inside:
        if container.spec.host_config.get("ReadonlyRootfs"):
            raise Forbidden("container rootfs is marked read-only")
        return
    innermost = max(inside, key=lambda p: len(p.get("Destination") or ""))
    if not innermost.get("RW"):
        raise Forbidden("mounted volume is marked read-only")
