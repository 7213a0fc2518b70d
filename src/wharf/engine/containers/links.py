"""--link on the default bridge, which has no names of its own: lines in /etc/hosts and variables at the start.

In networks of one's own a link is an alias (``endpoints.py``). See docker docs, "Legacy container links".
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wharf.engine.containers import networking
from wharf.engine.containers.endpoints import is_user_defined, mode_of, split_link
from wharf.engine.containers.record import Container
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.ports import parse_port
from wharf.spec.engine_api.container import HostConfig

_NOT_PASSED_ON = ("HOME", "PATH")


@dataclass(frozen=True, slots=True)
class Linked:
    """A running container that another one knows by an alias."""

    alias: str
    container: Container
    address: str


def named(context: Context, host: HostConfig, name: str) -> HostConfig:
    """Return ``host`` with its links as Docker shows them: "/container:/name/alias".

    Raises:
        InvalidArgument: a linked container does not exist, or the mode has no place for links.
    """
    links, mode = host.get("Links") or [], mode_of(host)
    if not links or is_user_defined(mode):
        return host
    if mode != "bridge":
        kind = "host type networking" if mode == "host" else f"network mode {mode}"
        raise InvalidArgument(f"conflicting options: {kind} can't be used with links")
    found = []
    for link in links:
        target, alias = split_link(link)
        try:
            found.append(f"/{context.registry.resolve(target).name}:/{name}/{alias}")
        except NotFound as error:
            raise InvalidArgument(f"could not get container for {target}: {error}") from error
    return {**host, "Links": found}


def running(context: Context, container: Container) -> list[Linked]:
    """Return what a container on the default bridge is linked to.

    Raises:
        InvalidArgument: one of them does not run.
    """
    if is_user_defined(mode_of(container.spec.host_config)):
        return []
    found = []
    for link in container.spec.host_config.get("Links") or []:
        target, alias = split_link(link)
        other = context.registry.resolve(target)
        address = next((e.ipv4 for e in other.endpoints if e.network_name == "bridge" and e.ipv4), "")
        if not other.state.alive or not address:
            raise InvalidArgument(
                f"Cannot link to a non running container: /{other.name} AS /{container.name}/{alias}"
            )
        found.append(Linked(alias, other, address))
    return found


def variables(linked: Sequence[Linked], name: str) -> list[str]:
    """Return the variables that tell of the linked containers. Pure."""
    return [text for one in linked for text in _variables(one, name)]


def _variables(one: Linked, name: str) -> Iterator[str]:
    prefix, config = one.alias.upper().replace("-", "_"), one.container.spec.config
    ports = sorted((parse_port(key) for key in config.get("ExposedPorts") or {}), key=lambda p: (p[1] != "tcp", p[0]))
    for index, (port, protocol) in enumerate(ports):
        whole, key = f"{protocol}://{one.address}:{port}", f"{prefix}_PORT_{port}_{protocol.upper()}"
        if index == 0:
            yield f"{prefix}_PORT={whole}"
        yield f"{key}={whole}"
        yield f"{key}_ADDR={one.address}"
        yield f"{key}_PORT={port}"
        yield f"{key}_PROTO={protocol}"
    yield f"{prefix}_NAME=/{name}/{one.alias}"
    for entry in config.get("Env") or []:
        if entry.partition("=")[0] not in _NOT_PASSED_ON:
            yield f"{prefix}_ENV_{entry}"


def host_lines(linked: Sequence[Linked]) -> list[str]:
    """Return the lines of /etc/hosts for linked containers. Pure."""
    return [f"{one.address}\t{' '.join(_names(one.container, one.alias))}" for one in linked]


def _names(container: Container, alias: str) -> list[str]:
    return list(dict.fromkeys([alias, container.id[:12], container.name]))


def renew(context: Context, container: Container) -> None:
    """Tell the running containers that are linked to this one, which has just started, its address."""
    address = next((e.ipv4 for e in container.endpoints if e.network_name == "bridge" and e.ipv4), "")
    for other in context.registry if address else ():
        if other is container or not other.state.alive or is_user_defined(mode_of(other.spec.host_config)):
            continue
        for link in other.spec.host_config.get("Links") or []:
            target, alias = split_link(link)
            if target == container.name:
                line = f"{address}\t{' '.join(_names(container, alias))}"
                networking.replace_host(context, other, alias=alias, line=line)
