"""RUN: a command in a container of its own, confined as docker run confines; its network goes with it."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack, asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from wharf.build.operations.exec import Output, Step
from wharf.engine.containers import user_namespace
from wharf.engine.containers.attach import stream_pair
from wharf.engine.containers.endpoints import is_user_defined
from wharf.engine.containers.user_namespace import Prepared
from wharf.engine.context import Context
from wharf.engine.ocispec.build import build
from wharf.engine.ocispec.inputs import Inputs, Joined
from wharf.errors import Conflict, InvalidArgument, NotImplementedHere
from wharf.lib.finishing import to_the_end
from wharf.lib.stdcopy import Demultiplexer
from wharf.network import files
from wharf.network.endpoint import Endpoint, Wish
from wharf.processes.processes import ProcessFailed
from wharf.processes.shim import Shim
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.oci_runtime import Spec
from wharf.spec.resolver_messages import ADDRESS
from wharf.spec.shim_messages import SpawnRequest

HOSTNAME: Final = "buildkitsandbox"
_CHUNK: Final = 1 << 16


@dataclass(frozen=True, slots=True)
class Streams:
    """How a command is connected."""

    terminal: bool = False
    stdin: bool = False


@dataclass(frozen=True, slots=True)
class Running:
    """A command that runs: Docker's own bytes are on ``socket``, as with containers."""

    shim: Shim
    socket: socket.socket
    spec: Spec


