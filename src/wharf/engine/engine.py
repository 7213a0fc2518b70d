"""The engine: containers in any Python program, with no daemon; the daemon serves one over HTTP."""

from __future__ import annotations

import asyncio
import errno
import os
import socket
from collections.abc import Iterable, Mapping
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Self

from wharf.engine import remapping, request, scopes
from wharf.engine.authorization import Authorization
from wharf.engine.builds.builds import BuildVerbs
from wharf.engine.completed import Completed, run_to_completion
from wharf.engine.containers import validate
from wharf.engine.containers.collection import Containers
from wharf.engine.containers.reconcile import end_strangers, reconcile
from wharf.engine.containers.registry import Registry
from wharf.engine.context import Context
from wharf.engine.events import Events
from wharf.engine.execs import Execs
from wharf.engine.facts import read_facts
from wharf.engine.images import ImageVerbs
from wharf.engine.networks import NetworkVerbs, publish_repair
from wharf.engine.ocispec.usual import usual
from wharf.engine.options import EngineOptions
from wharf.engine.plugins.places import network_plugins, volume_drivers
from wharf.engine.plugins.plugins import PluginVerbs
from wharf.engine.plugins.record import PluginRecords
from wharf.engine.system import System
from wharf.engine.under_way import UnderWay
from wharf.engine.volumes import VolumeVerbs
from wharf.engine.workspace import HOLDER, Workspace, workspace
from wharf.images.images import Images
from wharf.kernel.cgroup.group import open_cgroup
from wharf.kernel.libc import suppress_errno
from wharf.network.driver import Others
from wharf.network.networks import Networks
from wharf.network.outside import outside_of
from wharf.processes.processes import Processes
from wharf.spec.engine_api.container import HostConfig
from wharf.storage.content import ContentStore
from wharf.storage.later import Later
from wharf.storage.layout import DataRoot, RunRoot, default_places, run_root_of
from wharf.storage.lock import EngineLock
from wharf.storage.metadata import Database
from wharf.storage.roots.choice import choose
from wharf.storage.snapshots import Snapshots
from wharf.volumes.volumes import Volumes

_DATA_MODE: Final = 0o710
"""As Docker's: a container may leave programs there that run as root for whoever gets to them (CVE-2021-41091)."""


@dataclass(frozen=True, slots=True)
class _Opened:
    context: Context
    containers: Containers
    execs: Execs
    images: ImageVerbs
    networks: NetworkVerbs
    volumes: VolumeVerbs
    system: System
    builds: BuildVerbs
    plugins: PluginVerbs
    authorization: Authorization
    loop: asyncio.AbstractEventLoop


