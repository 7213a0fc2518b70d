"""What others do to an engine's networks is noticed as it happens, made good, and reported.

A flushed or torn firewall (``nft flush ruleset``, a restarted firewall service), a deleted bridge, a killed resolver.
The kernel tells of each: nothing is polled.
"""

from __future__ import annotations

import asyncio
import logging
import os
from collections.abc import Callable
from contextlib import ExitStack
from dataclasses import dataclass
from typing import Protocol

from wharf.errors import WharfError
from wharf.kernel import netlink_events
from wharf.kernel.netlink_events import FirewallEvents, LinkEvents, Lost, Torn
from wharf.kernel.pidfd import pidfd_open
from wharf.network import passage
from wharf.network.records import Network

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Repair:
    """What was made good."""

    what: str  # firewall, bridge or resolver
    reason: str  # in words
    network: Network | None = None  # whose bridge it was


Report = Callable[[Repair], None]


def unreported(repair: Repair) -> None:
    """Tell nobody but the log."""


class Mended(Protocol):
    """The kernel's part of networks, as far as it can be torn; see :class:`wharf.network.fabric.Fabric`."""

    @property
    def table(self) -> str:
        """The name of the firewall's table."""

    @property
    def detour(self) -> int:
        """The index of the firewall's own link; 0 for none."""

    def network_of_link(self, index: int) -> str:
        """Return the id of the network whose bridge has or had that index; '' when none should have."""

    def mend_bridge(self, network: Network) -> bool:
        """Make a removed bridge anew; return whether that was so. Blocks."""

    def mend_firewall(self, *, torn: bool) -> bool:
        """Make a torn firewall anew; return whether that was so. Blocks."""

    def mend_passage(self) -> bool:
        """Put back our rules in chains of others; return whether some were missing. Blocks."""

    def bridged(self) -> list[str]:
        """Return the ids of the networks that should have a bridge."""

    def resume_names(self) -> bool:
        """Make names work again for all containers; return whether any needs them. Blocks."""

    def watch_resolver(self, heard: Callable[[int], object] | None) -> None:
        """Call ``heard`` with the process of each resolver, from whatever thread; None: no longer."""


class Mending:
    """The watch over one engine's networks, on the engine's loop."""

    def __init__(self, fabric: Mended, network: Callable[[str], Network], lock: asyncio.Lock, report: Report) -> None:
        """``network`` finds one by id; ``lock`` is held by who makes or removes a network."""
        self._fabric, self._network, self._lock, self._report = fabric, network, lock, report
        self._troubles: asyncio.Queue[tuple[str, str]] = asyncio.Queue()
        self._own_ports: set[int] = set()
        self._resolvers: set[int] = set()
        self._next_resolver = 0.0

    async def run(self) -> None:
        """Watch and mend until cancelled."""
        loop = asyncio.get_running_loop()
        with ExitStack() as undo:
            firewall = FirewallEvents()
            undo.callback(firewall.close)
            links = LinkEvents()
            undo.callback(links.close)
            loop.add_reader(firewall.fileno(), self._heed_firewall, firewall)
            undo.callback(loop.remove_reader, firewall.fileno())
            loop.add_reader(links.fileno(), self._heed_links, links)
            undo.callback(loop.remove_reader, links.fileno())
            undo.callback(self._forget_resolvers)
            self._fabric.watch_resolver(lambda pid: loop.call_soon_threadsafe(self._watch_resolver, pid))
            undo.callback(self._fabric.watch_resolver, None)
            while True:
                await self._mend(*await self._troubles.get())

    def _trouble(self, what: str, about: str) -> None:
        self._troubles.put_nowait((what, about))

    def _heed_firewall(self, source: FirewallEvents) -> None:
        try:
            torn = {each.table: each.by for each in source.read() if self._concerns(each)}
        except Lost:
            self._trouble("lost", "")
            return
        if self._fabric.table in torn:
            self._trouble("firewall", torn.pop(self._fabric.table))
        if torn:
            self._trouble("passage", next(iter(torn.values())))

    def _concerns(self, change: Torn) -> bool:
        known = change.table in passage.TABLES or change.table == self._fabric.table
        return known and not self._owns(change.port)

    def _owns(self, port: int) -> bool:
        if port not in self._own_ports:
            self._own_ports = netlink_events.own_firewall_ports()
        return port in self._own_ports

    def _heed_links(self, source: LinkEvents) -> None:
        try:
            gone = source.read()
        except Lost:
            self._trouble("lost", "")
            return
        if self._fabric.detour in gone:
            self._trouble("firewall", "others, who deleted its link")
        for network in filter(None, map(self._fabric.network_of_link, gone)):
            self._trouble("bridge", network)

    def _watch_resolver(self, pid: int) -> None:
        try:
            pidfd = pidfd_open(pid)
        except ProcessLookupError:
            self._trouble("resolver", str(pid))
            return
        self._resolvers.add(pidfd)
        asyncio.get_running_loop().add_reader(pidfd, self._bury_resolver, pidfd, pid)

    def _bury_resolver(self, pidfd: int, pid: int) -> None:
        self._forget_resolver(pidfd)
        self._trouble("resolver", str(pid))

    def _forget_resolver(self, pidfd: int) -> None:
        asyncio.get_running_loop().remove_reader(pidfd)
        self._resolvers.discard(pidfd)
        os.close(pidfd)

    def _forget_resolvers(self) -> None:
        for pidfd in list(self._resolvers):
            self._forget_resolver(pidfd)

    async def _mend(self, what: str, about: str) -> None:
        try:
            match what:
                case "firewall":
                    await self._mend_firewall(about, torn=True)
                case "passage":
                    await self._mend_passage(about)
                case "bridge":
                    await self._mend_bridge(about)
                case "resolver":
                    await self._mend_resolver(about)
                case _:
                    await self._look()
        except (OSError, WharfError) as error:
            log.warning("%s could not be mended: %s", what, error)

    async def _look(self) -> None:
        """Look at everything: what happened was too much to be told."""
        await self._mend_firewall("", torn=False)
        await self._mend_passage("")
        for network in self._fabric.bridged():
            await self._mend_bridge(network)

    async def _mend_firewall(self, by: str, *, torn: bool) -> None:
        async with self._lock:
            if await asyncio.to_thread(self._fabric.mend_firewall, torn=torn):
                self._tell(
                    Repair("firewall", f"table {self._fabric.table} was deleted or changed by {by or 'others'}")
                )

    async def _mend_passage(self, by: str) -> None:
        async with self._lock:
            if await asyncio.to_thread(self._fabric.mend_passage):
                self._tell(Repair("firewall", f"the host's FORWARD chain was changed by {by or 'others'}"))

    async def _mend_bridge(self, network_id: str) -> None:
        async with self._lock:
            network = self._network(network_id)
            if await asyncio.to_thread(self._fabric.mend_bridge, network):
                self._tell(Repair("bridge", f"bridge {network.bridge} was deleted by others", network))

    async def _mend_resolver(self, pid: str) -> None:
        # At once; but one that ends again and again is not started more than once a second.
        await asyncio.sleep(max(0.0, self._next_resolver - asyncio.get_running_loop().time()))
        self._next_resolver = asyncio.get_running_loop().time() + 1
        if await asyncio.to_thread(self._fabric.resume_names):
            self._tell(Repair("resolver", f"process {pid} ended"))

    def _tell(self, repair: Repair) -> None:
        log.warning("%s: %s; it is there again", repair.what, repair.reason)
        self._report(repair)
