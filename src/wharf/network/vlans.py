"""Networks that lie on a link of the host's: macvlan and ipvlan. Containers are neighbours of the wire, without NAT.

Options as Docker's drivers have them: ``parent`` (a link; ``eth0.50`` that is not there yet becomes VLAN 50 of eth0),
``macvlan_mode``, ``ipvlan_mode``, ``ipvlan_flag``. Without a parent the network leads nowhere.
"""

from __future__ import annotations

import errno
import os
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from wharf.errors import InvalidArgument, NotImplementedHere, Unavailable
from wharf.kernel import netlink_constants as c
from wharf.kernel import netns, rtnetlink
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Link, Rtnetlink
from wharf.kernel.netlink_wire import Request
from wharf.network import options, pools, sandbox, subnets
from wharf.network.driver import Traits
from wharf.network.endpoint import Endpoint
from wharf.network.records import Network

MACVLAN, IPVLAN = "macvlan", "ipvlan"
DRIVERS = (MACVLAN, IPVLAN)
_PARENT = "parent"
_CHOICES: Mapping[str, Mapping[str, Sequence[str]]] = {
    MACVLAN: {"macvlan_mode": ("bridge", "private", "vepa", "passthru")},
    IPVLAN: {"ipvlan_mode": tuple(c.IPVLAN_MODES), "ipvlan_flag": tuple(c.IPVLAN_FLAGS)},
}  # the first is the default


@dataclass(frozen=True, slots=True)
class VlanOptions:
    """What a network of these kinds asks for."""

    parent: str  # '' for one that leads nowhere
    mode: str
    flag: str = ""
    mtu: int = 0  # 0 for the parent's


def vlan_options(driver: str, given: Mapping[str, str]) -> VlanOptions:
    """Return what the options of a network say. Pure.

    Raises:
        InvalidArgument: an unknown option, or a value that is none.
    """
    choices = _CHOICES[driver]
    for name, value in given.items():
        if name not in (_PARENT, options.MTU, options.PREFIX, *choices):
            raise InvalidArgument(f"option {name} of a {driver} network is not supported by this build of wharf")
        if name in choices and value not in ("", *choices[name]):
            raise InvalidArgument(
                f"requested {driver} {name.removeprefix(driver + '_')} '{value}' is not valid, "
                f"'{choices[name][0]}' is the {driver} driver default"
            )
    if parent := given.get(_PARENT, ""):
        options.link_name(_PARENT, parent)
        if parent == "lo":
            raise InvalidArgument(f"loopback interface is not a valid {driver} parent link")
    mode, flag = (given.get(f"{driver}_{what}") or "" for what in ("mode", "flag"))
    return VlanOptions(
        parent,
        mode or choices[f"{driver}_mode"][0],
        flag or ("bridge" if driver == IPVLAN else ""),
        options.mtu(options.MTU, given[options.MTU]) if options.MTU in given else 0,
    )


