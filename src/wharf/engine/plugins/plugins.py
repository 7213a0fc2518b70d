"""docker plugin …: plugins that the engine installs from registries, and runs."""

from __future__ import annotations

import asyncio
import builtins
from collections.abc import AsyncGenerator, AsyncIterator, Sequence
from contextlib import aclosing
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Final

from wharf.engine.context import Context, log
from wharf.engine.logs.plugin_stream import sweep
from wharf.engine.plugins import folder, setting, transfer
from wharf.engine.plugins.collectors import Collectors
from wharf.engine.plugins.config import capabilities, defaults, granted, privileges, require_runnable
from wharf.engine.plugins.process import PluginProcess
from wharf.engine.plugins.record import PluginRecord
from wharf.engine.plugins.users import users
from wharf.errors import Conflict, Forbidden, InvalidArgument, WharfError
from wharf.images.bridge import Blocking
from wharf.images.progress import Document, Progress
from wharf.images.registry.credentials import Credentials, parse_registry_auth
from wharf.lib.filters import Filters, require_known, truth
from wharf.lib.plugin_names import local_name, local_reference
from wharf.lib.reference import Reference, parse_reference
from wharf.spec.engine_api.plugin import Plugin, PluginPrivilege

_FILTERS: Final = ("capability", "enabled")
_PATIENCE_S: Final = 10.0


@dataclass(frozen=True, slots=True)
class _Wanted:
    """What is to be installed."""

    reference: Reference
    name: str  # here
    grants: Sequence[PluginPrivilege]
    credentials: Credentials


