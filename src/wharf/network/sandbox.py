"""A container's network namespace and the links in it: the steps, in order, and what undoes them.

Removing the namespace takes its links along, so that is the only undoing there is, also after a crash in any step.
"""

from __future__ import annotations

import logging
import os
import time
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

from wharf.errors import WharfError
from wharf.kernel import netns, procfs, rtnetlink, sysctl
from wharf.kernel.netlink import Link, Rtnetlink
from wharf.kernel.netlink_wire import Request
from wharf.network import rates
from wharf.network.bridge import ReadyBridge
from wharf.network.endpoint import Endpoint, Rate, gateway_endpoint

T = TypeVar("T")

log = logging.getLogger(__name__)

_CARRIER_ATTEMPTS, _CARRIER_INTERVAL_S = 100, 0.0002

Observer = Callable[[str, float], None]
"""Told of each step that is done: its name, and the seconds it took."""


def unobserved(step: str, seconds: float) -> None:
    """Take no notice of a step."""


@dataclass(frozen=True, slots=True)
class Inside:
    """A sandbox that the present thread is in, and the host that it came from."""

    host: Rtnetlink
    netlink: Rtnetlink
    namespace: int  # a descriptor
    proc_sys: int  # a descriptor of the sandbox's /proc/sys
    step: Callable[[str], None]


def alias_of(key: str, container_id: str) -> str:
    """Return the alias by which a veth is known to belong to a container of this data root."""
    return f"wharf:{key}:{container_id}"


def container_of(key: str, link: Link) -> str | None:
    """Return the container whose veth or ifb ``link`` is, if it is one of this data root's."""
    prefix = alias_of(key, "")
    return link.alias.removeprefix(prefix) if link.kind in ("veth", "ifb") and link.alias.startswith(prefix) else None


def make(
    path: str, work: Callable[[Inside], T], *, origin: netns.Origin | None = None, observe: Observer = unobserved
) -> T:
    """Make the namespace ``path`` with a loopback that is up, and do ``work`` in it; ``origin`` as for netns.make.

    Blocks for some milliseconds. Nothing is left when this raises; undone by :func:`remove`.

    Raises:
        OSError: the kernel refused.
    """
    step = _Stopwatch(observe)
    with Rtnetlink() as host:

        def begin() -> T:
            with _inside(host, step) as inside:
                inside.netlink.execute(rtnetlink.link_up("lo"))
                step.done("namespace")
                return work(inside)

        return netns.make(path, begin, origin)


def adopt(path: str, pid: int) -> None:
    """Make the network namespace of a process the sandbox ``path``, if there is none; undone by :func:`remove`.

    Raises:
        OSError: there is no such process, or the kernel refused.
    """
    namespace = netns.open_namespace(f"/proc/{pid}/ns/net")
    try:
        with suppress(FileNotFoundError):
            if os.stat(path).st_dev == os.fstat(namespace).st_dev:
                return
            netns.remove(path)  # an engine was killed before it had bound one there
        netns.bind(path, namespace)
    finally:
        os.close(namespace)


def within(path: str, work: Callable[[Inside], T], *, observe: Observer = unobserved) -> T:
    """Do ``work`` in the namespace ``path``; blocks."""
    step = _Stopwatch(observe)
    with Rtnetlink() as host:

        def begin() -> T:
            with _inside(host, step) as inside:
                return work(inside)

        return netns.within(path, begin)


@contextmanager
def _inside(host: Rtnetlink, step: _Stopwatch) -> Iterator[Inside]:
    namespace = netns.open_namespace("/proc/thread-self/ns/net")
    try:
        with Rtnetlink() as netlink, procfs.proc_sys() as proc_sys:
            yield Inside(host, netlink, namespace, proc_sys, step.done)
    finally:
        os.close(namespace)


def join_bridge(inside: Inside, endpoint: Endpoint, bridge: ReadyBridge, *, key: str) -> None:
    """Make the endpoint's interface, up, addressed and joined to ``bridge``.

    Raises:
        OSError: the kernel refused.
    """
    alias = alias_of(key, endpoint.container_id)
    peer = Peer(endpoint.interface, inside.namespace, endpoint.mac)
    inside.host.execute(*new_pair(endpoint.host_link, peer, bridge, alias=alias))
    inside.step("veth")
    configure(inside, endpoint)
    inside.step("address")
    make_known(inside.host, inside.netlink, endpoint, bridge)
    inside.step("announce")


