"""A driver of somebody else's: an overlay network as small as can be, on nothing but the interface for drivers.

A network is a switch of the host's; who is where is written into a folder, which stands for the table that real
overlay networks tell each other.
"""

from __future__ import annotations

import errno
from collections.abc import Collection, Sequence
from dataclasses import replace
from pathlib import Path

from wharf.errors import InvalidArgument
from wharf.kernel import rtnetlink
from wharf.kernel.libc import suppress_errno
from wharf.kernel.netlink import Rtnetlink
from wharf.network import pools, sandbox, subnets
from wharf.network.driver import Traits
from wharf.network.endpoint import Endpoint
from wharf.network.records import Network

VNI = "com.docker.network.driver.overlay.vxlanid_list"


class Overlay:
    """One engine's overlay networks."""

    traits = Traits(host_link=True)

    def __init__(self, key: str, table: Path) -> None:
        self._key, self._table = key, table
        self._ready: set[str] = set()

    def check(self, network: Network) -> Network:
        for name in network.options:
            if name != VNI:
                raise InvalidArgument(f"option {name} of an overlay network is not known")
        return network

    def ready(self, network: Network) -> bool:
        return network.id in self._ready

    def notice(self, network: Network) -> str:
        return ""

    def plan(self, network: Network, others: Sequence[Network]) -> tuple[Network, str]:
        busy = [pool.subnet for other in others for pool in other.pools]
        planned = subnets.with_pools(network, busy, key=self._key, ranges=())
        pools.require_disjoint(planned.pools, [pool for other in others for pool in other.pools])
        return replace(planned, internal=True), "a toy"

    def prepare(self, network: Network) -> None:
        with Rtnetlink() as host:
            if host.link(_switch(network)) is None:
                host.execute(
                    rtnetlink.new_bridge(_switch(network), mac="02:00:00:00:00:0d"),
                    rtnetlink.set_link(_switch(network), alias=f"overlay:{self._key}"),
                    rtnetlink.link_up(_switch(network)),
                )
        self._ready.add(network.id)

    def dismantle(self, network: Network) -> None:
        self._ready.discard(network.id)
        with Rtnetlink() as host, suppress_errno(errno.ENODEV):
            host.execute(rtnetlink.delete_link(_switch(network)))

    def join(self, inside: sandbox.Inside, endpoint: Endpoint, network: Network) -> None:
        (self._table / endpoint.id).write_text(f"{endpoint.container_id} {endpoint.mac}")
        inside.step("told")
        switch = inside.host.link(_switch(network))
        assert switch
        inside.host.execute(
            rtnetlink.new_veth(
                endpoint.host_link,
                peer=endpoint.interface,
                peer_namespace=inside.namespace,
                peer_mac=endpoint.mac,
                master=switch.number,
                mtu=1450,
            ),
            rtnetlink.set_link(endpoint.host_link, alias=sandbox.alias_of(self._key, endpoint.container_id)),
        )
        inside.step("joined")
        sandbox.configure(inside, endpoint)
        sandbox.await_carrier(inside.host, endpoint.host_link)
        inside.step("addressed")

    def part(self, endpoint: Endpoint) -> None:
        (self._table / endpoint.id).unlink(missing_ok=True)

    def sweep(self, live: Collection[str], networks: Sequence[Network]) -> None:
        for told in self._table.iterdir():
            if told.read_text().split()[0] not in live:
                told.unlink()
        known = {_switch(network) for network in networks}
        with Rtnetlink() as host:
            for link in host.links():
                if link.alias == f"overlay:{self._key}" and link.name not in known:
                    host.execute(rtnetlink.delete_link(link.name))


def _switch(network: Network) -> str:
    return f"ov{network.id[:10]}"
