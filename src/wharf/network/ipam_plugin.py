"""An IPAM plugin: what it is asked, and what it answers (moby, libnetwork/docs/ipam.md)."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from ipaddress import ip_interface, ip_network
from typing import Any, Final, NamedTuple, TypeVar

from wharf.errors import Unavailable, WharfError
from wharf.plugins.calls import Address, Refused, call

T = TypeVar("T")

KIND: Final = "IpamDriver"
GATEWAY: Final = "com.docker.network.gateway"
MAC: Final = "com.docker.network.endpoint.macaddress"


class Requirements(NamedTuple):
    """What a plugin needs to be told."""

    mac: bool  # of an endpoint, when an address for it is asked for
    replay: bool  # pools and gateways, by each engine that starts


class PoolGiven(NamedTuple):
    """A pool that a plugin has given."""

    id: str
    subnet: str
    gateway: str  # '' when it is still to be asked for


class IpamPlugin:
    """One IPAM plugin. Its methods block.

    They raise Unavailable when it does not answer or answers what cannot be, and WharfError when it refuses.
    """

    def __init__(self, name: str, address: Address) -> None:
        self.name = name
        self._address = address

    def requirements(self) -> Requirements:
        """Return what it needs; one that does not know the question needs nothing."""
        try:
            told = self._call("GetCapabilities", {})
        except Unavailable:
            raise
        except WharfError:
            return Requirements(mac=False, replay=False)
        return Requirements(told.get("RequiresMACAddress") is True, told.get("RequiresRequestReplay") is True)

    def space(self) -> str:
        """Return its local default address space."""
        told = self._call("GetDefaultAddressSpaces", {}).get("LocalDefaultAddressSpace")
        if not isinstance(told, str):
            raise Unavailable(f"the IPAM plugin {self.name} tells no address space")
        return told

    def request_pool(
        self, space: str, subnet: str, ip_range: str, options: Mapping[str, str], version: int
    ) -> PoolGiven:
        """Ask for a pool; '' for a subnet of the plugin's choice."""
        asked = {"AddressSpace": space, "Pool": subnet, "SubPool": ip_range, "Options": options, "V6": version == 6}
        told = self._call("RequestPool", asked)
        return self._held("RequestPool", lambda: pool_of(told, version))

    def release_pool(self, pool_id: str) -> None:
        """Give a pool back."""
        self._call("ReleasePool", {"PoolID": pool_id})

    def request_address(self, pool_id: str, wanted: str, options: Mapping[str, str] | None) -> str:
        """Ask for an address, '' for any; return it without its prefix length."""
        told = self._call("RequestAddress", {"PoolID": pool_id, "Address": wanted, "Options": options})
        return self._held("RequestAddress", lambda: str(ip_interface(told["Address"]).ip))

    def release_address(self, pool_id: str, address: str) -> None:
        """Give an address back."""
        self._call("ReleaseAddress", {"PoolID": pool_id, "Address": address})

    def _held(self, method: str, parse: Callable[[], T]) -> T:
        try:
            return parse()
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise Unavailable(f"the IPAM plugin {self.name} answers {method} with what cannot be: {error}") from error

    def _call(self, method: str, document: Mapping[str, object]) -> dict[str, Any]:
        try:
            return call(f"IPAM plugin {self.name}", self._address, f"/{KIND}.{method}", document)
        except Refused as error:
            raise Refused(f"remote: {error.told}", error.told) from error


def pool_of(told: Mapping[str, Any], version: int) -> PoolGiven:
    """Return the pool that an answer tells; ValueError and the like when it is none of that version of IP. Pure."""
    subnet = ip_network(told["Pool"], strict=False)
    data = told.get("Data") or {}
    gateway = str(ip_interface(data[GATEWAY]).ip) if data.get(GATEWAY) else ""
    if subnet.version != version:
        raise ValueError(f"{subnet} is not of IPv{version}")
    if not isinstance(told["PoolID"], str):
        raise TypeError(f"{told['PoolID']!r} is no id of a pool")
    return PoolGiven(told["PoolID"], str(subnet), gateway)
