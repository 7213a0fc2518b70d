"""``engine.containers``: every verb by name; each lives in the file of that name."""

from __future__ import annotations

import asyncio
import builtins
import socket
from collections.abc import AsyncIterator, Awaitable, Iterable, Mapping
from contextlib import AbstractContextManager, suppress
from dataclasses import dataclass
from datetime import datetime

from wharf.engine.containers import (
    archive,
    attach,
    changes,
    checkpoint,
    commit,
    create,
    export,
    inspect,
    kill,
    logs,
    prune,
    remove,
    rename,
    selection,
    start,
    stats,
    stop,
    top,
    wait,
)
from wharf.engine.containers.archive import Archive
from wharf.engine.containers.attach import AttachedStream
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.documents import held
from wharf.engine.execs import Execs
from wharf.errors import InvalidArgument, NotFound
from wharf.images.lookup import manifest_descriptor
from wharf.lib.detach_keys import parse_detach_keys
from wharf.lib.moments import parse_optional_moment, to_ns
from wharf.spec.engine_api.checkpoint import Checkpoint, CheckpointCreate
from wharf.spec.engine_api.container import (
    ContainerConfig,
    ContainerCreateResponse,
    ContainerInspectResponse,
    ContainerStatsResponse,
    ContainerSummary,
    ContainerTopResponse,
    ContainerUpdateRequest,
    ContainerUpdateResponse,
    ContainerWaitResponse,
    CreateContainer,
    FilesystemChange,
)
from wharf.spec.oci_image import Descriptor


@dataclass(frozen=True, slots=True)
class LogStream:
    """A log being read: stdcopy frames, or raw bytes with ``tty``."""

    chunks: AsyncIterator[bytes]
    tty: bool

    def __aiter__(self) -> AsyncIterator[bytes]:
        return self.chunks


