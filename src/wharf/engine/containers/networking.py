"""A container's network: what its mode means, its endpoint, its three files, and the namespaces it enters."""

from __future__ import annotations

import os
import socket
from dataclasses import dataclass
from pathlib import Path

from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.engine.ocispec.inputs import Joined
from wharf.errors import Conflict, InvalidArgument
from wharf.lib.ports import PortMapping, from_bindings, parse_port
from wharf.network import files
from wharf.network.endpoint import Endpoint
from wharf.spec.engine_api.container import EndpointSettings, HostConfig


@dataclass(frozen=True, slots=True)
class Attached:
    """Where a container's traffic goes.

    ``sandbox``: the network namespace to enter; None: a new one with a loopback only; "": the host's.
    """

    sandbox: str | None
    endpoint: Endpoint | None = None
    files_of: Container | None = None  # the container whose network it shares, and so its hosts and resolv.conf


async def attach(context: Context, container: Container) -> Attached:
    """Give a container that starts its place in the network; :func:`release` undoes it.

    Raises:
        Conflict: the container whose network it should share does not run, or a port is in use.
    """
    mode = mode_of(container)
    if mode == "host":
        return Attached("")
    if mode == "none":
        return Attached(None)
    if mode.startswith("container:"):
        other = running(context, mode.removeprefix("container:"))
        return Attached(f"/proc/{other.state.pid}/ns/net", files_of=other)
    settings = _settings(container, mode)
    endpoint = await context.networks.attach(
        container.id,
        mode,
        name=container.name,
        ports=published(container),
        mac=settings.get("MacAddress") or None,
        ipv4=(settings.get("IPAMConfig") or {}).get("IPv4Address") or None,
    )
    container.endpoints = [endpoint]
    context.events.publish(
        "network", "connect", endpoint.network_id, {"container": container.id, "name": mode, "type": mode}
    )
    return Attached(str(endpoint.sandbox), endpoint)


async def release(context: Context, container: Container) -> None:
    """Take a container's place in the network away; idempotent."""
    endpoints, container.endpoints = container.endpoints, []
    await context.networks.release(container.id)
    for endpoint in endpoints:
        context.events.publish(
            "network",
            "disconnect",
            endpoint.network_id,
            {"container": container.id, "name": endpoint.network_name, "type": "bridge"},
        )


def mode_of(container: Container) -> str:
    """Return the network mode: bridge, host, none or container:<ref>. Pure."""
    return container.spec.host_config.get("NetworkMode") or "bridge"


def _settings(container: Container, mode: str) -> EndpointSettings:
    configured = container.spec.networking.get("EndpointsConfig") or {}
    settings = configured.get(mode) or configured.get("default") or {}
    if refused := {k for k in ("Links", "DriverOpts", "GwPriority") if dict(settings).get(k)}:
        raise InvalidArgument(f"{sorted(refused)[0]} of an endpoint is not supported by this build of wharf")
    return settings


def published(container: Container) -> list[PortMapping]:
    """Return the ports to publish: -p, and with -P every exposed one. Pure."""
    host = container.spec.host_config
    bindings = host.get("PortBindings") or {}
    mappings = from_bindings(bindings)  # type: ignore[arg-type]  # a TypedDict of strings is a Mapping of strings
    if host.get("PublishAllPorts"):
        exposed = container.spec.config.get("ExposedPorts") or {}
        mappings += [PortMapping(*parse_port(key)) for key in exposed if key not in bindings]
    return mappings


def running(context: Context, ref: str) -> Container:
    """Return the running container ``ref``, whose namespaces another enters.

    Raises:
        Conflict: it does not run.
    """
    other = context.registry.resolve(ref)
    if not other.state.alive:
        raise Conflict(f"cannot join the namespaces of a container that does not run: {other.id}")
    return other


def hostname(container: Container) -> str:
    """Return what a container calls itself: its own name, or the host's when it shares the host's."""
    if shares_hostname(container.spec.host_config) and not container.spec.config.get("Hostname"):
        return socket.gethostname()
    return container.spec.config.get("Hostname") or container.id[:12]


def shares_hostname(host: HostConfig) -> bool:
    """Return whether a container bears the host's name unless told otherwise. Pure."""
    return host.get("UTSMode") == "host" or host.get("NetworkMode") == "host"


def joined(context: Context, container: Container) -> Joined:
    """Return the namespaces of other containers that this one enters (--pid, --ipc container:…)."""
    host, paths = container.spec.host_config, {}
    for kind, mode in (("pid", host.get("PidMode") or ""), ("ipc", host.get("IpcMode") or "")):
        if mode.startswith("container:"):
            other = running(context, mode.removeprefix("container:"))
            paths[kind] = f"/proc/{other.state.pid}/ns/{kind}"
            if kind == "ipc":
                paths["shm"] = f"/proc/{other.state.pid}/root/dev/shm"
    return Joined(paths)


def write_files(context: Context, container: Container, attached: Attached) -> None:
    """Write hosts, hostname and resolv.conf into the container's folder, from where they are bind-mounted."""
    folder, host = context.data.container(container.id), container.spec.host_config
    _write(folder / "hostname", f"{hostname(container)}\n")
    if attached.files_of:
        theirs = context.data.container(attached.files_of.id)
        for name in ("hosts", "resolv.conf"):
            _write(folder / name, (theirs / name).read_text())
        return
    endpoint = attached.endpoint
    hosts = Path("/etc/hosts").read_text() if attached.sandbox == "" else ""
    _write(
        folder / "hosts",
        files.hosts(
            hostname=hostname(container),
            domainname=container.spec.config.get("Domainname") or "",
            ipv4=endpoint.ipv4 if endpoint else None,
            gateway=endpoint.gateway if endpoint else None,
            extra_hosts=host.get("ExtraHosts") or [],
            base=hosts,
        ),
    )
    _write(
        folder / "resolv.conf",
        files.resolv_conf(
            Path("/etc/resolv.conf").read_text() if os.path.exists("/etc/resolv.conf") else "",
            dns=host.get("Dns") or [],
            search=host.get("DnsSearch") or [],
            options=host.get("DnsOptions") or [],
            keep_loopback=attached.sandbox == "",
        ),
    )


def _write(path: Path, text: str) -> None:
    """Write in place: the file may be bind-mounted in a container, which holds on to its inode."""
    path.write_text(text)
