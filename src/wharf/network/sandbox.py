"""A container's network namespace and the veth into it: the steps, in order, and what undoes them.

Removing the namespace takes the veth along, so that is the only undoing there is: it works after a crash at any step.
"""

from __future__ import annotations

import errno
import os
import time
from collections.abc import Callable
from contextlib import ExitStack

from wharf.kernel import netlink, netns
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Link, Rtnetlink
from wharf.network.bridge import ReadyBridge
from wharf.network.endpoint import Endpoint

LINK = "eth0"
_CARRIER_ATTEMPTS, _CARRIER_INTERVAL_S = 100, 0.0002

Observer = Callable[[str, float], None]
"""Told of each step that is done: its name, and the seconds it took."""


def unobserved(step: str, seconds: float) -> None:
    """Take no notice of a step."""


def _open_inside() -> Rtnetlink:
    # The kernel then announces eth0's address to the neighbours when the link comes up or gets its MAC (ip-sysctl,
    # arp_notify). A packet socket could do it as well, but closing one waits 15 ms for the kernel's readers.
    with open("/proc/sys/net/ipv4/conf/all/arp_notify", "w", encoding="ascii") as switch:
        switch.write("1")
    return Rtnetlink()


def alias_of(key: str, container_id: str) -> str:
    """Return the alias by which a veth is known to belong to a container of this data root."""
    return f"wharf:{key}:{container_id}"


def container_of(key: str, link: Link) -> str | None:
    """Return the container whose veth ``link`` is, if it is one of this data root's."""
    prefix = alias_of(key, "")
    return link.alias.removeprefix(prefix) if link.kind == "veth" and link.alias.startswith(prefix) else None


def build(endpoint: Endpoint, bridge: ReadyBridge, *, key: str, observe: Observer = unobserved) -> None:
    """Make the namespace ``endpoint.sandbox`` with eth0 in it, up, addressed, routed and joined to ``bridge``.

    Blocks for some milliseconds. Nothing is left when this raises; undone by :func:`remove`.

    Raises:
        OSError: the kernel refused.
    """
    try:
        _build(endpoint, bridge, key, observe)
    except BaseException:
        remove(endpoint.sandbox)
        raise


def _build(endpoint: Endpoint, bridge: ReadyBridge, key: str, observe: Observer) -> None:
    step = _Stopwatch(observe)
    with ExitStack() as stack:
        inside = stack.enter_context(netns.make(endpoint.sandbox, _open_inside))
        step.done("namespace")
        host = stack.enter_context(Rtnetlink())
        namespace = netns.open_namespace(endpoint.sandbox)
        stack.callback(os.close, namespace)
        host.execute(
            netlink.new_veth(
                endpoint.host_link,
                peer=LINK,
                peer_namespace=namespace,
                peer_mac=endpoint.mac,
                master=bridge.index,
                mtu=bridge.mtu,
            ),
            # Hairpin: with bridge-nf-call-iptables a container reaches its own published port on the bridge's level.
            netlink.set_link(endpoint.host_link, alias=alias_of(key, endpoint.container_id), hairpin=True),
        )
        step.done("veth")
        link = inside.link(LINK)
        assert link is not None, "the peer was just made"
        inside.execute(
            netlink.link_up("lo"),
            netlink.add_address(link.number, endpoint.ipv4, endpoint.prefix_length),
            netlink.set_link(LINK, up=True),
            netlink.add_default_route(endpoint.gateway, link.number),
        )
        step.done("address")
        host.execute(netlink.set_neighbour(bridge.index, endpoint.ipv4, endpoint.mac))
        _await_carrier(host, endpoint.host_link)
        inside.execute(netlink.set_mac(LINK, endpoint.mac))
        step.done("announce")


def build_isolated(path: str, *, observe: Observer = unobserved) -> None:
    """Make a namespace whose only link is the loopback, up; undone by :func:`remove`."""
    step = _Stopwatch(observe)
    netns.make(path, _loopback_up)
    step.done("namespace")


def _loopback_up() -> None:
    with Rtnetlink() as inside:
        inside.execute(netlink.link_up("lo"))


def remove(path: str) -> None:
    """Remove a sandbox; its links follow once no process is in it. Idempotent, also half-way made ones."""
    netns.remove(path)


def remove_link(name: str) -> None:
    """Remove a veth that no sandbox takes along; idempotent."""
    with Rtnetlink() as host, suppress_errno(errno.ENODEV):
        host.execute(netlink.delete_link(name))


def _await_carrier(host: Rtnetlink, name: str) -> None:
    """Wait until the bridge forwards what the container sends.

    The kernel notes a carrier on a worker of its own, soon after. A SYN or ARP request that comes before is lost,
    and sent again only after a whole second. A link that stays without is no error here: others may hold its peer.
    """
    for _ in range(_CARRIER_ATTEMPTS):
        link = host.link(name)
        if link is None or link.carries:
            return
        time.sleep(_CARRIER_INTERVAL_S)


class _Stopwatch:
    def __init__(self, observe: Observer) -> None:
        self._observe = observe
        self._begun = time.perf_counter()

    def done(self, name: str) -> None:
        now = time.perf_counter()
        self._observe(name, now - self._begun)
        self._begun = now
