"""Sandboxes made ahead: a network namespace with its veth pair, in a network's bridge already, for a next container.

What a start has left to do is to give it a name, an address and a MAC. A spare has no name: it lives by descriptors
of this process alone, so an engine that is killed leaves none behind.
"""

from __future__ import annotations

import errno
import os
import secrets
import socket
import threading
from collections import OrderedDict
from collections.abc import Callable, Sequence
from contextlib import ExitStack
from dataclasses import dataclass

from wharf.kernel import netns, procfs, rtnetlink
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Rtnetlink
from wharf.network import names, rates, sandbox
from wharf.network.bridge import ReadyBridge
from wharf.network.endpoint import Endpoint

EACH = 2
"""How many a network has."""
_NETWORKS = 4
_INTERFACE = "eth0"
_OWNER = "spare"  # in place of a container's id, in the alias of the link on the host


@dataclass(frozen=True, slots=True)
class Kind:
    """What a spare is good for."""

    bridge: ReadyBridge
    ipv6: bool
    announced: bool
    named: bool  # the resolver's sockets are open in it
    origin: netns.Origin | None  # made it, in a user namespace


def kind_of(endpoint: Endpoint, bridge: ReadyBridge) -> Kind:
    """Return the kind of spare that suits ``endpoint``. Pure."""
    return Kind(bridge, bool(endpoint.ipv6), endpoint.announced, names.needed([endpoint]), endpoint.origin)


def suited(endpoints: Sequence[Endpoint]) -> bool:
    """Return whether a container with these endpoints could have a spare: those are for one usual place. Pure."""
    if len(endpoints) != 1 or (endpoints[0].origin is not None and not endpoints[0].origin.repeatable):
        return False
    return endpoints[0].driver == "bridge" and not endpoints[0].sysctls


class Spare:
    """A sandbox that waits for its container. Its methods block; used by one thread at a time."""

    def __init__(self, kind: Kind, key: str) -> None:
        """Make one, in some milliseconds.

        Raises:
            OSError: the kernel refused.
        """
        self.kind, self.host_link = kind, f"veth{secrets.token_hex(4)[:7]}"
        self._opened: Sequence[socket.socket] = ()
        self._key = key
        self._held = ExitStack()
        try:
            with Rtnetlink() as host:
                netns.unnamed(lambda: self._make(host), kind.origin)
        except BaseException:
            self.close()
            raise

    def _make(self, host: Rtnetlink) -> None:
        keep, kind = self._held, self.kind
        self._namespace = netns.open_namespace("/proc/thread-self/ns/net")
        keep.callback(os.close, self._namespace)
        self._netlink = keep.enter_context(Rtnetlink())
        self._netlink.execute(rtnetlink.link_up("lo"))
        mac = f"02:42:{secrets.token_bytes(4).hex(':')}"
        peer = sandbox.Peer(_INTERFACE, self._namespace, mac)
        alias = sandbox.alias_of(self._key, _OWNER)
        host.execute(*sandbox.new_pair(self.host_link, peer, kind.bridge, alias=alias))
        link = self._netlink.link(_INTERFACE)
        assert link is not None, f"{_INTERFACE} was just made"
        self._link = link.number
        with procfs.proc_sys() as proc_sys:
            sandbox.set_parameters(proc_sys, _INTERFACE, announced=kind.announced, ipv6=kind.ipv6)
            if kind.named:
                inside = sandbox.Inside(host, self._netlink, self._namespace, proc_sys, lambda _: None)
                self._opened = names.open_in(inside)

    def occupy(self, path: str, endpoint: Endpoint, step: Callable[[str], None]) -> Sequence[socket.socket]:
        """Make it the sandbox ``path`` of a container; return the resolver's sockets, which the caller closes.

        When this raises, nothing is left.

        Raises:
            OSError: the kernel refused.
        """
        try:
            netns.bind(path, self._namespace)
            step("namespace")
            self._furnish(endpoint, step)
        except BaseException:
            self.close()
            netns.remove(path)
            sandbox.unlimit([endpoint])
            self._remove_link()
            raise
        opened, self._opened = self._opened, ()
        self.close()
        return opened

    def _furnish(self, endpoint: Endpoint, step: Callable[[str], None]) -> None:
        bridge, link = self.kind.bridge, self._link
        alias = sandbox.alias_of(self._key, endpoint.container_id)
        with Rtnetlink() as host:
            host.execute(rtnetlink.set_alias(self.host_link, alias))
            rates.limit(host, rates.meter(endpoint), endpoint.rate)
            step("veth")
            renamed = [rtnetlink.rename_index(link, endpoint.interface)] if endpoint.interface != _INTERFACE else []
            self._netlink.execute(
                *renamed,
                rtnetlink.set_mac(endpoint.interface, endpoint.mac),
                *sandbox.addressing(link, endpoint),
                rtnetlink.link_up(endpoint.interface),
                *sandbox.routes_by(endpoint, link, 4, 6),
            )
            step("address")
            sandbox.make_known(host, self._netlink, endpoint, bridge)
            step("announce")

    def _remove_link(self) -> None:
        """Remove the link at once: by itself it goes some time after the namespace, and the name is needed."""
        with Rtnetlink() as host, suppress_errno(errno.ENODEV):
            host.execute(rtnetlink.delete_link(self.host_link))

    def close(self) -> None:
        """Let it go; what has not become a container's goes with it. Idempotent."""
        for made in self._opened:
            made.close()
        self._held.close()


