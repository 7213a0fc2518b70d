"""What RUN --mount means to the runtime: binds, overlays, caches, tmpfs, secrets, agents; and their mount points."""

from __future__ import annotations

import asyncio
import hashlib
import os
import posixpath
import shutil
import stat
from collections.abc import Sequence
from contextlib import AbstractContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Protocol, TypeVar

from wharf.build.graph.operations import Copy, Exec, Mount, SecretVariable
from wharf.build.operations.copying import copy
from wharf.build.operations.dress import Dress
from wharf.build.operations.results import Layers, Tree
from wharf.build.operations.store import Draft, Store
from wharf.errors import InvalidArgument, NotFound
from wharf.kernel.openat2 import open_in_root
from wharf.lib.finishing import to_the_end
from wharf.spec.oci_runtime import Mount as OciMount
from wharf.spec.shim_messages import RootfsMount
from wharf.storage import overlay_marks as marks
from wharf.storage.layout import DataRoot
from wharf.storage.trees import FOLDER

_T = TypeVar("_T")
_FOLDERS: Final = ("dev", "proc", "sys", "etc")
_FILES: Final = ("etc/hosts", "etc/hostname", "etc/resolv.conf")
_MOST_LINKS: Final = 40


class Offers(Protocol):
    """What a client lends to a build."""

    async def secret(self, secret_id: str) -> bytes | None:
        """Return a secret; None when the client has none of that name."""

    async def agent(self, agent_id: str, path: Path) -> AsyncExitStack | None:
        """Serve an SSH agent at the socket ``path`` until the stack is closed; None when there is none."""


@dataclass(frozen=True, slots=True)
class Site:
    """Where a command's mounts are made."""

    stack: AsyncExitStack  # of what the command is lent
    held: AsyncExitStack  # of what it writes
    inputs: Sequence[Tree]
    draft: Draft
    private: Path  # for secrets: below the run root
    offers: Offers


@dataclass(slots=True)
class Mounted:
    """The mounts of one command."""

    mounts: list[OciMount] = field(default_factory=list)
    environment: list[str] = field(default_factory=list)
    outputs: dict[int, Draft] = field(default_factory=dict)


Made = tuple[OciMount, bool]


async def entered(stack: AsyncExitStack, context: AbstractContextManager[_T]) -> _T:
    """Enter a context that blocks; it is left with the stack, as well when this is cancelled meanwhile."""

    def enter() -> _T:
        given = context.__enter__()
        stack.push_async_callback(asyncio.to_thread, context.__exit__, None, None, None)
        return given

    return await to_the_end(asyncio.create_task(asyncio.to_thread(enter)))


async def lent_variable(offers: Offers, variable: SecretVariable) -> str | None:
    """Return a secret as an entry of an environment; None for an optional one that is not there.

    Raises:
        InvalidArgument: it is required, and not there.
    """
    value = await offers.secret(variable.id)
    if value is None and not variable.optional:
        raise InvalidArgument(f"secret {variable.id}: not found")
    return None if value is None else f"{variable.name}={value.decode('utf-8', 'surrogateescape')}"