class Peer(NamedTuple):
    """The end of a veth pair that is in a sandbox."""

    name: str
    namespace: int  # a descriptor
    mac: str


def new_pair(name: str, peer: Peer, bridge: ReadyBridge, *, alias: str) -> list[Request]:
    """Make a veth pair between a sandbox and ``bridge``."""
    return [
        rtnetlink.new_veth(
            name,
            peer=peer.name,
            peer_namespace=peer.namespace,
            peer_mac=peer.mac,
            master=bridge.index,
            mtu=bridge.mtu,
        ),
        # Hairpin: with bridge-nf-call-iptables a container reaches its own published port on the bridge's level.
        rtnetlink.set_link(name, alias=alias, hairpin=True, isolated=bridge.isolates, mtu=bridge.mtu),
    ]


def make_known(host: Rtnetlink, netlink: Rtnetlink, endpoint: Endpoint, bridge: ReadyBridge) -> None:
    """Let host, bridge and, where they may know otherwise, neighbours know where an endpoint that is up is."""
    link = await_carrier(host, endpoint.host_link)
    # An earlier owner's link, which goes some time after its namespace, must not get the frames.
    port = [rtnetlink.set_bridge_entry(link.number, endpoint.mac)] if link else []
    host.execute(*_neighbours(endpoint, bridge), *port)
    if endpoint.announced:
        netlink.execute(rtnetlink.set_mac(endpoint.interface, endpoint.mac))


def rejoin_bridge(host: Rtnetlink, endpoint: Endpoint, bridge: ReadyBridge) -> None:
    """Join an endpoint's link to ``bridge``, which was made anew; OSError (ENODEV) when there is no such link."""
    host.execute(rtnetlink.set_master(endpoint.host_link, bridge.index))
    host.execute(
        rtnetlink.set_link(endpoint.host_link, hairpin=True, isolated=bridge.isolates, mtu=bridge.mtu),
        *_neighbours(endpoint, bridge),
    )


def _neighbours(endpoint: Endpoint, bridge: ReadyBridge) -> list[Request]:
    addresses = filter(None, (endpoint.ipv4, endpoint.ipv6))
    return [rtnetlink.set_neighbour(bridge.index, address, endpoint.mac) for address in addresses]


def configure(inside: Inside, endpoint: Endpoint) -> None:
    """Give the endpoint's interface its limits and its addresses, and set it up."""
    name = endpoint.interface
    link = inside.netlink.link(name)
    assert link is not None, f"{name} was just made"
    set_parameters(inside.proc_sys, name, announced=endpoint.announced, ipv6=bool(endpoint.ipv6))
    for setting, value in endpoint.sysctls:
        path = "/".join(name if part == "IFNAME" else part for part in setting.split("."))
        sysctl.write(inside.proc_sys, path, value)
    at = rates.meter(endpoint)
    rates.limit(inside.netlink if at.inside else inside.host, at, endpoint.rate)
    inside.netlink.execute(*addressing(link.number, endpoint), rtnetlink.link_up(name))


def set_parameters(proc_sys: int, name: str, *, announced: bool, ipv6: bool) -> None:
    """Set what an interface shall do with its addresses, below the open folder ``proc_sys``, before it has any."""
    if announced:
        # The kernel then announces an interface's addresses to the neighbours when the link comes up or gets its MAC
        # (ip-sysctl, arp_notify). A packet socket could do it too, but closing one waits 15 ms.
        _write(proc_sys, f"net/ipv4/conf/{name}/arp_notify", "1")
    _write(proc_sys, f"net/ipv6/conf/{name}/{'ndisc_notify' if ipv6 else 'disable_ipv6'}", "1")


def addressing(link: int, endpoint: Endpoint) -> list[Request]:
    """Return the requests that give the interface of index ``link`` the endpoint's addresses."""
    return [rtnetlink.add_address(link, address, length) for address, length in _addresses(endpoint)]


def _addresses(endpoint: Endpoint) -> Iterator[tuple[str, int]]:
    if endpoint.ipv4:
        yield endpoint.ipv4, endpoint.prefix_length
    if endpoint.ipv6:
        yield endpoint.ipv6, endpoint.prefix_length6
    for address in endpoint.link_local:
        yield address, 64 if ":" in address else 16


