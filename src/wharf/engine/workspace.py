"""A container that a program works in: commands one after another or at once, files in and out.

The program holds it: its shim kills it when the program leaves it, and also when the program is killed. Its process 1
does nothing but read a standard input to which nothing is written.
"""

from __future__ import annotations

import asyncio
import io
import signal
import tarfile
import time
from collections.abc import AsyncIterator, Iterable, Mapping
from contextlib import asynccontextmanager

from wharf.engine.completed import Completed, converse, owned
from wharf.engine.containers.archive import Archive
from wharf.engine.containers.collection import Containers
from wharf.engine.containers.path import GO_KINDS, absolute
from wharf.engine.execs import Execs
from wharf.engine.request import arguments, fed, variables
from wharf.errors import InvalidArgument, NotFound, WharfError
from wharf.lib.finishing import to_the_end
from wharf.spec.engine_api.container import CreateContainer
from wharf.spec.engine_api.exec import ExecConfig

HOLDER = ("/bin/sh",)  # reads commands from its standard input, and gets none
_GREATEST_FILE_BYTES = 64 << 20
_AROUND_BYTES = 64 << 10  # an archive's headers and end


class Workspace:
    """A running container of a program's own; see :meth:`wharf.engine.engine.Engine.workspace`."""

    def __init__(self, container_id: str, containers: Containers, execs: Execs) -> None:
        self.id = container_id
        self._containers = containers
        self._execs = execs

    async def run(
        self,
        command: Iterable[str],
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        folder: str = "",
        user: str = "",
        timeout_s: float | None = None,
        limit_bytes: int | None = None,
    ) -> Completed:
        """Run a command in the container and return what it wrote.

        Args:
            command: the arguments.
            stdin: what to feed it; None for /dev/null.
            environment: variables over the container's.
            folder: its working directory; the container's own when empty.
            user: a name or uid, with a group after a colon; the container's own when empty.
            timeout_s: kill it after this long.
            limit_bytes: how much of each output to keep; None for all.

        Raises:
            InvalidArgument: the command cannot be executed, or the container has no such user.
            Conflict: the container has ended.
            TimeoutError: ``timeout_s`` has passed; the command is killed. Processes that it has started end with the
                container.
        """
        config: ExecConfig = {
            "Cmd": arguments(command),
            "Env": variables(environment),
            "WorkingDir": folder,
            "User": user,
            "AttachStdin": fed(stdin) is not None,
            "AttachStdout": True,
            "AttachStderr": True,
        }
        exec_id = await self._execs.create(self.id, config)
        attached = await self._execs.start(exec_id, detach=False, tty=False, console_size=None)
        if attached is None:
            raise WharfError(f"exec {exec_id} has no streams")
        with attached.socket:
            try:
                async with asyncio.timeout(timeout_s):
                    output = await converse(attached.socket, stdin, limit_bytes)
                    return output.completed(await self._execs.wait(exec_id))
            except (TimeoutError, asyncio.CancelledError):
                await to_the_end(asyncio.create_task(self._execs.kill(exec_id, signal.SIGKILL)))
                raise

    async def write(self, path: str, data: bytes, *, mode: int = 0o644) -> None:
        """Write a file, for the container's user; folders that lead to it are made.

        Args:
            path: from the container's root.
            data: the whole content.
            mode: its permissions.

        Raises:
            InvalidArgument: the path leads through something that is no folder, or to a folder.
            Forbidden: it is on something read-only, which a read-only root is but for its ``Mounts``.
        """
        folder, _, name = absolute(path).rpartition("/")
        if not name:
            raise InvalidArgument(f"{path!r} is no name of a file")
        try:  # into its folder, which may be a writable one of a root that is read-only
            await self._extract(folder or "/", name, data, mode)
        except NotFound:
            await self._extract("/", f"{folder}/{name}".strip("/"), data, mode)

    async def _extract(self, folder: str, name: str, data: bytes, mode: int) -> None:
        archive = io.BytesIO()
        with tarfile.open(fileobj=archive, mode="w", format=tarfile.PAX_FORMAT) as writer:
            entry = tarfile.TarInfo(name)
            entry.size, entry.mode, entry.mtime = len(data), mode, int(time.time())
            writer.addfile(entry, io.BytesIO(data))
        await self._containers.extract(self.id, folder, _once(archive.getvalue()), keep_kinds=True, own=True)

    async def read(self, path: str, *, limit_bytes: int = _GREATEST_FILE_BYTES) -> bytes:
        """Return a file's content.

        Args:
            path: from the container's root; symbolic links are followed, within it.
            limit_bytes: refuse one that is longer.

        Raises:
            NotFound: there is no such file.
            InvalidArgument: it is no regular file, or longer than ``limit_bytes``.
        """
        found = await self._containers.archive(self.id, path)
        if target := found.stat.get("linkTarget"):
            await found.aclose()
            found = await self._containers.archive(self.id, target)
        try:
            return await _content(found, path, limit_bytes)
        finally:
            await found.aclose()


@asynccontextmanager
async def workspace(containers: Containers, execs: Execs, request: CreateContainer) -> AsyncIterator[Workspace]:
    """Start the container that ``request`` asks for, held by its standard input; it is gone when this is left."""
    asked: CreateContainer = {**request, "OpenStdin": True, "StdinOnce": True}
    async with owned(containers, asked) as container_id:
        with await containers.hold(container_id, stdin=True, output=False):
            await containers.start(container_id)
            yield Workspace(container_id, containers, execs)


async def _content(found: Archive, path: str, limit_bytes: int) -> bytes:
    if (found.stat.get("mode") or 0) & GO_KINDS:
        raise InvalidArgument(f"{path} is no regular file")
    archive = io.BytesIO()
    if not (too_long := (found.stat.get("size") or 0) > limit_bytes):
        async for chunk in found:
            archive.write(chunk)
            if too_long := archive.tell() > limit_bytes + _AROUND_BYTES:  # it has grown since
                break
    if too_long:
        raise InvalidArgument(f"{path} has more than the {limit_bytes} bytes that were asked for at most")
    archive.seek(0)
    with tarfile.open(fileobj=archive) as reader:
        entry = reader.next()
        content = reader.extractfile(entry) if entry else None
        if content is None:
            raise InvalidArgument(f"{path} is no regular file any more")
        return content.read()


async def _once(data: bytes) -> AsyncIterator[bytes]:
    yield data
