"""Addresses that IPAM plugins give: pools of networks, addresses of endpoints, and their way back.

What is given is recorded with what has it, and goes back when that does. The engine's own addresses are none of this
(:mod:`wharf.network.pools`, :mod:`wharf.network.ipam`). The methods block.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Sequence
from contextlib import ExitStack
from dataclasses import replace
from functools import partial
from ipaddress import ip_address
from typing import Final

from wharf.errors import InvalidArgument, NotFound, Unavailable, WharfError
from wharf.network import ipam
from wharf.network.endpoint import Endpoint, Wish
from wharf.network.ipam_plugin import GATEWAY, KIND, MAC, IpamPlugin, PoolGiven
from wharf.network.plugin import Find
from wharf.network.pools import Pool, overlap
from wharf.network.records import Network

log = logging.getLogger(__name__)

_OWN: Final = ("default", "null")
_MOST_TRIES: Final = 16
_TYPE: Final = "RequestAddressType"


class Addressing:
    """The addresses that plugins give one engine's networks."""

    def __init__(self, find: Find, network: Callable[[str], Network]) -> None:
        """``network`` finds one by id; NotFound when there is none."""
        self._find, self._network = find, network

    def _plugin(self, network: Network) -> IpamPlugin | None:
        if network.ipam_driver in _OWN:
            return None
        return IpamPlugin(network.ipam_driver, self._find(network.ipam_driver, KIND))

    def with_pools(self, network: Network, others: Sequence[Network], skipped: Sequence[int] = ()) -> Network:
        """Return a network with the pools that its plugin gives it, unless it has them or needs no plugin.

        Args:
            network: its own pools are those that were asked for.
            others: a pool of the plugin's choice overlaps none of theirs.
            skipped: the versions of IP in which it needs no gateway.

        Raises:
            NotFound: there is no such plugin.
            Unavailable: it does not answer, or with what cannot be.
            WharfError: it refuses.
        """
        plugin = self._plugin(network)
        if plugin is None or network.address_space:
            return network
        space = plugin.space()
        network = replace(network, address_space=space)
        with ExitStack() as undo:
            found: list[Pool] = []
            busy = [pool for other in others for pool in other.pools]
            for version, enabled in ((4, network.ipv4), (6, network.ipv6)):
                for pool in network.pools_of(version) or ([Pool("")] if enabled else []):
                    given = _request(plugin, network, pool, version, busy)
                    undo.callback(plugin.release_pool, given.id)
                    found.append(_complete(plugin, pool, given, undo, gateway=version not in skipped))
            undo.pop_all()
        return replace(network, pools=tuple(found))

    def release_pools(self, network: Network) -> None:
        """Give a network's pools back, with what was taken from them; what fails is told of in the log."""
        given = [pool for pool in network.pools if pool.id]
        for pool in given:
            for address in pool.reserved:
                self._try(network, partial(_release_address, pool, address))
            self._try(network, partial(_release_pool, pool))

    def ask(self, network: Network, wish: Wish) -> Wish:
        """Return a wish for a place in a network with the addresses that its plugin gives it.

        Raises as :meth:`with_pools`; what was given until then is given back.
        """
        plugin = self._plugin(network)
        if plugin is None:
            return wish
        options: dict[str, str] | None = None
        if plugin.requirements().mac:
            wish = replace(wish, mac=wish.mac or ipam.random_mac())
            options = {MAC: wish.mac}
        with ExitStack() as undo:
            ipv4 = _address(plugin, network.pools_of(4), wish.ipv4, options, undo)
            ipv6 = _address(plugin, network.pools_of(6), wish.ipv6, options, undo)
            undo.pop_all()
        return replace(wish, ipv4=ipv4, ipv6=ipv6)

    def give_back(self, wanted: Iterable[tuple[Network, Wish]]) -> None:
        """Give back what :meth:`ask` got for places that will not be."""
        for network, wish in wanted:
            self._release(network, (wish.ipv4, wish.ipv6))

    def release(self, endpoints: Iterable[Endpoint]) -> None:
        """Give back the addresses of endpoints that have gone."""
        for endpoint in endpoints:
            try:
                network = self._network(endpoint.network_id)
            except NotFound:
                continue
            self._release(network, (endpoint.ipv4, endpoint.ipv6))

    def _release(self, network: Network, addresses: Iterable[str]) -> None:
        for address in filter(None, addresses):
            pool = next((p for p in network.pools if p.id and ip_address(address) in p.network), None)
            if pool is not None:
                self._try(network, partial(_release_address, pool, address))

    def replay(self, networks: Iterable[Network]) -> None:
        """Tell plugins that keep nothing what networks have, as their requests did; for an engine that starts."""
        for network in networks:
            self._try(network, partial(_replay, network=network))

    def _try(self, network: Network, work: Callable[[IpamPlugin], None]) -> None:
        try:
            plugin = self._plugin(network)
            if plugin is not None:
                work(plugin)
        except WharfError as error:
            log.warning("addresses of network %s: %s", network.name, error)


