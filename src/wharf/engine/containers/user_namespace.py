"""The user namespace that a container has where the engine remaps users, unless it asks for the host's.

It comes first: a network namespace belongs to the user namespace in which it is made, and whoever is root there may
administer it. So a container's network is made within its user namespace, ahead of the container; and whose it is, is
asked of the kernel again.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from contextlib import ExitStack
from typing import Final

from wharf.engine.containers import networking
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.ocispec.inputs import UserNamespace
from wharf.engine.ocispec.namespaces import shares_host
from wharf.engine.remapping import Remapping
from wharf.errors import Conflict, InvalidArgument, NotImplementedHere
from wharf.kernel import netns
from wharf.kernel.netns import Origin
from wharf.lib.remap import Remap
from wharf.spec.engine_api.container import HostConfig
from wharf.spec.oci_runtime import Mount
from wharf.spec.shim_messages import Rooted, RootfsMount

_CONTAINER: Final = "container:"


def check(context: Context, host: HostConfig) -> None:
    """Refuse, in Docker's words, what a container in a user namespace cannot have.

    Raises:
        InvalidArgument: it shares a namespace of the host's that it would have no right over, or wants all rights.
        NotImplementedHere: it wants another runtime than ours.
    """
    if not is_remapped(context, host):
        return
    if host.get("Privileged"):
        raise InvalidArgument(
            "privileged mode is incompatible with user namespaces.  You must run the container in the host namespace "
            "when running privileged mode"
        )
    if host.get("NetworkMode") == "host":
        raise InvalidArgument("cannot share the host's network namespace when user namespaces are enabled")
    if shares_host(host, "PidMode"):
        raise InvalidArgument("cannot share the host PID namespace when user namespaces are enabled")
    if context.options.runtimes.find(host.get("Runtime") or ""):
        raise NotImplementedHere(
            f"runtime {host.get('Runtime')} cannot run containers in user namespaces: use --userns=host with it"
        )


def is_remapped(context: Context, host: HostConfig) -> bool:
    """Return whether a container's users are others on the machine."""
    return context.remapping is not None and not shares_host(host, "UsernsMode")


class Prepared:
    """The user namespace of a container that starts, held open until it has."""

    __slots__ = ("_held", "_joined", "_remapping")

    def __init__(self, remapping: Remapping, held: ExitStack, joined: int = -1) -> None:
        """Prepare for a new one, or for that of the descriptor ``joined``."""
        self._remapping = remapping
        self._held = held
        self._joined = joined

    @property
    def origin(self) -> Origin:
        """What makes the container's network namespace."""
        return self._remapping.origin if self._joined == -1 else self._remapping.within(self._joined)

    async def enter(self, sandbox: str | None) -> UserNamespace:
        """Return the namespace; ``sandbox`` is that of :class:`wharf.engine.containers.networking.Attached`."""
        fd = self._joined
        if fd == -1:
            fd = _keep(self._held, await self._remapping.make() if sandbox is None else _owner_of(sandbox))
        return UserNamespace(f"/proc/{os.getpid()}/fd/{fd}", self._remapping.ids)


def prepare(context: Context, container: Container, held: ExitStack) -> Prepared | None:
    """Find out which user namespace a container that starts is to have; None: the host's.

    Args:
        context: the engine's.
        container: which.
        held: keeps what is opened until it is closed.

    Raises:
        Conflict: it shares namespaces of containers that do not run, or have another user namespace.
        InvalidArgument, NotImplementedHere: as :func:`check`: the container may be older than the engine's mappings.
    """
    host = container.spec.host_config
    check(context, host)
    if context.remapping is None or not is_remapped(context, host):
        return None
    joined = -1
    for mode in (host.get("NetworkMode"), host.get("PidMode"), host.get("IpcMode")):
        if mode and mode.startswith(_CONTAINER):
            fd = _keep(held, _of_another(context, mode.removeprefix(_CONTAINER)))
            if joined != -1 and not os.path.sameopenfile(fd, joined):
                raise Conflict("cannot share namespaces of several containers: each has a user namespace of its own")
            joined = fd
    return Prepared(context.remapping, held, joined)


def anew(context: Context, held: ExitStack) -> Prepared | None:
    """Return the user namespace of a container that shares nobody's; None: the engine remaps no users."""
    return Prepared(context.remapping, held) if context.remapping else None


def rooted(mounts: list[RootfsMount], ids: Remap | None) -> Rooted:
    """Return how a container's root is mounted, and whose its pipes are, where its users are these. Pure."""
    if ids is None:
        return {"rootfs": mounts}
    return {"rootfs": [{**one, "options": [*one["options"], "idmap"]} for one in mounts], "owner": ids.root}


def mapped(mounts: Sequence[Mount]) -> list[Mount]:
    """Return mounts of the engine's own folders, with a container's ids in its user namespace. Pure."""
    kinds = ("bind", "overlay")
    return [{**one, "options": [*one["options"], "idmap"]} if one["type"] in kinds else one for one in mounts]


def _of_another(context: Context, ref: str) -> int:
    other = networking.running(context, ref)
    fd = os.open(f"/proc/{other.state.pid}/ns/user", os.O_RDONLY | os.O_CLOEXEC)
    if os.path.samestat(os.fstat(fd), os.stat("/proc/self/ns/user")):
        os.close(fd)
        raise Conflict(
            f"cannot share a namespace of container {other.name}, which is in the host's user namespace: "
            "use --userns=host with this one too"
        )
    return fd


def _owner_of(sandbox: str) -> int:
    fd = netns.open_namespace(sandbox)
    try:
        return netns.open_owner(fd)
    finally:
        os.close(fd)


def _keep(held: ExitStack, fd: int) -> int:
    held.callback(os.close, fd)
    return fd
