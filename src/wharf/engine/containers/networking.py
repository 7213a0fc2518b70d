"""A container's network: what its mode means, its endpoint, its three files, and the namespaces it enters."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final, Literal

from wharf.engine.containers import endpoints, throttle
from wharf.engine.containers.record import Container
from wharf.engine.context import Context, log
from wharf.engine.ocispec.inputs import Joined
from wharf.errors import Conflict, InvalidArgument, NotFound, Unavailable, WharfError
from wharf.kernel.netns import Origin
from wharf.lib.ports import PortMapping, from_bindings, parse_port
from wharf.network import files
from wharf.network.endpoint import Endpoint
from wharf.network.publishing import NOT_PUBLISHED
from wharf.network.records import Network
from wharf.processes.shim import Shim
from wharf.spec.engine_api.container import EndpointSettings, HostConfig
from wharf.spec.resolver_messages import ADDRESS

_CONTAINER: Final = "container:"
_ENTERING: Final[tuple[Literal["PidMode", "IpcMode"], ...]] = ("PidMode", "IpcMode")


@dataclass(frozen=True, slots=True)
class Attached:
    """Where a container's traffic goes.

    ``sandbox``: the network namespace to enter; None: a new one with a loopback only; "": the host's.
    """

    sandbox: str | None
    endpoints: Sequence[Endpoint] = ()
    files_of: Container | None = None  # the container whose network it shares, and so its hosts and resolv.conf


async def attach(context: Context, container: Container, origin: Origin | None = None) -> Attached:
    """Give a container that starts its places in networks; :func:`release` undoes it.

    ``origin`` makes its sandbox, when that is not to belong to the engine's user namespace.

    Raises:
        NotFound: a network does not exist.
        Conflict: the container whose network it should share does not run, or a port is in use.
    """
    mode = endpoints.mode_of(container.spec.host_config)
    container.placed = False
    if mode.startswith("container:"):
        try:
            other = _in_its_network(context, mode.removeprefix("container:"))
        except NotFound as error:
            raise NotFound(f"joining network namespace of container: {error}") from error
        return Attached(f"/proc/{other.state.pid}/ns/net", files_of=other)
    wanted = endpoints.configured(container.spec)
    if mode == "host":
        return Attached("")
    if "none" in wanted or container.spec.config.get("NetworkDisabled"):
        return Attached(None)
    id_of = _finder(context)
    container.placed = True
    try:
        wishes = [endpoints.wish(container, name, settings, id_of) for name, settings in wanted.items()]
        with context.measures.timed("network", "allocate"):
            container.endpoints = await context.networks.attach(
                container.id,
                [replace(wish, origin=origin) for wish in wishes],
                ports=published(container),
                name=container.name,
            )
    except NotFound as error:
        raise NotFound(f"failed to set up container networking: {error}") from error
    except (Conflict, InvalidArgument, Unavailable) as error:
        if not str(error).startswith(NOT_PUBLISHED):
            raise
        raise WharfError(str(error)) from error  # 500, as with Docker
    for endpoint in container.endpoints:
        _publish(context, container, "connect", endpoint)
    return Attached(str(context.run.sandbox(container.id)), container.endpoints)


async def connect(context: Context, container: Container, network: str, settings: EndpointSettings) -> None:
    """Join a running container, whose lock the caller holds, to one more network.

    Raises as :meth:`wharf.network.networks.Networks.connect`.
    """
    wish = endpoints.wish(container, network, settings, _finder(context))
    before = container.endpoints
    container.placed = True
    with context.measures.timed("network", "connect"):
        container.endpoints = await context.networks.connect(
            container.id, container.state.pid, wish, ports=published(container), name=container.name
        )
    keep_ports(context, container, container.shim)
    _rewrite_hosts(context, container, add=_host_lines(container, container.endpoints[-1:]))
    _rewrite_resolv_conf(context, container, before)
    _publish(context, container, "connect", container.endpoints[-1])


async def disconnect(context: Context, container: Container, network: Network) -> None:
    """Take a running container, whose lock the caller holds, out of a network; idempotent."""
    before = container.endpoints
    leaving = [endpoint for endpoint in before if endpoint.network_id == network.id]
    container.endpoints = await context.networks.disconnect(container.id, network.id)
    keep_ports(context, container, container.shim)
    _rewrite_hosts(context, container, drop=_host_lines(container, leaving))
    _rewrite_resolv_conf(context, container, before)
    for endpoint in leaving:
        _publish(context, container, "disconnect", endpoint)


def keep_ports(context: Context, container: Container, shim: Shim | None) -> None:
    """Leave what listens for a running container's ports with its shim: they are let in while no engine is there."""
    if shim is None:
        return
    ports = [port for endpoint in container.endpoints for port in endpoint.ports]
    try:
        shim.keep_ports(context.networks.ports.listening(ports))
    except OSError as error:
        log.warning("published ports of container %s end with this engine: %s", container.name, error)