class Engine:
    """A container engine that owns one data root, and lives in the event loop in which it is entered.

    An async context manager: entering takes the root's lock, finds the containers that run and settles what ended
    meanwhile; leaving lets containers run on (another engine, or the daemon, finds them again).

    Args:
        root: the data root; the daemon's own by default.
        run_root: where sockets and namespaces live; derived from ``root`` by default.
        options: defaults for containers, registries and networks.
    """

    def __init__(
        self,
        root: str | os.PathLike[str] | None = None,
        run_root: str | os.PathLike[str] | None = None,
        options: EngineOptions | None = None,
    ) -> None:
        self._options = options or EngineOptions()
        self._data = DataRoot(Path(root or default_places().data_root).absolute())
        self._run = RunRoot(Path(run_root).absolute()) if run_root else run_root_of(self._data.path)
        self._stack = AsyncExitStack()
        self._opened: _Opened | None = None
        self._under_way = UnderWay()

    async def __aenter__(self) -> Self:
        """Open the engine.

        Raises:
            Conflict: another engine owns the root.
            Forbidden: not root.
            NotImplementedHere: the machine cannot run containers, or an option is not supported.
            InvalidArgument: an option cannot be.
        """
        validate.host_config(self._options.containers.fill({}))
        if self._options.cgroup_driver == scopes.DRIVER:
            await asyncio.to_thread(scopes.require_systemd, rootless=read_facts().rootless)
        async with AsyncExitStack() as stack:
            self._opened = await self._open(stack)
            self._stack = stack.pop_all()
        return self

    async def __aexit__(self, *exc_info: object) -> None:
        """Close the engine; containers go on, but for those of :meth:`run`, which end."""
        await self._under_way.end()
        opened, self._opened = self._opened, None
        if opened:
            opened.context.events.close()
            for container in opened.context.registry:
                async with container.lock:  # whatever is under way to this container is done first
                    pass
        await self._stack.aclose()

    async def reload(self, options: EngineOptions, attributes: Mapping[str, str]) -> None:
        """Take other options, once plugins that they name have answered; an event tells ``attributes``.

        Raises:
            InvalidArgument, NotImplementedHere, NotFound, Conflict, Unavailable: an option cannot be, and the old
                ones stay.
        """
        validate.host_config(options.containers.fill({}))
        opened = self._open_or_fail()
        await asyncio.to_thread(opened.authorization.require, options.authorization)
        context = self._open_or_fail().context
        context.images.reload(options.registries)
        self._options = context.options = options
        context.events.publish("daemon", "reload", context.data.key, {"name": socket.gethostname(), **attributes})

    async def _open(self, stack: AsyncExitStack) -> _Opened:
        facts, data, run = read_facts(), self._data, self._run
        _take(data, run, stack)
        stack.callback(_remove_empty_parents, data.key, self._options.cgroup_driver)
        database = Database(data.database)
        stack.callback(database.close)
        content = ContentStore(data)
        snapshots = Snapshots(data, database, choose(self._options.storage_driver, data))
        images = Images(data, database, content, snapshots, registries=self._options.registries)
        events = Events(database)
        registry, plugins = Registry(database), PluginRecords(database)
        outside = outside_of(facts.world, Path(default_places().run_root) / "rootless")
        networks = Networks(
            data,
            run,
            database,
            report=lambda repair: publish_repair(events, data.key, repair),
            defaults=self._options.networks,
            outside=outside,
            others=Others(self._options.network_drivers or {}, network_plugins(run, plugins)),
        )
        later = Later()
        stack.push_async_callback(later.aclose)
        # A plain user makes no device nodes ahead, and what is born ahead has no user namespace.
        made_ahead = None if facts.rootless or self._options.userns_remap else usual(facts)
        processes = Processes(run, made_ahead, later=later, open_files=self._options.open_files)
        context = Context(
            data=data,
            run=run,
            database=database,
            snapshots=snapshots,
            images=images,
            networks=networks,
            volumes=Volumes(data, database, snapshots, managed=volume_drivers(data, run, plugins)),
            processes=processes,
            registry=registry,
            plugins=plugins,
            events=events,
            facts=facts,
            options=self._options,
            later=later,
            remapping=await remapping.of(self._options.userns_remap, processes, rootless=facts.rootless),
        )
        await processes.start()
        stack.push_async_callback(processes.aclose)
        await remapping.require(context.remapping, data, snapshots.roots)
        stack.push_async_callback(networks.aclose)
        stack.push_async_callback(images.aclose)
        stack.push_async_callback(context.background.aclose)
        registry.load()
        await end_strangers(context)
        await images.start()
        plugin_verbs, authorization = PluginVerbs(context), Authorization(context)
        await plugin_verbs.start()
        await asyncio.to_thread(authorization.require, self._options.authorization)
        await reconcile(context)
        if outside.usable:
            context.background.start(networks.mend(), "mend networks")
        builds = BuildVerbs(context)
        await builds.start()
        containers = Containers(context, execs := Execs(context))
        return _Opened(
            context,
            containers,
            execs,
            ImageVerbs(context),
            NetworkVerbs(context),
            VolumeVerbs(context),
            System(context, containers, builds),
            builds,
            plugin_verbs,
            authorization,
            asyncio.get_running_loop(),
        )

    def _open_or_fail(self) -> _Opened:
        if self._opened is None:
            raise RuntimeError("the engine is not open: use it as `async with wharf.Engine() as engine:`")
        if _loop_here() not in {None, self._opened.loop}:
            raise RuntimeError(
                "the engine is open in another event loop: from there, use it by asyncio.run_coroutine_threadsafe"
            )
        return self._opened

    @property
    def containers(self) -> Containers:
        """Containers."""
        return self._open_or_fail().containers

    @property
    def execs(self) -> Execs:
        """More processes in running containers."""
        return self._open_or_fail().execs

    @property
    def images(self) -> ImageVerbs:
        """Images."""
        return self._open_or_fail().images

    @property
    def networks(self) -> NetworkVerbs:
        """Networks."""
        return self._open_or_fail().networks

    @property
    def volumes(self) -> VolumeVerbs:
        """Volumes."""
        return self._open_or_fail().volumes

    @property
    def builds(self) -> BuildVerbs:
        """Building images."""
        return self._open_or_fail().builds

    @property
    def plugins(self) -> PluginVerbs:
        """Plugins that the engine installs and runs."""
        return self._open_or_fail().plugins

    @property
    def authorization(self) -> Authorization:
        """Plugins that are asked about requests to the API."""
        return self._open_or_fail().authorization

    @property
    def system(self) -> System:
        """The engine itself: version, info, events."""
        return self._open_or_fail().system

    async def run(
        self,
        image: str,
        command: Iterable[str] = (),
        *,
        stdin: bytes | None = None,
        environment: Mapping[str, str] | None = None,
        network: str = "none",
        timeout_s: float | None = None,
        limit_bytes: int | None = None,
        host_config: HostConfig | None = None,
    ) -> Completed:
        """Run a command in a fresh container, wait for it, remove the container and return what it wrote.

        It ends with the program as well, however that ends, and when the engine is left. No log is kept of it, unless
        ``host_config`` asks for one.

        Args:
            image: a reference or an id of a stored image.
            command: the arguments; the image's own command when empty.
            stdin: what to feed it; None for /dev/null.
            environment: variables over the image's.
            network: none, bridge or host.
            timeout_s: kill it after this long.
            limit_bytes: how much of each output to keep; None for all.
            host_config: limits, mounts and the like, as the Engine API's HostConfig spells them.

        Raises:
            NotFound: there is no such image.
            InvalidArgument: the command cannot be executed, or an option is malformed.
            TimeoutError: ``timeout_s`` has passed; the container is gone.
            Unavailable: the engine was left meanwhile; the container is gone.
        """
        asked = request.container(image, environment=environment, network=network, host_config=host_config)
        asked["Cmd"] = request.arguments(command)
        asked["OpenStdin"] = asked["StdinOnce"] = request.fed(stdin) is not None
        async with self._under_way.within(timeout_s):
            return await run_to_completion(self.containers, asked, stdin, limit_bytes)

    def workspace(
        self,
        image: str,
        *,
        environment: Mapping[str, str] | None = None,
        network: str = "none",
        host_config: HostConfig | None = None,
        holder: Iterable[str] = HOLDER,
    ) -> AbstractAsyncContextManager[Workspace]:
        """Return a container to work in, as ``async with engine.workspace(image) as work:``; gone when that is left.

        It ends with the program as well, however that ends; the next engine on the same root then removes its record.
        No log is kept of it, unless ``host_config`` asks for one.

        Args:
            image: a reference or an id of a stored image.
            environment: variables over the image's, of all commands.
            network: none, bridge or host.
            host_config: limits, mounts and the like, as the Engine API's HostConfig spells them.
            holder: process 1: whatever goes on while its standard input does. The image must have it.

        Raises, when it is entered:
            NotFound: there is no such image.
            InvalidArgument: the image has no such holder, or an option is malformed.
        """
        asked = request.container(image, environment=environment, network=network, host_config=host_config)
        asked["Entrypoint"], asked["Cmd"] = request.arguments(holder, "holder"), []
        return workspace(self.containers, self.execs, asked)