def _release_address(pool: Pool, address: str, plugin: IpamPlugin) -> None:
    plugin.release_address(pool.id, address)


def _release_pool(pool: Pool, plugin: IpamPlugin) -> None:
    plugin.release_pool(pool.id)


def _request(plugin: IpamPlugin, network: Network, pool: Pool, version: int, others: Sequence[Pool]) -> PoolGiven:
    """Return a pool that is given; one of the plugin's choice that overlaps others is held while it chooses anew."""
    options = dict(network.ipam_options or {})
    with ExitStack() as overlapping:
        for _ in range(_MOST_TRIES):
            given = plugin.request_pool(network.address_space, pool.subnet, pool.ip_range, options, version)
            found = Pool(given.subnet)
            if pool.subnet or not any(overlap(found.network, other.network) for other in others):
                return given
            overlapping.callback(plugin.release_pool, given.id)
    raise Unavailable(f"the IPAM plugin {plugin.name} has no pool that overlaps none of other networks")


def _complete(plugin: IpamPlugin, pool: Pool, given: PoolGiven, undo: ExitStack, *, gateway: bool) -> Pool:
    """Return a pool with its gateway and its auxiliary addresses, each asked for."""
    found = Pool(given.subnet, "", pool.ip_range, pool.auxiliary, given.id)
    leads = "" if pool.gateway else given.gateway
    if not leads and (pool.gateway or gateway):
        leads = plugin.request_address(given.id, pool.gateway, {_TYPE: GATEWAY})
        undo.callback(plugin.release_address, given.id, leads)
    for address in pool.auxiliary.values():
        plugin.request_address(given.id, address, None)
        undo.callback(plugin.release_address, given.id, address)
    _require_within(plugin, found, leads)
    return replace(found, gateway=leads)


def _require_within(plugin: IpamPlugin, pool: Pool, address: str) -> None:
    if address and ip_address(address) not in pool.network:
        raise Unavailable(f"the IPAM plugin {plugin.name} gave {address}, which is not in {pool.subnet}")


def _address(
    plugin: IpamPlugin, pools: Sequence[Pool], wanted: str, options: dict[str, str] | None, undo: ExitStack
) -> str:
    """Return an address of the first pool that has one; '' when there are no pools."""
    fitting = [pool for pool in pools if not wanted or ip_address(wanted) in pool.network]
    if wanted and not fitting:
        raise InvalidArgument(ipam.outside(wanted))
    refusal: WharfError | None = None
    for pool in fitting:
        try:
            address = plugin.request_address(pool.id, wanted, options)
        except Unavailable:
            raise
        except WharfError as error:  # it may be full: another one may not
            refusal = error
            continue
        undo.callback(plugin.release_address, pool.id, address)
        _require_within(plugin, pool, address)
        return address
    if refusal is not None:
        raise refusal
    return ""


def _replay(plugin: IpamPlugin, network: Network) -> None:
    if not plugin.requirements().replay:
        return
    options = dict(network.ipam_options or {})
    for pool in network.pools:
        plugin.request_pool(network.address_space, pool.subnet, pool.ip_range, options, pool.version)
        if pool.gateway:
            plugin.request_address(pool.id, pool.gateway, {_TYPE: GATEWAY})