async def settle(context: Context, container: Container, found: list[Endpoint]) -> None:
    """Take over the endpoints that a running container was found with; finish a change of them that was cut short."""
    container.endpoints = found
    wanted = endpoints.configured(container.spec)
    for endpoint in found:
        if endpoint.network_name not in wanted:
            await disconnect(context, container, context.networks.resolve(endpoint.network_id))
    await throttle.settle(context, container)


async def release(context: Context, container: Container) -> None:
    """Take a container's places in networks away; idempotent."""
    if not container.placed:
        return
    gone, container.endpoints = container.endpoints, []
    with context.measures.timed("network", "release"):
        await context.networks.release(container.id)
    container.placed = False
    for endpoint in gone:
        _publish(context, container, "disconnect", endpoint)


def _publish(context: Context, container: Container, action: str, endpoint: Endpoint) -> None:
    attributes = {"container": container.id, "name": endpoint.network_name, "type": endpoint.driver}
    context.events.publish("network", action, endpoint.network_id, attributes)


def _finder(context: Context) -> Callable[[str], str]:
    def id_of(ref: str) -> str:
        try:
            return context.registry.resolve(ref).id
        except NotFound:
            return ref  # a link to one that is still to come: the resolver finds it by its name

    return id_of


def published(container: Container) -> list[PortMapping]:
    """Return the ports to publish: -p, and with -P every exposed one. Pure."""
    host = container.spec.host_config
    bindings = host.get("PortBindings") or {}
    mappings = from_bindings(bindings)  # type: ignore[arg-type]  # a TypedDict of strings is a Mapping of strings
    if host.get("PublishAllPorts"):
        exposed = container.spec.config.get("ExposedPorts") or {}
        mappings += [PortMapping(*parse_port(key)) for key in exposed if key not in bindings]
    return mappings


def unpublished(context: Context, container: Container) -> list[str]:
    """Return what the user should hear when none of a container's networks can publish its ports."""
    wanted = [] if not published(container) else list(endpoints.configured(container.spec))
    if not wanted or endpoints.mode_of(container.spec.host_config) in ("host", "none"):
        return []
    try:
        found = {context.networks.resolve(name).driver: context.networks.publishes(name) for name in wanted}
    except NotFound:
        return []  # the start will tell
    drivers = " and ".join(sorted(found))
    return [] if any(found.values()) else [f"Published ports are discarded: {drivers} networks do not publish any"]


def running(context: Context, ref: str) -> Container:
    """Return the running container ``ref``, whose namespaces another enters.

    Raises:
        Conflict: it does not run, in dockerd's words.
    """
    other = context.registry.resolve(ref)
    if not other.state.alive:
        raise Conflict(f"container {other.id} is not running")
    return other


def _in_its_network(context: Context, ref: str) -> Container:
    try:
        return running(context, ref)
    except Conflict as error:
        other = context.registry.resolve(ref)
        says = "cannot join network namespace of a non running container"
        raise Conflict(f"{says}: container {other.name} is {other.state.status}") from error


def with_ids(context: Context, host: HostConfig) -> HostConfig:
    """Return ``host`` with the ids of the containers whose namespaces it enters, however they were called.

    Raises:
        InvalidArgument: there is no such container; not NotFound, for which docker would go and pull the image.
    """
    filled: HostConfig = {**host}
    try:
        for field in _ENTERING:
            if (mode := host.get(field) or "").startswith(_CONTAINER):
                filled[field] = _CONTAINER + context.registry.resolve(mode.removeprefix(_CONTAINER)).id
    except NotFound as error:
        raise InvalidArgument(str(error)) from error
    return filled


def hostname(container: Container) -> str:
    """Return what a container calls itself; with the host's UTS namespace its kernel says otherwise."""
    return container.spec.config.get("Hostname") or container.id[:12]


def joined(context: Context, container: Container) -> Joined:
    """Return the namespaces of other containers that this one enters (--pid, --ipc container:…).

    Raises:
        Conflict: one does not run.
        InvalidArgument: one keeps its IPC to itself.
    """
    host, paths, shm_of = container.spec.host_config, {}, None
    if (mode := host.get("PidMode") or "").startswith(_CONTAINER):
        paths["pid"] = f"/proc/{_sharing_pids(context, mode.removeprefix(_CONTAINER)).state.pid}/ns/pid"
    if (mode := host.get("IpcMode") or "").startswith(_CONTAINER):
        shm_of = _sharing_ipc(context, mode.removeprefix(_CONTAINER)).state.pid
        paths["ipc"] = f"/proc/{shm_of}/ns/ipc"
    return Joined(paths, shm_of)