def _loop_here() -> asyncio.AbstractEventLoop | None:
    """Return the loop that runs in this thread; none: what is asked for may be handed to the engine's."""
    try:
        return asyncio.get_running_loop()
    except RuntimeError:
        return None


def _remove_empty_parents(key: str, driver: str) -> None:
    """Remove the engine's own cgroups unless containers run on in them."""
    for path in (f"/wharf/{key}", *(reversed(scopes.slices_of(key)) if driver == scopes.DRIVER else ())):
        with suppress_errno(errno.EBUSY):
            open_cgroup(path).delete_now()


def _take(data: DataRoot, run: RunRoot, stack: AsyncExitStack) -> None:
    """Own the root until the stack's end; make its folders, of which those in the run root go again."""
    data.path.mkdir(mode=_DATA_MODE, parents=True, exist_ok=True)
    stack.enter_context(EngineLock(data.lock))
    data.path.chmod(_DATA_MODE)
    stack.callback(_remove_empty, run)
    for folder in (
        data.containers,
        data.snapshots,
        data.volumes,
        run.path,
        run.shims,
        run.netns,
        run.seccomp,
        run.build,
    ):
        folder.mkdir(mode=0o711, parents=True, exist_ok=True)


def _remove_empty(run: RunRoot) -> None:
    """Remove the folder of a run root that is one of many, unless containers run on; the lock is still held."""
    if run.shared is None:
        return
    with suppress_errno(errno.ENOENT, errno.ENOTEMPTY):
        run.shims.rmdir()
        for folder in run.path.iterdir():
            folder.rmdir()
        run.path.rmdir()