class Mounting:
    """Makes mounts; knows the caches that are in use."""

    def __init__(self, data: DataRoot, store: Store) -> None:
        self._data = data
        self._store = store
        self._locks: dict[str, asyncio.Lock] = {}
        self._used: set[str] = set()

    async def prepare(self, operation: Exec, site: Site) -> Mounted:
        """Return the mounts of a command besides its root; what is made for them goes with the site's stack.

        Raises:
            InvalidArgument: a secret or an agent that it requires is not there.
            NotFound: a source is not in its input.
        """
        mounted = Mounted()
        files, folders = set(_FILES), set(_FOLDERS)
        for number, mount in enumerate(operation.mounts[1:], 1):
            made = await self._one(mount, number, site, mounted)
            if made is not None:
                mounted.mounts.append(made[0])
                place = await asyncio.to_thread(_resolved, self._store, site.draft.base, mount.target)
                (folders if made[1] else files).add(place.strip("/"))
        for variable in operation.secret_env:
            if (entry := await lent_variable(site.offers, variable)) is not None:
                mounted.environment.append(entry)
        await asyncio.to_thread(_make_stubs, site.draft.stubs, folders, files)
        mounted.mounts.sort(key=lambda one: one["destination"].count("/"))
        return mounted

    async def _one(self, mount: Mount, number: int, site: Site, mounted: Mounted) -> Made | None:
        """Return a mount and whether it is a folder; None for one that is left out."""
        match mount.type:
            case "tmpfs":
                return await asyncio.to_thread(_tmpfs, self._store, site.draft.base, mount), True
            case "secret":
                return await _secret(mount, site.private / str(number), site)
            case "ssh":
                return await _agent(mount, site.private / str(number), site)
            case "cache":
                source = await self._cache(site.stack, mount, site.inputs)
                return _bind(mount.target, source, read_only=mount.read_only), True
        return await self._input(mount, site, mounted)

    async def _input(self, mount: Mount, site: Site, mounted: Mounted) -> Made:
        source = site.inputs[mount.input] if mount.input >= 0 else Layers()
        if mount.read_only:
            return await self._read_only(mount, source, site)
        if mount.output >= 0:
            return await self._kept(mount, source, site, mounted)
        return await self._forgotten(mount, source, site)

    async def _kept(self, mount: Mount, source: Tree, site: Site, mounted: Mounted) -> Made:
        """A mount whose changes become an output."""
        if not isinstance(source, Layers) or mount.selector:
            raise InvalidArgument(f"what is written to {mount.target} cannot be kept: it is not a whole of layers")
        own = mounted.outputs[mount.output] = await entered(site.held, self._store.draft(source))
        await asyncio.to_thread(own.stubs.mkdir)
        return _at(mount.target, await asyncio.to_thread(self._store.root_of, own)), True

    async def _forgotten(self, mount: Mount, source: Tree, site: Site) -> Made:
        """A mount whose changes go when the command ends."""
        lower, file = await asyncio.to_thread(_below, self._store, source, mount.selector)
        if file is not None:
            raise InvalidArgument(f"a single file cannot be mounted to be written: {mount.target}")
        return _at(mount.target, await entered(site.stack, self._store.combined(lower, read_only=False))), True

    async def _read_only(self, mount: Mount, source: Tree, site: Site) -> Made:
        lower, file = await asyncio.to_thread(_below, self._store, source, mount.selector)
        if file is not None:
            return _bind(mount.target, file, read_only=True), False
        if len(lower) == 1:
            return _bind(mount.target, lower[0], read_only=True), True
        if not lower:
            return _nothing(mount.target), True
        return _at(mount.target, await entered(site.stack, self._store.combined(lower, read_only=True))), True

    async def _cache(self, stack: AsyncExitStack, mount: Mount, inputs: Sequence[Tree]) -> Path:
        name = hashlib.sha256(mount.id.encode("utf-8", "surrogateescape")).hexdigest()
        if mount.sharing == "locked":
            await stack.enter_async_context(self._locks.setdefault(name, asyncio.Lock()))
        elif mount.sharing == "private":
            name = self._unused(name)
            self._used.add(name)
            stack.callback(self._used.discard, name)
        folder = self._data.build_mounts / name / "fs"
        source = inputs[mount.input] if mount.input >= 0 else None
        async with self._locks.setdefault(f"make {name}", asyncio.Lock()):
            if not folder.exists():
                await asyncio.to_thread(self._fill, folder, source, mount.selector)
        os.utime(folder.parent)
        return folder

    def _unused(self, name: str) -> str:
        number = 0
        while (found := f"{name}-{number}") in self._used:
            number += 1
        return found

    def _fill(self, folder: Path, source: Tree | None, selector: str) -> None:
        """Make a cache's folder, with what its source has; under another name until it is whole."""
        new = folder.with_name("new")
        shutil.rmtree(new, ignore_errors=True)
        new.mkdir(parents=True)
        new.chmod(0o755)
        if source is not None:
            target = os.open(new.parent, FOLDER)
            try:
                with self._store.open(source) as root:
                    if root is not None:
                        action = Copy(0, selector or "/", "/new", contents_only=True)
                        copy(root, target, action, Dress())
                        _dress_like(root, selector or "/", new)
            finally:
                os.close(target)
        new.rename(folder)


def _dress_like(root: int, path: str, folder: Path) -> None:
    fd = open_in_root(root, path, os.O_PATH)
    try:
        status = os.fstat(fd)
    finally:
        os.close(fd)
    os.chown(folder, status.st_uid, status.st_gid)
    folder.chmod(stat.S_IMODE(status.st_mode))


def _tmpfs(store: Store, base: Tree, mount: Mount) -> OciMount:
    mode = _mode_at(store, base, mount.target)
    options = ["nosuid", f"mode={mode:o}"] + ([f"size={mount.size_bytes}"] if mount.size_bytes else [])
    return {"destination": mount.target, "type": "tmpfs", "source": "tmpfs", "options": options}


def _bind(target: str, source: Path, *, read_only: bool) -> OciMount:
    options = ["rbind", "ro" if read_only else "rw", "rprivate"]
    return {"destination": target, "type": "bind", "source": str(source), "options": options}


def _nothing(target: str) -> OciMount:
    """Return an empty folder that nobody can fill."""
    options = ["ro", "nosuid", "nodev", "mode=755", "size=4k"]
    return {"destination": target, "type": "tmpfs", "source": "tmpfs", "options": options}


def _at(target: str, root: RootfsMount) -> OciMount:
    return {"destination": target, "type": root["type"], "source": root["source"], "options": root["options"]}


async def _secret(mount: Mount, path: Path, site: Site) -> Made | None:
    value = await site.offers.secret(mount.id)
    if value is None:
        if not mount.optional:
            raise InvalidArgument(f"secret {mount.id}: not found")
        return None
    await asyncio.to_thread(_write_private, path, value, mount)
    site.stack.push_async_callback(asyncio.to_thread, shutil.rmtree, path.parent, ignore_errors=True)
    return _bind(mount.target, path, read_only=True), False


