"""What an engine is told once of its networks, dockerd's options of the same names, as records have it. Pure."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from ipaddress import ip_address, ip_interface, ip_network

from wharf.errors import InvalidArgument
from wharf.network import options, pools
from wharf.network.endpoint import Endpoint
from wharf.network.pools import Pool
from wharf.network.records import BUILTIN, Network

DEFAULT_SUBNET = "172.17.0.0/16"


@dataclass(frozen=True, slots=True)
class AddressPool:
    """A range that networks get their subnets from."""

    base: str  # CIDR
    size: int  # prefix length of each subnet

    def __post_init__(self) -> None:
        """Check it; InvalidArgument when no subnet of that size fits."""
        try:
            network = ip_network(self.base)
        except ValueError as error:
            raise InvalidArgument(f"default-address-pools: {self.base} is no network: {error}") from error
        if not network.prefixlen <= self.size <= network.max_prefixlen - 2:
            raise InvalidArgument(f"default-address-pools: a subnet of size {self.size} does not fit in {self.base}")


@dataclass(frozen=True, slots=True)
class NetworkDefaults:
    """What networks start from. Addresses are CIDR; an empty text leaves the choice to us."""

    bridge_name: str = ""  # a bridge of the host's that is the default one, with its address (bridge)
    bridge_address: str = ""  # of the default bridge (bip)
    bridge_range: str = ""  # of its containers' addresses (fixed-cidr)
    bridge_address6: str = ""
    bridge_range6: str = ""
    bridge_gateway: str = ""  # where its containers send what is for elsewhere (default-gateway); empty: the bridge
    bridge_gateway6: str = ""
    ipv6: bool = False  # on the default bridge
    mtu: int = 0  # of the default bridge; 0: the kernel's
    icc: bool = True  # containers of the default bridge reach each other
    masquerade: bool = True
    publish: str = "docker"  # or "firewall": published ports obey the host's own
    direct: bool = False  # published ports are reached by containers' own addresses, too (allow-direct-routing)
    accepted_mark: str = ""  # of packets that bridges let in, mark[/mask] (bridge-accept-fwmark)
    host_address: str = ""  # where the default bridge publishes ports that name no address (ip)
    pools: tuple[AddressPool, ...] = ()
    driver_options: Mapping[str, Mapping[str, str]] = field(default_factory=dict)  # by driver (default-network-opts)
    gateway_addresses: tuple[str, ...] = ()  # what host-gateway stands for; empty: a container's own gateways

    def __post_init__(self) -> None:
        """Check what was told; InvalidArgument, which names the setting, when it cannot be."""
        self._check_bridge()
        if self.accepted_mark:
            options.accepted_mark(self.accepted_mark)
        options.bridge_options(self._options())
        for driver, given in self.driver_options.items():
            if driver != "bridge":
                raise InvalidArgument(f"default-network-opts: there are no defaults for networks of driver {driver}")
            options.bridge_options(given)

    def _check_bridge(self) -> None:
        if not self.foreign_bridge:
            self._pools()
            return
        if self.bridge_address:
            raise InvalidArgument("You specified -b & --bip, mutually exclusive options. Please specify only one")
        if self.mtu:
            raise InvalidArgument(f"mtu: {self.bridge_name} is not made here: set its MTU where it is made")

    @property
    def has_bridge(self) -> bool:
        """Whether there is a default bridge; else containers that ask for it are in no network."""
        return self.bridge_name != "none"

    @property
    def builtin(self) -> list[str]:
        """The names of the networks that there are from the beginning."""
        return [name for name in BUILTIN if name != "bridge" or self.has_bridge]

    @property
    def foreign_bridge(self) -> str:
        """The name of the bridge of the host's that is the default one; empty when it is ours, or there is none."""
        return self.bridge_name if self.has_bridge else ""

    def bridge(self, found: Network, address: str = "") -> Network | None:
        """Return the default bridge's record as it is to be, None for none; ``address``: a foreign bridge's, CIDR."""
        if not self.has_bridge:
            return None
        named = {options.NAME: self.bridge_name} if self.bridge_name else {}
        made = {options.DEFAULT_BRIDGE: "true", **named, **self._options()}
        return replace(found, pools=self._pools(address), options=made, ipv6=self.ipv6)

    def filled(self, asked: Network) -> Network:
        """Return the record of a network that is being made, with the defaults where it leaves something open."""
        given = {**self._publishing()} if asked.driver == "bridge" else {}
        return replace(asked, options={**given, **self.driver_options.get(asked.driver, {}), **asked.options})

    def host_gateways(
        self, hosts: Iterable[str], endpoints: Iterable[Endpoint], network_of: Callable[[str], Network]
    ) -> list[str]:
        """Return what host-gateway stands for in a container with these extra hosts and endpoints.

        It is the host, that is the bridges, whoever leads on. Networks are looked up where it is asked for.
        """
        if self.gateway_addresses or not any("host-gateway" in host for host in hosts):
            return [*self.gateway_addresses]
        found = []
        for one in endpoints:
            bridges = {pool.leads: pool.gateway for pool in network_of(one.network_id).pools}
            found += [bridges.get(gateway, gateway) for gateway in (one.gateway, one.gateway6) if gateway]
        return found

    def _publishing(self) -> dict[str, str]:
        return {options.PUBLISHING: self.publish} if self.publish != "docker" else {}

    def _options(self) -> dict[str, str]:
        prefix = "com.docker.network.bridge."
        found = self._publishing()
        if self.mtu:
            found[options.MTU] = str(self.mtu)
        if not self.icc:
            found[f"{prefix}enable_icc"] = "false"
        if not self.masquerade:
            found[f"{prefix}enable_ip_masquerade"] = "false"
        if self.host_address:
            found[f"{prefix}host_binding_ipv4"] = self.host_address
        return found

    def _pools(self, address: str = "") -> tuple[Pool, ...]:
        own = _pool("bip", address or self.bridge_address, "fixed-cidr", self.bridge_range, usual=DEFAULT_SUBNET)
        own = _led("default-gateway", own, self.bridge_gateway)
        if not self.ipv6:
            if self.bridge_gateway6:
                raise InvalidArgument("default-gateway-v6: the default bridge has no IPv6: switch it on with ipv6")
            return (own,)
        if not (self.bridge_address6 or self.bridge_range6):
            raise InvalidArgument("ipv6: say which addresses the default bridge has: fixed-cidr-v6 or bip6")
        own6 = _pool("bip6", self.bridge_address6, "fixed-cidr-v6", self.bridge_range6, usual="")
        return own, _led("default-gateway-v6", own6, self.bridge_gateway6)