class VlanDriver:
    """macvlan or ipvlan links in sandboxes, on a link of the host's."""

    def __init__(self, kind: str, key: str, *, ranges: Sequence[tuple[str, int]] = ()) -> None:
        self._kind, self._key, self._ranges = kind, key, ranges
        self._ready: set[str] = set()
        self.traits = Traits(own_mac=kind == MACVLAN)  # ipvlan's links have their parent's

    def check(self, network: Network) -> Network:
        """Return ``network``, whose options are of this kind; without a parent it leads nowhere (Docker)."""
        chosen = vlan_options(self._kind, network.options)
        return network if chosen.parent else replace(network, internal=True)

    def ready(self, network: Network) -> bool:
        """Return whether the parent is there, as far as this process knows."""
        return network.id in self._ready

    def notice(self, network: Network) -> str:  # noqa: ARG002  # there is never one
        """Return ''."""
        return ""

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:
        """Choose pools. The host may have routes of the same subnet: it is the wire's."""
        foreign = [pool for other in others for pool in other.pools]
        planned = subnets.with_pools(network, [pool.subnet for pool in foreign], key=self._key, ranges=self._ranges)
        pools.require_disjoint(planned.pools, foreign)
        _require_sharing(network, [other for other in others if other.driver == network.driver])
        return planned, ""

    def prepare(self, network: Network) -> None:
        """Find the parent, or make it."""
        chosen, name = vlan_options(self._kind, network.options), parent_of(network)
        with Rtnetlink() as host:
            parent = host.link(name)
            if parent is None:
                self._make(host, name, chosen)
                parent = host.link(name)
                assert parent, f"{name} was just made"
            self._probe(host, parent, chosen)
        self._ready.add(network.id)

    def dismantle(self, network: Network) -> None:
        """Remove the parent when it was made here."""
        self._ready.discard(network.id)
        with Rtnetlink() as host:
            self._delete(host, [link for link in self._own(host.links()) if link.name == parent_of(network)])

    def join(self, inside: sandbox.Inside, endpoint: Endpoint, network: Network) -> None:
        """Make the endpoint's link on the parent."""
        chosen = vlan_options(self._kind, network.options)
        parent = inside.host.link(parent_of(network))
        if parent is None:
            self._ready.discard(network.id)
            raise OSError(errno.ENODEV, f"parent interface {parent_of(network)} of network {network.name} has gone")
        inside.host.execute(self._link(endpoint.interface, parent, chosen, inside.namespace, endpoint.mac))
        inside.step("veth")
        sandbox.configure(inside, endpoint)
        inside.step("address")

    def part(self, endpoint: Endpoint) -> None:
        """Do nothing: nothing is on the host."""

    def sweep(self, live: Collection[str], networks: Sequence[Network]) -> None:  # noqa: ARG002  # nothing is a container's
        """Remove parents, of both kinds, that were made for networks that are no more: macvlan's does it for both."""
        if self._kind != MACVLAN:
            return
        known = {parent_of(network) for network in networks if network.driver in DRIVERS}
        with Rtnetlink() as host:
            self._delete(host, [link for link in self._own(host.links()) if link.name not in known])

    def _own(self, links: Iterable[Link]) -> list[Link]:
        return [link for link in links if link.kind in ("vlan", "dummy") and link.alias == f"wharf:{self._key}"]

    def _delete(self, host: Rtnetlink, links: Iterable[Link]) -> None:
        for link in links:
            with suppress_errno(errno.ENODEV):
                host.execute(rtnetlink.delete_link(link.name))

    def _make(self, host: Rtnetlink, name: str, chosen: VlanOptions) -> None:
        owned = rtnetlink.set_link(
            name, alias=f"wharf:{self._key}"
        )  # in the same batch: it has an owner from the first
        if not chosen.parent:
            self._execute(host, rtnetlink.new_dummy(name), owned, what="dummy links, for a network without a parent")
            return
        base, number = _vlan_of(name)
        below = host.link(base)
        if below is None:
            raise InvalidArgument(f"parent interface {base} was not found on the host: {name}")
        made = rtnetlink.new_vlan(name, parent=below.number, number=number)
        self._execute(host, made, owned, what="VLANs (802.1q)")

    def _probe(self, host: Rtnetlink, parent: Link, chosen: VlanOptions) -> None:
        """Make a link of this kind and remove it: a kernel without it is told of now, and not with a container."""
        if self._kind == MACVLAN and chosen.mode == "passthru":
            return  # there can be one only
        here = netns.open_namespace("/proc/thread-self/ns/net")
        try:
            name = f"wp{self._key[:7]}"
            probe = self._link(name, parent, chosen, here, "")
            self._execute(host, probe, rtnetlink.delete_link(name), what=f"{self._kind} links")
        finally:
            os.close(here)

    def _link(self, name: str, parent: Link, chosen: VlanOptions, namespace: int, mac: str) -> Request:
        if self._kind == MACVLAN:
            return rtnetlink.new_macvlan(
                name, parent=parent.number, mode=chosen.mode, namespace=namespace, mac=mac, mtu=chosen.mtu
            )
        return rtnetlink.new_ipvlan(
            name, parent=parent.number, mode=chosen.mode, flag=chosen.flag, namespace=namespace, mtu=chosen.mtu
        )

    def _execute(self, host: Rtnetlink, *requests: Request, what: str) -> None:
        try:
            host.execute(*requests)
        except OSError as error:
            if error.errno != errno.EOPNOTSUPP:
                raise
            raise NotImplementedHere(f"this machine's kernel has no {what}") from error


def parent_of(network: Network) -> str:
    """Return the name of the link that a network lies on. Pure."""
    return network.options.get(_PARENT) or f"dm-{network.id[:12]}"


def _require_sharing(network: Network, others: Iterable[Network]) -> None:
    """Raise Unavailable when the network cannot lie on its parent beside others of its kind. Pure.

    A macvlan link that passes all through is alone; all ipvlan links of a parent have one mode and flag, and a new
    one changes them for all (ipvlan_set_port_mode in the kernel).
    """
    for other in others:
        if parent_of(other) != parent_of(network):
            continue
        asked, there = (vlan_options(each.driver, each.options) for each in (network, other))
        shared = f"{network.driver} network {other.name} is already using parent interface {parent_of(network)}"
        if "passthru" in (asked.mode, there.mode):
            raise Unavailable(f"cannot use mode passthru, {shared}")
        if network.driver == IPVLAN and (asked.mode, asked.flag) != (there.mode, there.flag):
            raise Unavailable(
                f"cannot use mode {asked.mode} ({asked.flag}), {shared} in mode {there.mode} ({there.flag})"
            )


def _vlan_of(name: str) -> tuple[str, int]:
    """Return the base link and the number of a VLAN's link. Pure."""
    base, _, number = name.rpartition(".")
    if not base or not number.isascii() or not number.isdecimal() or not 0 < int(number) < 4095:
        raise InvalidArgument(f"invalid subinterface vlan name {name}, example formatting is eth0.10")
    return base, int(number)
