"""When sandboxes are made ahead: a little behind a start, so as not to be in its way; and when those in vain go."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Sequence
from typing import Final, Protocol

from wharf.network.endpoint import Endpoint
from wharf.network.spares import EACH, suited
from wharf.network.worker import to_completion

log = logging.getLogger(__name__)

_DELAY_S: Final = 0.03  # a start has done its work by then
_IDLE_S: Final = 60.0


class Maker(Protocol):
    """What makes sandboxes ahead; see :class:`wharf.network.fabric.Fabric`."""

    def make_spare(self, endpoints: Sequence[Endpoint]) -> None:
        """Make one for another container like one with these endpoints, unless there are enough. Blocks."""

    def drop_spares(self, network_id: str) -> None:
        """Let those of a network go."""


class Ahead:
    """Follows the starts of one engine. For the thread that owns it."""

    def __init__(self, maker: Maker, *, delay_s: float = _DELAY_S, idle_s: float = _IDLE_S) -> None:
        self._maker, self._delay_s, self._idle_s = maker, delay_s, idle_s
        self._due: dict[str, tuple[asyncio.TimerHandle, Sequence[Endpoint]]] = {}
        self._idle: dict[str, asyncio.TimerHandle] = {}
        self._loop: asyncio.AbstractEventLoop | None = None
        self._making: set[asyncio.Task[None]] = set()

    def behind(self, endpoints: Sequence[Endpoint]) -> None:
        """A container with these endpoints starts: make ready, soon, for the next one like it."""
        if not suited(endpoints):
            return
        loop = asyncio.get_running_loop()
        if loop is not self._loop:  # what another loop was to do, it will not
            self._loop = loop
            self._due.clear()
        network = endpoints[0].network_id
        if network not in self._due:
            self._due[network] = loop.call_later(self._delay_s, self._begin, network), endpoints
        if network in self._idle:
            self._idle[network].cancel()
        self._idle[network] = loop.call_later(self._idle_s, self._give_up, network)

    async def caught_up(self) -> None:
        """Make ready now what is to be made ready, and wait for it."""
        for network, (timer, _) in list(self._due.items()):
            timer.cancel()
            self._begin(network)
        await self._made()

    async def aclose(self) -> None:
        """Begin nothing more, and wait for what is under way."""
        timers = [*self._idle.values(), *(timer for timer, _ in self._due.values())]
        self._idle.clear()
        self._due.clear()
        for timer in timers:
            timer.cancel()
        await self._made()

    async def _made(self) -> None:
        # A loop that has ended may have left tasks: nobody can wait for those, and they make nothing.
        here = asyncio.get_running_loop()
        while making := [task for task in self._making if task.get_loop() is here and not task.done()]:
            await asyncio.wait(making)

    def _begin(self, network: str) -> None:
        _, endpoints = self._due.pop(network)
        task = asyncio.get_running_loop().create_task(
            self._make(endpoints), name=f"make sandboxes for {network[:12]}"
        )
        self._making.add(task)
        task.add_done_callback(self._making.discard)

    async def _make(self, endpoints: Sequence[Endpoint]) -> None:
        try:
            for _ in range(EACH):
                await to_completion(self._maker.make_spare, endpoints)
        except OSError as error:
            # The next start makes what it needs, and tells of what hinders it.
            log.warning("no sandbox was made ahead for network %s: %s", endpoints[0].network_name, error)

    def _give_up(self, network: str) -> None:
        del self._idle[network]
        self._maker.drop_spares(network)