def default_routes(inside: Inside, endpoints: list[Endpoint]) -> None:
    """Lead what no network takes to the gateways of ``endpoints``, whose interfaces are there; or nowhere."""
    requests: list[Request] = []
    for version in (4, 6):
        leading = gateway_endpoint(endpoints, version)
        link = inside.netlink.link(leading.interface) if leading else None
        if leading and link:
            requests += routes_by(leading, link.number, version)
    inside.netlink.execute(*requests)


def routes_by(endpoint: Endpoint, link: int, *versions: int) -> list[Request]:
    """Return the requests that lead what no network takes to ``endpoint``'s gateways, by its interface ``link``."""
    requests = []
    for version in versions:
        gateway = endpoint.gateway if version == 4 else endpoint.gateway6
        if gateway in ("0.0.0.0", "::"):  # noqa: S104  # the word for a network without a gateway
            requests.append(rtnetlink.add_default_link_route(link, version=version))
        elif gateway:
            requests.append(rtnetlink.add_default_route(gateway, link))
    return requests


def unlimit(endpoints: Sequence[Endpoint]) -> None:
    """Remove what limits the rates of endpoints on the host, whatever became of their links; idempotent."""
    meters = [rates.meter(endpoint) for endpoint in endpoints if endpoint.rate.up]
    if on_host := [at for at in meters if not at.inside]:  # what is inside goes with the sandbox
        with Rtnetlink() as host:
            for at in on_host:
                rates.remove(host, at)


def throttle(changes: Sequence[tuple[Endpoint, Endpoint]]) -> None:
    """Make the rates of endpoints hold: how each was, and how it shall be. Blocks.

    When this raises, all are as they were, or their interfaces have gone.

    Raises:
        NotImplementedHere: this kernel cannot.
        OSError: the kernel refused.
    """
    with ExitStack() as undo:
        for old, new in changes:
            undo.callback(_throttle_back, old, new)
            _limit(new, old.rate)
        undo.pop_all()


def _throttle_back(old: Endpoint, new: Endpoint) -> None:
    try:
        _limit(old, new.rate)
    except (OSError, WharfError) as error:
        log.warning("container %s: its network rate is not what it was: %s", old.container_id[:12], error)


def _limit(endpoint: Endpoint, was: Rate) -> None:
    at = rates.meter(endpoint)
    if at.inside:
        within(endpoint.sandbox, lambda inside: rates.limit(inside.netlink, at, endpoint.rate, was=was))
        return
    with Rtnetlink() as host:
        rates.limit(host, at, endpoint.rate, was=was)


def leave(inside: Inside, endpoint: Endpoint) -> None:
    """Take the endpoint's interface away, and what limits it there; idempotent."""
    if (at := rates.meter(endpoint)).inside and endpoint.rate.down:
        rates.remove(inside.netlink, at)
    if inside.netlink.link(endpoint.interface):
        inside.netlink.execute(rtnetlink.delete_link(endpoint.interface))


def remove(path: str) -> None:
    """Remove a sandbox; its links follow once no process is in it. Idempotent, also half-way made ones."""
    netns.remove(path)


def sweep(folder: Path, live: Collection[str]) -> None:
    """Remove the sandboxes in a folder but those of ``live`` (ids)."""
    if folder.is_dir():
        for path in folder.iterdir():
            if path.name not in live:
                remove(str(path))


def _write(proc_sys: int, path: str, value: str) -> None:
    """Set a parameter where the kernel has it: one without IPv6 lacks some."""
    with suppress(FileNotFoundError):
        sysctl.write(proc_sys, path, value)


def await_carrier(host: Rtnetlink, name: str) -> Link | None:
    """Wait until the kernel sends by a link, and its bridge forwards what comes by it; return it, if it is there.

    The kernel notes a carrier on a worker of its own, soon after. A SYN or ARP request that comes before is lost,
    and sent again only after a whole second. A link that stays without is no error here: others may hold its peer.
    """
    link = host.link(name)
    for _ in range(_CARRIER_ATTEMPTS):
        if link is None or link.carries:
            break
        time.sleep(_CARRIER_INTERVAL_S)
        link = host.link(name)
    return link


def stopwatch(observe: Observer) -> Callable[[str], None]:
    """Return what is to be called with the name of each step that is done."""
    return _Stopwatch(observe).done


class _Stopwatch:
    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self._begun = time.perf_counter()

    def done(self, name: str) -> None:
        now = time.perf_counter()
        self._observe(name, now - self._begun)
        self._begun = now
