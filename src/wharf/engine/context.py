"""What every use case works with: the services, the records, the clock; made once in ``engine.py``."""

from __future__ import annotations

import asyncio
import logging
import secrets
import time
from collections.abc import Coroutine
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from wharf.engine import scopes
from wharf.engine.containers.record import Container
from wharf.engine.containers.registry import Registry
from wharf.engine.events import Events
from wharf.engine.ocispec.inputs import HostFacts
from wharf.engine.options import EngineOptions
from wharf.engine.plugins.record import PluginRecords
from wharf.engine.remapping import Remapping
from wharf.images.images import Images
from wharf.kernel.cgroup.group import Cgroup, open_cgroup
from wharf.lib.measures import Measures
from wharf.lib.timestamps import rfc3339_nano
from wharf.network.networks import Networks
from wharf.processes.processes import Processes
from wharf.spec.engine_api.container import HostConfig
from wharf.storage.later import Later
from wharf.storage.layout import DataRoot, RunRoot
from wharf.storage.metadata import Database
from wharf.storage.snapshots import Snapshots
from wharf.volumes.volumes import Volumes

if TYPE_CHECKING:
    from wharf.engine.containers.placeholders import Lacking

log = logging.getLogger("wharf.engine")


class Clock:
    """The time, so that tests can bring their own."""

    def now(self) -> str:
        """Return the time as RFC 3339 in UTC with nanoseconds' digits, as Docker writes it."""
        return rfc3339_nano(self.now_ns())

    def now_ns(self) -> int:
        """Return the time in nanoseconds since the epoch."""
        return time.time_ns()


class Background:
    """The engine's own tasks: held, logged when they fail, cancelled or awaited when the engine closes."""

    def __init__(self) -> None:
        self._tasks: set[asyncio.Task[None]] = set()
        self._owed: set[asyncio.Task[None]] = set()

    def start(self, work: Coroutine[object, object, None], name: str) -> asyncio.Task[None]:
        """Run ``work`` until it ends or the engine closes."""
        return self._run(work, name, self._tasks)

    def finish(self, work: Coroutine[object, object, None], name: str) -> None:
        """Run ``work`` to its end: an engine that closes waits for it."""
        self._run(work, name, self._owed)

    def _run(
        self, work: Coroutine[object, object, None], name: str, among: set[asyncio.Task[None]]
    ) -> asyncio.Task[None]:
        task = asyncio.get_running_loop().create_task(work, name=name)
        among.add(task)
        task.add_done_callback(self._done)
        return task

    def _done(self, task: asyncio.Task[None]) -> None:
        self._tasks.discard(task)
        self._owed.discard(task)
        if not task.cancelled() and (error := task.exception()):
            log.error("%s failed", task.get_name(), exc_info=error)

    async def aclose(self) -> None:
        """Cancel all but those that are to finish, and wait for all."""
        for task in (tasks := list(self._tasks)):
            task.cancel()
        await asyncio.gather(*tasks, *self._owed, return_exceptions=True)


@dataclass(slots=True)
class Context:
    """One engine's parts."""

    data: DataRoot
    run: RunRoot
    database: Database
    snapshots: Snapshots
    images: Images
    networks: Networks
    volumes: Volumes
    processes: Processes
    registry: Registry
    plugins: PluginRecords
    events: Events
    facts: HostFacts
    clock: Clock = field(default_factory=Clock)
    background: Background = field(default_factory=Background)
    later: Later = field(default_factory=Later)
    measures: Measures = field(default_factory=Measures)
    lacking: dict[str, Lacking] = field(default_factory=dict)
    """What images have not of the files that every container has, by the name of their layers."""
    remapping: Remapping | None = None  # containers' users are others on the machine
    options: EngineOptions = field(default_factory=EngineOptions)
    """Replaced as a whole when the engine is given others: read it anew each time."""

    def new_id(self) -> str:
        """Return 64 random hex digits: the id of a container, a network or an exec."""
        return secrets.token_hex(32)

    def root_of(self, host: HostConfig) -> tuple[int, int]:
        """Return the machine's user and group that root of a container is."""
        if self.remapping is None or host.get("UsernsMode") == "host":
            return 0, 0
        return self.remapping.ids.root

    def volume_users(self, name: str) -> list[str]:
        """Return the ids of the containers that mount the volume ``name``."""
        return [c.id for c in self.registry if any(m.get("Name") == name for m in c.spec.mounts)]

    def cgroups_path(self, container: Container) -> str:
        """Return a container's cgroup: below --cgroup-parent when given, else below the engine's own."""
        if scope := self.scope_of(container):
            return scopes.path_of(scope)
        parent = (container.spec.host_config.get("CgroupParent") or "").strip("/")
        return f"/{parent or f'wharf/{self.data.key}'}/{container.id}"

    def scope_of(self, container: Container) -> str:
        """Return "slice:prefix:name" of the scope that systemd makes for a container; "" when we make its group."""
        if self.options.cgroup_driver != scopes.DRIVER:
            return ""
        return scopes.scope_of(container.spec.host_config.get("CgroupParent") or "", self.data.key, container.id)

    def cgroup_of(self, container: Container) -> Cgroup:
        """Return the handle of a container's cgroup; its methods block."""
        return open_cgroup(container.shim.cgroup if container.shim else self.cgroups_path(container))