def _led(setting: str, pool: Pool, gateway: str) -> Pool:
    """Return a pool whose containers send to that gateway what is for elsewhere."""
    if not gateway:
        return pool
    try:
        address = ip_address(gateway)
    except ValueError as error:
        raise InvalidArgument(f"{setting}: {error}") from error
    if address not in pool.network or str(address) == pool.gateway:
        raise InvalidArgument(f"{setting}: {gateway} is not another address of the default bridge's {pool.subnet}")
    return replace(pool, auxiliary={pools.DEFAULT_GATEWAY.format(address.version): str(address)})


def _pool(of_address: str, address: str, of_range: str, within: str, *, usual: str) -> Pool:
    """Return the subnet that an address and a range make.

    A range alone is the subnet, unless the usual one holds it.
    """
    try:
        interface = ip_interface(address) if address else None
    except ValueError as error:
        raise InvalidArgument(f"{of_address}: {error}") from error
    try:
        part = ip_network(within) if within else None
    except ValueError as error:
        raise InvalidArgument(f"{of_range}: {error}") from error
    if interface is not None:
        subnet = interface.network
        if interface.ip == subnet[0]:
            raise InvalidArgument(f"{of_address}: {address} is the subnet, and not an address in it")
    elif part is not None and not (usual and pools.within(part, ip_network(usual))):
        subnet = part
    else:
        subnet = ip_network(usual)
    if part is not None and not pools.within(part, subnet):
        raise InvalidArgument(f"{of_range}: {within} is not within {subnet}")
    inner = "" if part is None or part == subnet else str(part)
    if interface is not None:
        return Pool(str(subnet), str(interface.ip), inner)
    return Pool(str(subnet), str(subnet[1]), inner)