class PluginVerbs:
    """The plugins of one engine."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._records = context.plugins
        self.collectors = Collectors(context)
        self._processes: dict[str, PluginProcess] = {}
        self._blocking = Blocking()
        self._uploads = Blocking()  # of their own: one goes on as long as its client likes
        self._lock = asyncio.Lock()  # one change at a time: there are few, and names are taken by them

    async def start(self) -> None:
        """Take up what an earlier engine left, and start what is enabled; before containers, which may need it."""
        known = [(record.id, record.manifest) for record in self._records]
        await self._blocking.run(partial(folder.sweep, self._context.data, known))
        for streams in (self._context.run.logging, *(self._context.run.plugin_streams(one) for one, _ in known)):
            await self._blocking.run(partial(sweep, streams))
        await asyncio.gather(*(self._resume(record) for record in [*self._records]))

    async def _resume(self, record: PluginRecord) -> None:
        process = PluginProcess(self._context, record, self.collectors.begin)
        try:
            if not record.enabled:
                await self._context.processes.abolish(record.id, f"/wharf/{self._context.data.key}/{record.id}")
                await process.stop()
                return
            if not await process.adopt():
                await process.start(_PATIENCE_S)
        except (WharfError, OSError) as error:  # the engine starts, whatever is wrong with one plugin
            log.warning("plugin %s was not started, and is disabled: %s", record.name, error)
            self._records.save(replace(record, enabled=False))
        else:
            self._processes[record.id] = process

    async def list(self, filters: Filters | None = None) -> builtins.list[Plugin]:
        """Return the plugins that match, by name; filters are ``enabled`` and ``capability``.

        Raises:
            InvalidArgument: a filter is unknown or malformed.
        """
        given = filters or {}
        require_known(given, _FILTERS)
        enabled, kinds = truth(given, "enabled"), given.get("capability") or []
        return [
            record.document()
            for record in self._records
            if enabled in (None, record.enabled) and capabilities(record.config).issuperset(kinds)
        ]

    async def inspect(self, ref: str) -> Plugin:
        """Return all of a plugin; NotFound when there is none."""
        return self._records.resolve(ref).document()

    async def privileges(self, remote: str, *, auth: str = "") -> builtins.list[PluginPrivilege]:
        """Return what the plugin that a registry has wants beyond what every container has.

        Raises:
            NotFound: the registry has no such plugin.
            InvalidArgument: ``remote`` is malformed, or what the registry has is no plugin.
        """
        reference = parse_reference(remote).with_default_tag()
        artifact = self._context.images.transfers.artifact(reference, parse_registry_auth(auth))
        return privileges((await transfer.look(artifact))[3])

    async def create(self, name: str, chunks: AsyncIterator[bytes]) -> None:
        """Make a plugin of an archive with ``config.json`` and ``rootfs/``.

        Raises:
            InvalidArgument: the name, the archive or the configuration is malformed.
            Conflict: a plugin has that name.
        """
        reference = local_reference(name)
        self._records.require_free(reference.familiar)
        plugin_id, data = self._context.new_id(), self._context.data
        async with folder.draft(data, self._blocking) as place:
            made = await self._uploads.run_with(chunks, lambda source: folder.from_archive(source, place))
            async with self._lock:
                self._records.require_free(reference.familiar)
                settings = defaults(made.config)
                record = PluginRecord(
                    plugin_id, reference.familiar, reference.familiar, made.manifest, made.config, settings
                )
                await self._keep(record, place)
        self._publish("create", plugin_id, reference.familiar)

    async def pull(
        self, remote: str, *, name: str | None = None, grants: Sequence[PluginPrivilege] = (), auth: str = ""
    ) -> AsyncGenerator[Document, None]:
        """Install a plugin from its registry, disabled; yields progress.

        Args:
            remote: its reference.
            name: what to call it here; as the registry does by default.
            grants: what it may have, exactly what :meth:`privileges` tells.
            auth: an ``X-Registry-Auth`` header: who asks.

        Raises:
            NotFound: the registry has no such plugin.
            Conflict: a plugin has that name.
            Forbidden: it wants other privileges than were granted.
        """
        reference = parse_reference(remote).with_default_tag()
        called = local_name(remote, name)
        self._records.require_free(called)
        progress = Progress()
        work = self._install(_Wanted(reference, called, grants, parse_registry_auth(auth)), progress)
        async with aclosing(progress.follow(work)) as documents:
            async for document in documents:
                yield document

    async def upgrade(
        self, ref: str, remote: str, *, grants: Sequence[PluginPrivilege] = (), auth: str = ""
    ) -> AsyncGenerator[Document, None]:
        """Put another image in a plugin's place; its settings stay where they can. Arguments as :meth:`pull`.

        Raises:
            NotFound: there is no such plugin here, or none at the registry.
            Conflict: it is enabled.
            Forbidden: it wants other privileges than were granted.
        """
        record = self._records.resolve(ref)
        if record.enabled:
            raise Conflict(f"plugin must be disabled before upgrading: plugin {record.name} is enabled")
        reference = parse_reference(remote).with_default_tag()
        progress = Progress()
        work = self._install(_Wanted(reference, record.name, grants, parse_registry_auth(auth)), progress, record.id)
        async with aclosing(progress.follow(work)) as documents:
            async for document in documents:
                yield document

    async def _install(self, wanted: _Wanted, progress: Progress, upgraded: str = "") -> None:
        data, reference = self._context.data, wanted.reference
        artifact = self._context.images.transfers.artifact(reference, wanted.credentials)
        async with folder.draft(data, self._blocking) as place:
            made = await transfer.bring(artifact, reference, place, progress, self._blocking)
            if not granted(made.config, wanted.grants):
                raise Forbidden("incorrect privileges")
            async with self._lock:
                await self._keep(self._record_of(made, wanted, upgraded), place)
        self._publish("pull", reference.familiar, wanted.name)

    async def _keep(self, record: PluginRecord, place: Path) -> None:
        """Move a draft to where it belongs, and write that down; what is not written down does not stay."""
        data = self._context.data
        try:
            await self._blocking.run(partial(folder.keep, data, record.id, place, record.manifest))
            self._records.save(record)
        finally:
            written = self._records.resolve(record.id).manifest if record.id in self._records else None
            await self._blocking.run(partial(folder.leave, data, record.id, written))

    def _record_of(self, made: folder.Made, wanted: _Wanted, upgraded: str) -> PluginRecord:
        """Return the record of what came: a new plugin's, or the ``upgraded`` one's with what was set of it."""
        settings, came_from = defaults(made.config), wanted.reference.familiar
        if not upgraded:
            self._records.require_free(wanted.name)
            return PluginRecord(self._context.new_id(), wanted.name, came_from, made.manifest, made.config, settings)
        old = self._disabled(upgraded)
        kept = setting.carried_over(old.config, old.settings, made.config, settings)
        return replace(old, reference=came_from, manifest=made.manifest, config=made.config, settings=kept)

    def _disabled(self, plugin_id: str) -> PluginRecord:
        record = self._records.resolve(plugin_id)
        if record.enabled:
            raise Conflict(f"plugin {record.name} is enabled")
        return record

    async def push(self, ref: str, *, auth: str = "") -> AsyncGenerator[Document, None]:
        """Send a plugin to the registry of its name; yields progress. NotFound when there is none."""
        record = self._records.resolve(ref)
        reference = parse_reference(record.name)
        progress = Progress()
        place = folder.image_of(self._context.data, record.id, record.manifest)

        async def work() -> None:
            artifact = self._context.images.transfers.artifact(reference, parse_registry_auth(auth))
            await transfer.send(artifact, reference, place, progress)
            self._publish("push", record.name, record.name)

        async with aclosing(progress.follow(work())) as documents:
            async for document in documents:
                yield document

    async def set(self, ref: str, assignments: Sequence[str]) -> None:
        """Change settings, ``NAME[.FIELD]=VALUE`` each; all or none.

        Raises:
            NotFound: there is no such plugin.
            Conflict: it is enabled.
            InvalidArgument: it has no such setting, or does not let it be set.
        """
        async with self._lock:
            record = self._records.resolve(ref)
            if record.enabled:
                raise Conflict("cannot set on an active plugin, disable plugin before setting")
            settings = setting.changed(record.config, record.settings, assignments)
            self._records.save(replace(record, settings=settings))

    async def enable(self, ref: str, *, timeout_s: int = 0) -> None:
        """Start a plugin, and wait until it listens.

        Args:
            ref: which.
            timeout_s: how long to wait for each of its answers from now on; 0 for the usual 30 s.

        Raises:
            NotFound: there is no such plugin.
            Conflict: it is enabled.
            InvalidArgument: its program cannot be executed.
            NotImplementedHere: nobody here would ask it for anything.
            Unavailable: it does not listen.
        """
        if timeout_s < 0:
            raise InvalidArgument(f"negative value {timeout_s} is invalid for --timeout")
        async with self._lock:
            record = self._records.resolve(ref)
            if record.enabled:
                raise Conflict(f"plugin already enabled: plugin {record.name} is enabled")
            require_runnable(record.config)
            record = replace(record, enabled=True, timeout_s=timeout_s)
            process = PluginProcess(self._context, record, self.collectors.begin)
            await process.start(_PATIENCE_S)
            self._processes[record.id] = process
            self._records.save(record)
            await self.collectors.begin(record)
        self._publish("enable", record.id, record.name)

    async def disable(self, ref: str, *, force: bool = False) -> None:
        """End a plugin; with ``force`` also one that keeps volumes.

        Raises:
            NotFound: there is no such plugin.
            Conflict: it is disabled, or in use.
        """
        async with self._lock:
            record = self._records.resolve(ref)
            if not record.enabled:
                raise Conflict(f"plugin is already disabled: plugin {record.name} found but disabled")
            await self._stop(record, force=force)
        self._publish("disable", record.id, record.name)

    async def _stop(self, record: PluginRecord, *, force: bool) -> None:
        if not force and (user := next(users(self._context, record), "")):
            raise Conflict(f"plugin {record.name} is in use by {user}")
        if record.enabled:
            self._records.save(replace(record, enabled=False))
        await self.collectors.end(record)
        if (process := self._processes.pop(record.id, None)) is not None:
            await process.stop()

    async def remove(self, ref: str, *, force: bool = False) -> None:
        """Remove a plugin with all that it has written; with ``force`` also one that is enabled, or in use.

        Raises:
            NotFound: there is no such plugin.
            Conflict: it is enabled, or in use.
        """
        async with self._lock:
            record = self._records.resolve(ref)
            if record.enabled and not force:
                raise Conflict(f"plugin {record.name} is enabled")
            await self._stop(record, force=force)
            self._records.forget(record.id)
            await self._blocking.run(partial(folder.leave, self._context.data, record.id, None))
        self._publish("remove", record.id, record.name)

    def _publish(self, action: str, actor: str, name: str) -> None:
        self._context.events.publish("plugin", action, actor, {"name": name})
