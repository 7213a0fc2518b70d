"""The driver of networks that plugins make: they are asked from the host's side, when the sandbox is there."""

from __future__ import annotations

import logging
import os
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from ipaddress import ip_interface
from typing import Final

from wharf.errors import Unavailable, WharfError
from wharf.kernel import netns, rtnetlink
from wharf.network import ipam, sandbox
from wharf.network.endpoint import Endpoint
from wharf.network.plugin import KIND, Find, Interface, Joined, NetworkPlugin
from wharf.network.records import Network
from wharf.plugins.calls import Refused

log = logging.getLogger(__name__)
_LEAVE_S: Final = 10


class PluginNetworks:
    """The networks of one engine that network plugins make. Its methods block."""

    def __init__(self, find: Find) -> None:
        self._find = find

    def plugin(self, name: str, timeout_s: int = 0) -> NetworkPlugin:
        """Return a plugin by name, with less time for its answers if ``timeout_s`` says so; raises as ``find``."""
        address = self._find(name, KIND)
        return NetworkPlugin(name, replace(address, timeout_s=timeout_s) if timeout_s else address)

    def make(self, network: Network) -> None:
        """Have the plugin make a network."""
        self.plugin(network.driver).create_network(network, network.address_space)

    def unmake(self, network: Network) -> None:
        """Have the plugin remove a network; one that does not is told of in the log."""
        self._try(
            network.driver, lambda plugin: plugin.delete_network(network.id), f"removing network {network.name}"
        )

    def add(self, path: str, endpoint: Endpoint, others: Sequence[Endpoint], *, internal: bool) -> Endpoint:
        """Make an endpoint in the sandbox ``path``; return it with what was learnt. Nothing is left when this raises.

        Args:
            path: of the sandbox.
            endpoint: what is to be made.
            others: the container's other ones, for its default route.
            internal: nobody reaches it from outside.

        Raises:
            Unavailable: the plugin does not answer, or answers what cannot be.
            WharfError: it refuses.
        """
        plugin = self.plugin(endpoint.driver)
        asked_mac = endpoint.mac if endpoint.mac not in _derived(endpoint) else ""
        endpoint = replace(endpoint, sandbox=path)
        with ExitStack() as undo:
            undo.callback(self._delete, endpoint)
            with _nothing_if_refused(undo):
                chosen = plugin.create_endpoint(endpoint, asked_mac)
            made = learnt(endpoint, chosen, asked_mac)
            leaving = undo.enter_context(ExitStack())
            leaving.callback(self._leave, made)
            with _nothing_if_refused(leaving):
                told = plugin.join(made)
            made = replace(made, gateway=told.gateway, gateway6=told.gateway6, source_link=told.source)
            made = _place(plugin.name, path, made, told, others)
            leaving.callback(_give_back, made)
            if (made.gateway or made.gateway6) and not internal:
                plugin.program(made)
            leaving.pop_all()
            undo.pop_all()
        return made

    def remove(self, endpoint: Endpoint) -> None:
        """Undo :meth:`add`, whether or not it was done: a plugin that does not answer is not asked further."""
        answers = self._try(endpoint.driver, lambda plugin: plugin.revoke(endpoint), _leaving(endpoint))
        if answers:
            self._leave(endpoint)
        _give_back(endpoint)
        if answers:
            self._delete(endpoint)

    def _leave(self, endpoint: Endpoint) -> None:
        self._try(endpoint.driver, lambda plugin: plugin.leave(endpoint), _leaving(endpoint))

    def _delete(self, endpoint: Endpoint) -> None:
        self._try(endpoint.driver, lambda plugin: plugin.delete_endpoint(endpoint), _leaving(endpoint))

    def _try(self, name: str, work: Callable[[NetworkPlugin], None], what: str) -> bool:
        """Do some undoing; return whether the plugin answered at all."""
        try:
            work(self.plugin(name, _LEAVE_S))
        except WharfError as error:
            log.warning("%s: %s", what, error)
            return not isinstance(error, Unavailable)
        return True


def _leaving(endpoint: Endpoint) -> str:
    return f"container {endpoint.container_id[:12]} leaves network {endpoint.network_name}"


@contextmanager
def _nothing_if_refused(undo: ExitStack) -> Iterator[None]:
    """Let there be nothing to undo of what a plugin refuses; of what it does not answer, nobody knows."""
    try:
        yield
    except Refused:
        undo.pop_all()
        raise


def _derived(endpoint: Endpoint) -> tuple[str, ...]:
    """Return the MACs that an endpoint has when nobody asked for one: plugins choose theirs themselves."""
    return (ipam.mac_of(endpoint.ipv4) if endpoint.ipv4 else "", ipam.mac_of_id(endpoint.id))


def learnt(endpoint: Endpoint, told: Interface, mac: str) -> Endpoint:
    """Return an endpoint with what its plugin chose; ``mac`` is what the user did. Pure."""
    found = replace(endpoint, mac=told.mac or mac)
    if told.ipv4:
        own = ip_interface(told.ipv4)
        found = replace(found, ipv4=str(own.ip), prefix_length=own.network.prefixlen)
    if told.ipv6:
        own = ip_interface(told.ipv6)
        found = replace(found, ipv6=str(own.ip), prefix_length6=own.network.prefixlen)
    return found


def interface_name(told: Joined, wanted: str, taken: Sequence[str]) -> str:
    """Return what an interface is called in its sandbox: as the user wished, if the plugin's prefix allows. Pure."""
    if told.name:
        return told.name
    prefix = told.prefix or "eth"
    if wanted.startswith(prefix) and wanted not in taken:
        return wanted
    return next(name for number in range(len(taken) + 1) if (name := f"{prefix}{number}") not in taken)


def _place(plugin: str, path: str, endpoint: Endpoint, told: Joined, others: Sequence[Endpoint]) -> Endpoint:
    """Move a plugin's link into the sandbox, and give it its name, addresses and routes."""
    if not told.source:
        return endpoint

    def fill(inside: sandbox.Inside) -> Endpoint:
        link = inside.host.link(told.source)
        if link is None:
            raise Unavailable(f"the network plugin {plugin} tells of a link that is not there: {told.source}")
        name = interface_name(told, endpoint.interface, [one.name for one in inside.netlink.links()])
        inside.host.execute(rtnetlink.move_link(link.number, inside.namespace, name))
        placed = inside.netlink.link(name)
        assert placed is not None, f"{name} was just moved"
        if endpoint.mac and endpoint.mac != placed.mac:
            inside.netlink.execute(rtnetlink.set_mac(name, endpoint.mac))
        made = replace(endpoint, interface=name, mac=endpoint.mac or placed.mac)
        sandbox.configure(inside, made)
        inside.netlink.execute(*(rtnetlink.add_route(to, placed.number, via) for to, via in told.routes))
        sandbox.default_routes(inside, [*others, made])
        return made

    return sandbox.within(path, fill)


def _give_back(endpoint: Endpoint) -> None:
    """Move a link back to where its plugin made it, under its name there."""
    if not endpoint.source_link or not os.path.exists(endpoint.sandbox):
        return
    home = netns.open_namespace("/proc/thread-self/ns/net")

    def empty(inside: sandbox.Inside) -> None:
        if (link := inside.netlink.link(endpoint.interface)) is not None:
            inside.netlink.execute(rtnetlink.move_link(link.number, home, endpoint.source_link))

    try:
        with suppress(OSError):  # it has gone, or goes with the sandbox: nobody is told of more than the plugin
            sandbox.within(endpoint.sandbox, empty)
    finally:
        os.close(home)