def _write_private(path: Path, value: bytes, mount: Mount) -> None:
    path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        file.write(value)
        os.fchown(fd, mount.uid, mount.gid)
        os.fchmod(fd, mount.mode)


async def _agent(mount: Mount, path: Path, site: Site) -> Made | None:
    await asyncio.to_thread(path.parent.mkdir, mode=0o700, parents=True, exist_ok=True)
    site.stack.push_async_callback(asyncio.to_thread, shutil.rmtree, path.parent, ignore_errors=True)
    served = await site.offers.agent(mount.id, path)
    if served is None:
        if not mount.optional:
            raise InvalidArgument(f'no SSH key "{mount.id}" forwarded from the client')
        return None
    await site.stack.enter_async_context(served)
    await asyncio.to_thread(os.chown, path, mount.uid, mount.gid)
    await asyncio.to_thread(os.chmod, path, mount.mode)
    return _bind(mount.target, path, read_only=False), False


def _below(store: Store, source: Tree, selector: str) -> tuple[list[Path], Path | None]:
    """Return the folders that make a path of a result, the uppermost first; or the one file that it is.

    Raises:
        NotFound: the result does not have it.
    """
    folders = store.folders(source)
    if not selector:
        return folders, None
    with store.open(source) as root:
        place = real_path(root, selector) if root is not None else None
    if place is None:
        raise NotFound(f'"{selector}": not found')
    found: list[Path] = []
    for folder in folders:
        what = _in_layer(folder, place)
        if what in ("folder", "opaque"):
            found.append(folder / place.lstrip("/"))
        if what == "file":
            return found, None if found else folder / place.lstrip("/")
        if what in ("opaque", "gone"):
            break
    return found, None


def _in_layer(folder: Path, place: str) -> str:
    """Return what one layer says of a path: "" for nothing, folder, opaque, file, or gone."""
    fd = os.open(folder, FOLDER)
    opaque = False
    try:
        for part in place.strip("/").split("/"):
            try:
                status = os.stat(part, dir_fd=fd, follow_symlinks=False)
            except FileNotFoundError:
                return "gone" if opaque else ""
            if marks.is_whiteout(status):
                return "gone"
            if not stat.S_ISDIR(status.st_mode):
                return "file"
            inner = os.open(part, FOLDER, dir_fd=fd)
            os.close(fd)
            fd = inner
            opaque = opaque or marks.is_opaque(fd)
    finally:
        os.close(fd)
    return "opaque" if opaque else "folder"


def real_path(root: int, path: str) -> str | None:
    """Return where ``path`` leads inside ``root``, without symbolic links; None when it leads nowhere."""
    place, missing = _walk(root, path)
    return None if missing else place


def _walk(root: int, path: str) -> tuple[str, bool]:
    """Follow a path; return it without links, and whether a part of it is missing."""
    pending, place, links, missing = path.strip("/").split("/"), "/", 0, False
    while pending:
        part = pending.pop(0)
        if part in ("", ".", ".."):
            place = posixpath.dirname(place) if part == ".." else place
            continue
        here = posixpath.join(place, part)
        try:
            fd = open_in_root(root, here, os.O_PATH | os.O_NOFOLLOW)
        except (FileNotFoundError, NotADirectoryError):
            place, missing = here, True
            continue
        try:
            is_link = stat.S_ISLNK(os.fstat(fd).st_mode)
            target = os.readlink("", dir_fd=fd) if is_link else ""
        finally:
            os.close(fd)
        if not is_link:
            place = here
            continue
        links += 1
        if links > _MOST_LINKS:
            raise InvalidArgument(f"too many levels of symbolic links: {path}")
        place = "/" if target.startswith("/") else place
        pending = [*target.split("/"), *pending]
    return place, missing


def _resolved(store: Store, base: Tree, target: str) -> str:
    """Return where a mount point lies once links of the base are followed."""
    with store.open(base) as root:
        return target if root is None else _walk(root, target)[0]


def _mode_at(store: Store, base: Tree, target: str) -> int:
    """Return the mode of the folder that a mount point is, as runc gives it to a tmpfs; 1777 where there is none."""
    with store.open(base) as root:
        place, missing = ("", True) if root is None else _walk(root, target)
        if missing or root is None:
            return 0o1777
        fd = open_in_root(root, place, os.O_PATH | os.O_NOFOLLOW)
        try:
            return stat.S_IMODE(os.fstat(fd).st_mode)
        finally:
            os.close(fd)


def _make_stubs(stubs: Path, folders: set[str], files: set[str]) -> None:
    stubs.mkdir(mode=0o755)
    stubs.chmod(0o755)
    for name in sorted(folders):
        (stubs / name).mkdir(mode=0o755, parents=True, exist_ok=True)
    for name in sorted(files):
        path = stubs / name
        path.parent.mkdir(mode=0o755, parents=True, exist_ok=True)
        path.touch()