class StepRunner:
    """Runs the commands of builds."""

    def __init__(self, context: Context, limits: HostConfig | None = None) -> None:
        """Remember what every command gets: ``limits`` are memory, processors and the like."""
        self._context = context
        self._limits = limits or {}

    async def run(self, step: Step, output: Output) -> int:
        """Run a command to its end and return its exit code; killed when cancelled.

        Raises:
            InvalidArgument: it cannot be executed.
            NotImplementedHere: it asks for devices.
        """
        async with self.started(step) as running:
            await _carry(running.socket, output)
            return (await running.shim.exited)["exit_code"]

    @asynccontextmanager
    async def started(self, step: Step, streams: Streams = Streams()) -> AsyncIterator[Running]:
        """Run a command while within; at the end it is killed, and its network goes.

        Raises:
            InvalidArgument: it cannot be executed.
            NotImplementedHere: it asks for devices.
        """
        if required := [name for name, needed in step.operation.devices if needed]:
            raise NotImplementedHere(f"devices are not supported in builds by this build of wharf: {required[0]}")
        endpoints: list[Endpoint] = []
        mode = step.operation.network
        user_namespace.check(self._context, self._host_config(step))
        held = ExitStack()
        user = user_namespace.anew(self._context, held)
        try:
            if mode not in ("none", "host") and (mode != "default" or self._context.options.networks.has_bridge):
                name = "bridge" if mode == "default" else mode
                # With a name of its own it finds others by theirs.
                names = (step.id[:12],) if is_user_defined(name) else ()
                wish = Wish(name, names=names, origin=user.origin if user else None)
                endpoints = await self._context.networks.attach(step.id, [wish], name=step.id)
            spec = await self._spec(step, endpoints, user, tty=streams.terminal)
            await asyncio.to_thread(self._write, step, endpoints)
            async with self._supervised(step, spec, streams) as running:
                yield running
        finally:
            held.close()
            if endpoints:
                await to_the_end(asyncio.create_task(self._context.networks.release(step.id)))

    def _write(self, step: Step, endpoints: list[Endpoint]) -> None:
        operation = step.operation
        hostname = operation.hostname or HOSTNAME
        own = operation.network == "host"
        host = Path("/etc/resolv.conf")
        resolv = files.resolv_conf(
            host.read_text() if host.exists() else "",
            keep_loopback=own,
            resolver=ADDRESS if any(one.names for one in endpoints) else "",
        )
        texts = {
            "hostname": f"{hostname}\n",
            "hosts": files.hosts(
                own=files.host_lines([one.ipv4 for one in endpoints if one.ipv4], hostname=hostname),
                gateways=self._context.options.networks.host_gateways(
                    operation.extra_hosts, endpoints, self._context.networks.resolve
                ),
                extra_hosts=operation.extra_hosts,
                base=Path("/etc/hosts").read_text() if own else "",
            ),
            "resolv.conf": resolv,
        }
        (step.folder / "rootfs").mkdir()
        for name, text in texts.items():
            (step.folder / name).write_text(text)

    async def _spec(self, step: Step, endpoints: list[Endpoint], user: Prepared | None, *, tty: bool) -> Spec:
        operation, context = step.operation, self._context
        sandbox = endpoints[0].sandbox if endpoints else ("" if operation.network == "host" else None)
        parent = operation.cgroup_parent.strip("/") or f"wharf/{context.data.key}"
        spec = build(
            Inputs(
                container_id=step.id,
                name=step.id,
                config={"Env": list(step.env), "User": operation.user, "WorkingDir": operation.cwd, "Tty": tty},
                host_config=self._host_config(step),
                argv=list(operation.args),
                hostname=operation.hostname or HOSTNAME,
                folder=step.folder,
                cgroups_path=f"/{parent}/{step.id}",
                sandbox=sandbox,
                mounts=[],
                devices=[],
                joined=Joined(),
                facts=context.facts,
                user=await user.enter(sandbox) if user else None,
            )
        )
        asked = {mount["destination"] for mount in step.mounts}
        spec["root"]["path"] = "rootfs"
        if operation.mounts[0].read_only:
            spec["root"]["readonly"] = True
        spec["mounts"] = [one for one in spec["mounts"] if one["destination"] not in asked]
        spec["mounts"] += user_namespace.mapped(step.mounts) if user else step.mounts
        return spec

    def _host_config(self, step: Step) -> HostConfig:
        operation = step.operation
        host: HostConfig = {
            **self._limits,
            "NetworkMode": operation.network,
            "Ulimits": [{"Name": name, "Soft": soft, "Hard": hard} for name, soft, hard in operation.ulimits],
            "Privileged": operation.security == "insecure",
        }
        if operation.shm_bytes:
            host["ShmSize"] = operation.shm_bytes
        return host

    @asynccontextmanager
    async def _supervised(self, step: Step, spec: Spec, streams: Streams) -> AsyncIterator[Running]:
        ours, theirs = stream_pair()
        with ours:
            with theirs:
                shim = await self._spawn(step, spec, streams, theirs)
            try:
                yield Running(shim, ours, spec)
            finally:
                await to_the_end(asyncio.create_task(_end(shim)))

    async def _spawn(self, step: Step, spec: Spec, streams: Streams, stream: socket.socket) -> Shim:
        context = self._context
        rooted = user_namespace.rooted(step.root, context.remapping.ids if context.remapping else None)
        request: SpawnRequest = {
            "id": step.id,
            "bundle": str(step.folder),
            "cgroup": spec["linux"]["cgroupsPath"],
            "terminal": streams.terminal,
            "own_pids": True,
            "rootfs": rooted["rootfs"],
            "shim_dir": str(context.run.shim(step.id)),
            "seccomp_cache": str(context.run.seccomp),
            "open_stdin": streams.stdin,
            "stdin_once": streams.stdin,
            "log": {"driver": "none", "path": ""},
            "attachments": [{"stdin": streams.stdin, "stdout": True, "stderr": True}],
        }
        if "owner" in rooted:
            request["owner"] = rooted["owner"]
        try:
            return await context.processes.spawn(request, spec, [stream])
        except ProcessFailed as error:
            raise InvalidArgument(f"failed to create task for container: {error.message}") from error


async def _carry(stream: socket.socket, output: Output) -> None:
    loop = asyncio.get_running_loop()
    demultiplexer = Demultiplexer()
    while chunk := await loop.sock_recv(stream, _CHUNK):
        for number, data in demultiplexer.feed(chunk):
            output(number, data)


async def _end(shim: Shim) -> None:
    if not shim.exited.done():
        with suppress(Conflict):  # it ended by itself
            await shim.kill(9)
    await shim.exited
    shim.forget()