class Spares:
    """The spares of one engine, by network. Its methods may be called on any thread; those that make one block."""

    def __init__(self, key: str) -> None:
        self._key = key
        self._lock = threading.Lock()
        self._waiting: OrderedDict[str, list[Spare]] = OrderedDict()  # by network, the one used last at the end
        self._closed = False

    def take(self, network_id: str, kind: Kind) -> Spare | None:
        """Return a spare for a container in that network, which is the caller's from now on; None when there is none.

        What a change of the network has made useless is let go.
        """
        with self._lock:
            waiting = self._waiting.get(network_id, [])
            stale = [spare for spare in waiting if spare.kind.bridge != kind.bridge]
            found = next((spare for spare in waiting if spare.kind == kind), None)
            waiting[:] = [spare for spare in waiting if spare is not found and spare not in stale]
        _close(stale)
        return found

    def fill(self, network_id: str, kind: Kind) -> None:
        """Make a spare of that kind, unless there are enough; blocks.

        Raises:
            OSError: the kernel refused.
        """
        if self._enough(network_id, kind):
            return
        made = Spare(kind, self._key)
        with self._lock:
            waiting = self._waiting.setdefault(network_id, [])
            self._waiting.move_to_end(network_id)
            waiting.append(made)
            surplus = [waiting.pop(0) for _ in range(len(waiting) - EACH)]
            while len(self._waiting) > _NETWORKS:
                surplus += self._waiting.popitem(last=False)[1]
            surplus += [waiting.pop()] if self._closed else []
        _close(surplus)

    def _enough(self, network_id: str, kind: Kind) -> bool:
        with self._lock:
            alike = [spare for spare in self._waiting.get(network_id, []) if spare.kind == kind]
            return self._closed or len(alike) >= EACH

    def drop(self, network_id: str) -> None:
        """Let the spares of a network go."""
        with self._lock:
            gone = self._waiting.pop(network_id, [])
        _close(gone)

    def close(self) -> None:
        """Let all go, and make no more."""
        with self._lock:
            self._closed = True
            gone = [spare for waiting in self._waiting.values() for spare in waiting]
            self._waiting.clear()
        _close(gone)


def _close(spares: Sequence[Spare]) -> None:
    for spare in spares:
        spare.close()
