"""A service's networks and ports as the Engine API's network mode, endpoints and bindings."""

from __future__ import annotations

from collections.abc import Callable

from wharf.compose import identity
from wharf.compose.model.project import Project
from wharf.compose.model.service import Service

Document = dict[str, object]
Lookup = Callable[[str], str]  # a service's name -> a container's id
_INTERFACE = "com.docker.network.endpoint.ifname"


def network_mode(project: Project, service: Service, lookup: Lookup) -> str:
    """Return the network mode; the first network by priority where there are networks."""
    if service.network_mode:
        return shared(service.network_mode, lookup)
    if service.networks:
        return project.networks[service.networks_in_order()[0]].name
    return "none"


def shared(value: str, lookup: Lookup) -> str:
    """Return a namespace's mode with a service's name replaced by its container's id."""
    kind, _, name = value.partition(":")
    return f"container:{lookup(name)}" if kind == "service" else value


def endpoints(project: Project, service: Service, number: int, links: list[str], *, aliases: bool) -> Document:
    """Return the container's endpoint settings by the networks' names in the engine."""
    if service.network_mode:
        return {}
    return {
        project.networks[key].name: _endpoint(project, service, number, key, links, aliases=aliases)
        for key in service.networks_in_order()
    }


def _endpoint(
    project: Project, service: Service, number: int, key: str, links: list[str], *, aliases: bool
) -> Document:
    own = service.networks[key]
    names = [identity.container_name(project, service, number)]
    if aliases:
        names += [service.name, *(own.aliases if own is not None else ())]
    made: Document = {"Aliases": names, "Links": links or None}
    first = service.networks_in_order()[0] == key
    mac = (own.mac_address if own is not None else "") or (service.mac_address if first else "")
    if mac:
        made["MacAddress"] = mac
    if own is None:
        return made
    address = {"IPv4Address": own.ipv4_address, "IPv6Address": own.ipv6_address, "LinkLocalIPs": own.link_local_ips}
    address = {name: value for name, value in address.items() if value}
    options = {name: value or "" for name, value in own.driver_opts.items()}
    if own.interface_name:
        options[_INTERFACE] = own.interface_name
    more = {"IPAMConfig": address, "DriverOpts": options, "GwPriority": own.gw_priority}
    made.update({name: value for name, value in more.items() if value})
    return made


def exposed_ports(service: Service) -> dict[str, Document]:
    """Return what the container listens on: published and exposed ports."""
    found = [f"{port.target}/{port.protocol or 'tcp'}" for port in service.ports]
    for text in service.expose:
        ports, _, protocol = text.partition("/")
        first, _, last = ports.partition("-")
        found += [f"{port}/{protocol or 'tcp'}" for port in range(int(first), int(last or first) + 1)]
    return {port: {} for port in found}


def port_bindings(service: Service) -> dict[str, list[dict[str, str]]]:
    """Return where its ports are published."""
    found: dict[str, list[dict[str, str]]] = {}
    for port in service.ports:
        binding = {"HostIp": port.host_ip, "HostPort": port.published}
        found.setdefault(f"{port.target}/{port.protocol or 'tcp'}", []).append(binding)
    return found


def links_of(project: Project, service: Service, lookup_names: Callable[[str], list[str]]) -> list[str]:
    """Return links as ``container:alias``, for each container of the services that are linked to."""
    found: list[str] = []
    for link in service.links:
        name, _, alias = link.partition(":")
        for container in lookup_names(name):
            short = container.removeprefix(f"{project.name}-")
            found += [f"{container}:{known}" for known in dict.fromkeys((alias or name, short, container))]
    for link in service.external_links:
        name, _, alias = link.partition(":")
        found.append(f"{name}:{alias or name}")
    return found


def network_document(project: Project, key: str) -> Document:
    """Return the body that creates one of the project's networks."""
    network = project.networks[key]
    labels = {name: value or "" for name, value in network.labels.items()} | identity.project_labels(project)
    document: Document = {
        "Name": network.name,
        "Driver": network.driver or "bridge",
        "Options": network.driver_opts or None,
        "Internal": network.internal,
        "Attachable": network.attachable,
        "Labels": labels | {identity.NETWORK: key, identity.CONFIG_HASH: identity.network_hash(network)},
    }
    if network.enable_ipv4 is not None:
        document["EnableIPv4"] = network.enable_ipv4
    if network.enable_ipv6 is not None:
        document["EnableIPv6"] = network.enable_ipv6
    if network.ipam.driver or network.ipam.config or network.ipam.options:
        pools = [
            {"Subnet": p.subnet, "Gateway": p.gateway, "IPRange": p.ip_range, "AuxiliaryAddresses": p.aux_addresses}
            for p in network.ipam.config
        ]
        pools = [{name: value for name, value in pool.items() if value} for pool in pools]
        document["IPAM"] = {"Driver": network.ipam.driver or "default", "Config": pools,
                            "Options": network.ipam.options or None}  # fmt: skip
    return document


def volume_document(project: Project, key: str) -> Document:
    """Return the body that creates one of the project's volumes."""
    volume = project.volumes[key]
    labels = {name: value or "" for name, value in volume.labels.items()} | identity.project_labels(project)
    return {
        "Name": volume.name,
        "Driver": volume.driver or "local",
        "DriverOpts": volume.driver_opts or None,
        "Labels": labels | {identity.VOLUME: key, identity.CONFIG_HASH: identity.volume_hash(volume)},
    }