def _sharing_pids(context: Context, ref: str) -> Container:
    try:
        return running(context, ref)
    except Conflict as error:
        raise Conflict(f"failed to join PID namespace: {error}") from error


def _sharing_ipc(context: Context, ref: str) -> Container:
    says = "failed to join IPC namespace: "
    try:
        other = running(context, ref)
    except Conflict as error:
        raise Conflict(f"{says}{error}") from error
    mode = other.spec.host_config.get("IpcMode") or ""
    if mode not in ("shareable", "host") and not mode.startswith(_CONTAINER):
        hint = "non-shareable IPC (hint: use IpcMode:shareable for the donor container)"
        raise InvalidArgument(f"{says}container {other.id}: {hint}")
    return other


def write_files(context: Context, container: Container, attached: Attached) -> None:
    """Write hosts, hostname and resolv.conf into the container's folder, from where they are bind-mounted."""
    folder, host = str(context.data.container(container.id)), container.spec.host_config
    _write(f"{folder}/hostname", f"{hostname(container)}\n")
    if attached.files_of:
        theirs = context.data.container(attached.files_of.id)
        for name in ("hosts", "resolv.conf"):
            _write(f"{folder}/{name}", (theirs / name).read_text())
        return
    hosts = Path("/etc/hosts").read_text() if attached.sandbox == "" else ""
    extra, told = host.get("ExtraHosts") or [], context.options.networks
    _write(
        f"{folder}/hosts",
        files.hosts(
            own=_host_lines(container, attached.endpoints),
            gateways=told.host_gateways(extra, attached.endpoints, context.networks.resolve),
            extra_hosts=extra,
            base=hosts,
        ),
    )
    _write(f"{folder}/resolv.conf", _resolv_conf(container, attached.endpoints, shared=attached.sandbox == ""))


def _resolv_conf(container: Container, of: Sequence[Endpoint], *, shared: bool = False) -> str:
    """Return the text of resolv.conf for a container with those endpoints; ``shared``: on the host's network."""
    host = container.spec.host_config
    return files.resolv_conf(
        Path("/etc/resolv.conf").read_text() if os.path.exists("/etc/resolv.conf") else "",
        dns=host.get("Dns") or [],
        search=host.get("DnsSearch") or [],
        options=host.get("DnsOptions") or [],
        keep_loopback=shared,
        resolver=ADDRESS if any(endpoint.names for endpoint in of) else "",
    )


def _rewrite_resolv_conf(context: Context, container: Container, before: Sequence[Endpoint]) -> None:
    """Let a running container ask the resolver as soon as it is in a network with names, and no longer than it is.

    A file that somebody has changed in the container is left as it is.
    """
    path = context.data.container(container.id) / "resolv.conf"
    wanted = _resolv_conf(container, container.endpoints)
    if path.exists() and path.read_text() == _resolv_conf(container, before) != wanted:
        _write(str(path), wanted)


def _host_lines(container: Container, of: Sequence[Endpoint]) -> list[str]:
    """Return the lines of /etc/hosts by which a container finds itself."""
    domain = container.spec.config.get("Domainname") or ""
    return files.host_lines(endpoints.addresses(of), hostname=hostname(container), domainname=domain)


def _rewrite_hosts(
    context: Context, container: Container, *, add: Sequence[str] = (), drop: Sequence[str] = ()
) -> None:
    """Change our own lines of a running container's /etc/hosts; what was put in by others stays."""
    path = context.data.container(container.id) / "hosts"
    if path.exists():
        kept = [line for line in path.read_text().splitlines() if line not in drop]
        _write(str(path), "".join(f"{line}\n" for line in [*kept, *add]))


def add_hosts(context: Context, container: Container, lines: Sequence[str]) -> None:
    """Add lines to a container's /etc/hosts."""
    if lines:
        _rewrite_hosts(context, container, add=lines)


def replace_host(context: Context, container: Container, *, alias: str, line: str) -> None:
    """Replace the line whose first name is ``alias`` in a running container's /etc/hosts."""
    path = context.data.container(container.id) / "hosts"
    old = [each for each in path.read_text().splitlines() if each.split()[1:2] == [alias]]
    _rewrite_hosts(context, container, add=[line], drop=old)


def _write(path: str, text: str) -> None:
    """Write in place: the file may be bind-mounted in a container, which holds on to its inode."""
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_CLOEXEC, 0o644)
    try:
        data = text.encode()
        while data:
            data = data[os.write(fd, data) :]
    finally:
        os.close(fd)