class Containers:
    """The containers of one engine."""

    def __init__(self, context: Context, execs: Execs) -> None:
        self._context = context
        self._execs = execs

    async def create(
        self, request: CreateContainer, *, name: str | None = None, platform: str | None = None, owned: bool = False
    ) -> ContainerCreateResponse:
        """Create a container (see ``create.py``)."""
        with self._timed("create"):
            return await create.create(self._context, request, name=name, platform=platform, owned=owned)

    def _timed(self, action: str) -> AbstractContextManager[None]:
        return self._context.measures.timed("container", action)

    async def start(self, ref: str, *, detach_keys: str | None = None, saved: str = "", saved_dir: str = "") -> None:
        """Start a container (see ``start.py``); ``detach_keys`` are checked, and each attached client has its own."""
        parse_detach_keys(detach_keys)
        with self._timed("start"):
            await start.start(self._context, ref, saved=saved, saved_dir=saved_dir)

    async def checkpoint(self, ref: str, asked: CheckpointCreate) -> None:
        """Save a running container (see ``checkpoint.py``)."""
        await checkpoint.create(self._context, ref, asked)

    async def checkpoints(self, ref: str, *, folder: str = "") -> builtins.list[Checkpoint]:
        """Return what was saved of a container (see ``checkpoint.py``)."""
        return checkpoint.find(self._context, ref, folder)

    async def remove_checkpoint(self, ref: str, name: str, *, folder: str = "") -> None:
        """Forget what was saved of a container (see ``checkpoint.py``)."""
        await checkpoint.remove(self._context, ref, name, folder)

    async def stop(self, ref: str, *, signal: str | None = None, timeout_s: int | None = None) -> None:
        """Stop a container (see ``stop.py``)."""
        await stop.stop(self._context, ref, signal=signal, timeout_s=timeout_s)

    async def restart(self, ref: str, *, signal: str | None = None, timeout_s: int | None = None) -> None:
        """Stop and start a container (see ``stop.py``)."""
        await stop.restart(self._context, ref, signal=signal, timeout_s=timeout_s)

    async def kill(self, ref: str, *, signal: str | None = None) -> None:
        """Send a signal to a container's init (see ``kill.py``)."""
        await kill.kill(self._context, ref, signal=signal)

    async def pause(self, ref: str) -> None:
        """Freeze a container (see ``kill.py``)."""
        await kill.pause(self._context, ref)

    async def unpause(self, ref: str) -> None:
        """Thaw a container (see ``kill.py``)."""
        await kill.unpause(self._context, ref)

    async def rename(self, ref: str, name: str) -> None:
        """Rename a container (see ``rename.py``)."""
        await rename.rename(self._context, ref, name)

    async def update(self, ref: str, doc: ContainerUpdateRequest) -> ContainerUpdateResponse:
        """Change a container's limits (see ``rename.py``)."""
        return await rename.update(self._context, ref, held(doc, ContainerUpdateRequest, "an update"))

    async def remove(self, ref: str, *, force: bool = False, volumes: bool = False, link: bool = False) -> None:
        """Remove a container (see ``remove.py``)."""
        with self._timed("delete"):
            await remove.remove(self._context, ref, force=force, volumes=volumes, link=link)

    async def prune(self, filters: Mapping[str, list[str]] | None = None) -> dict[str, object]:
        """Remove what does not run (see ``prune.py``)."""
        return await prune.prune(self._context, filters or {})

    async def wait(self, ref: str, *, condition: str = "not-running") -> Awaitable[ContainerWaitResponse]:
        """Register for a container's end (see ``wait.py``)."""
        return await wait.wait(self._context, ref, condition=condition)

    async def attach(
        self,
        ref: str,
        *,
        stdin: bool = False,
        stdout: bool = True,
        stderr: bool = True,
        logs: bool = False,
        stream: bool = True,
        detach_keys: str | None = None,
    ) -> AttachedStream:
        """Attach to a container's streams (see ``attach.py``)."""
        return await attach.attach(
            self._context,
            ref,
            stdin=stdin,
            stdout=stdout,
            stderr=stderr,
            replay=logs,
            stream=stream,
            detach_keys=detach_keys,
        )

    async def hold(self, ref: str, *, stdin: bool, output: bool) -> socket.socket:
        """Attach to a container as its only owner (see ``attach.py``)."""
        return await attach.hold(self._context, ref, stdin=stdin, output=output)

    async def resize(self, ref: str, *, rows: int, columns: int) -> None:
        """Set a terminal's size (see ``attach.py``)."""
        await attach.resize(self._context, ref, rows=rows, columns=columns)

    async def top(self, ref: str, *, ps_args: str | None = None) -> ContainerTopResponse:
        """Return a container's processes (see ``top.py``)."""
        return await top.top(self._context, ref, ps_args=ps_args)

    def stats(
        self, ref: str, *, stream: bool = False, one_shot: bool = False
    ) -> AsyncIterator[ContainerStatsResponse]:
        """Yield a container's counters (see ``stats.py``)."""
        return stats.stats(self._context, ref, stream=stream, one_shot=one_shot)

    async def logs(  # noqa: PLR0913  # the API's own parameters
        self,
        ref: str,
        *,
        stdout: bool = True,
        stderr: bool = True,
        follow: bool = False,
        since: str | None = None,
        until: str | None = None,
        timestamps: bool = False,
        tail: str | None = None,
        details: bool = False,
    ) -> LogStream:
        """Read a container's log (see ``logs.py``); times as in ``lib/moments.py``, ``tail`` a number or all."""
        container = self._context.registry.resolve(ref)
        now_ns = to_ns(self._context.clock.now())
        query = logs.Query(
            stdout=stdout,
            stderr=stderr,
            follow=follow,
            since_ns=parse_optional_moment(since, now_ns=now_ns),
            until_ns=parse_optional_moment(until, now_ns=now_ns),
            timestamps=timestamps,
            tail=int(tail) if tail and tail.isdigit() else None,
            details=details,
        )
        return LogStream(await logs.read(self._context, container, query), container.tty)

    async def inspect(self, ref: str, *, size: bool = False) -> ContainerInspectResponse:
        """Return all of a container; with ``size`` also what its own layer and its root hold, in bytes."""
        context, container = self._context, self._context.registry.resolve(ref)
        document = inspect.inspect(
            container,
            folder=context.data.container(container.id),
            lower=context.snapshots.lower_dirs(container.chain_id),
            driver=context.snapshots.roots.name,
            endpoints=container.endpoints,
            live_execs=self._execs.live_of(container),
            networks=self._networks_of(container),
        )
        if manifest := self._manifest_of(container):
            document["ImageManifestDescriptor"] = manifest
        if size:
            own = await asyncio.to_thread(context.snapshots.size_of, container.id, container.chain_id)
            document["SizeRw"] = own
            document["SizeRootFs"] = own + context.images.size_of(container.image_id)
        return document

    def _networks_of(self, container: Container) -> dict[str, str]:
        """Return the ids of the networks that a container which has ended will be in again, by name."""
        if container.endpoints:
            return {}
        found = {}
        for name in container.spec.networking.get("EndpointsConfig") or {}:
            with suppress(NotFound, InvalidArgument):
                found[name] = self._context.networks.resolve(name).id
        return found

    def _manifest_of(self, container: Container) -> Descriptor | None:
        """Return the manifest of a container's image; None when the image has gone."""
        try:
            return manifest_descriptor(self._context.images.resolve(container.image_id))
        except NotFound:
            return None

    def _in_order(self, filters: Mapping[str, list[str]]) -> list[Container]:
        """Return all containers, newest first, between --filter since and before."""
        containers = sorted(self._context.registry, key=lambda c: c.created_at, reverse=True)
        for ref in filters.get("before", []):
            bound = self._context.registry.resolve(ref).created_at
            containers = [c for c in containers if c.created_at < bound]
        for ref in filters.get("since", []):
            bound = self._context.registry.resolve(ref).created_at
            containers = [c for c in containers if c.created_at > bound]
        return containers

    def _ancestors(self, names: list[str]) -> set[str]:
        """Return the ids of the containers' images that are one of ``names``, or were made from one."""
        images = self._context.images
        found: set[str] = set()
        for name in names:
            try:
                image = images.resolve(name)
            except NotFound:
                continue  # an image that is gone has no containers to show
            found.add(image.id)
            for used in {container.image_id for container in self._context.registry}:
                with suppress(NotFound):
                    if image.diff_ids and images.resolve(used).diff_ids[: len(image.diff_ids)] == image.diff_ids:
                        found.add(used)
        return found

    async def _summary(self, container: Container, names: builtins.list[str], *, size: bool) -> ContainerSummary:
        context = self._context
        document = inspect.summary(
            container,
            now=datetime.fromisoformat(context.clock.now()),
            names=names,
            image=container.spec.config.get("Image") or container.image_id,
            endpoints=container.endpoints,
            networks=self._networks_of(container),
        )
        if manifest := self._manifest_of(container):
            document["ImageManifestDescriptor"] = manifest
        if size:
            own = await asyncio.to_thread(context.snapshots.size_of, container.id, container.chain_id)
            document["SizeRw"] = own
            document["SizeRootFs"] = own + context.images.size_of(container.image_id)
        return document

    async def archive(self, ref: str, path: str) -> Archive:
        """Return a path as an archive (see ``archive.py``); to be closed."""
        return await archive.get(self._context, ref, path)

    async def read_archive(self, ref: str, path: str) -> Archive:
        """As :meth:`archive`, for one that is about to be read: an event tells."""
        found = await archive.get(self._context, ref, path)
        archive.told(self._context, ref, path)
        return found

    async def extract(
        self,
        ref: str,
        path: str,
        chunks: AsyncIterator[bytes],
        *,
        keep_kinds: bool = False,
        own: bool = False,
    ) -> None:
        """Unpack an archive into a folder (see ``archive.py``)."""
        asked = archive.Extraction(ref, path, keep_kinds=keep_kinds, own=own)
        await archive.put(self._context, asked, chunks)

    async def export(self, ref: str) -> AsyncIterator[bytes]:
        """Return the whole root as an archive (see ``export.py``)."""
        return await export.export(self._context, ref)

    async def changes(self, ref: str) -> builtins.list[FilesystemChange]:
        """Return what differs from the image (see ``changes.py``)."""
        with self._timed("changes"):
            return await changes.changes(self._context, ref)

    async def commit(
        self,
        ref: str,
        *,
        repository: str = "",
        tag: str | None = None,
        author: str = "",
        comment: str = "",
        pause: bool = True,
        changes: Iterable[str] = (),
        config: ContainerConfig | None = None,
    ) -> str:
        """Make an image of a container and return its id (see ``commit.py``)."""
        asked = commit.Commit(repository, tag, author, comment, pause, changes, config)
        with self._timed("commit"):
            return await commit.commit(self._context, ref, asked)

    async def steps(self, ref: str) -> dict[str, int]:
        """Return how many microseconds each step of a container's last start took, in the order they were taken."""
        return dict(self._context.registry.resolve(ref).steps_us)

    async def list(
        self,
        *,
        all: bool = False,  # noqa: A002  # the API's word
        limit: int | None = None,
        size: bool = False,
        filters: Mapping[str, list[str]] | None = None,
    ) -> list[ContainerSummary]:
        """Return containers, newest first: the running ones, or all (docker ps)."""
        filters = filters or {}
        selection.check(filters)
        everything = all or bool(limit) or bool(filters.keys() & {"status", "exited"})
        chosen = [c for c in self._in_order(filters) if everything or c.state.alive or c.state.status == "restarting"]
        ancestors = self._ancestors(filters.get("ancestor", []))
        simple = {k: v for k, v in filters.items() if k not in ("before", "since")}
        chosen = [c for c in chosen if selection.matches(c, simple, ancestors=ancestors)]
        names = self._context.registry.names()
        return [await self._summary(c, names[c.id], size=size) for c in (chosen[:limit] if limit else chosen)]
