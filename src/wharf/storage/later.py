"""Blocking work that can wait: what is left of removed things, freed together and out of anybody's way."""

from __future__ import annotations

import asyncio
import logging
from collections.abc import Callable
from typing import Final

_PAUSE_S: Final = 0.5
_log = logging.getLogger(__name__)

Work = Callable[[], None]


class Later:
    """Belongs to the event loop it is used in. What is not done when a process is killed is swept by the next."""

    def __init__(self, pause_s: float = _PAUSE_S) -> None:
        """Do nothing yet; what is given within ``pause_s`` seconds is done in one go."""
        self._pause_s = pause_s
        self._waiting: list[Work] = []
        self._task: asyncio.Task[None] | None = None
        self._closing = asyncio.Event()

    def do(self, work: Work) -> None:
        """Have ``work`` done on a thread, soon; what it raises is logged."""
        self._waiting.append(work)
        if self._task is None:
            self._task = asyncio.get_running_loop().create_task(self._run(), name="later")

    async def aclose(self) -> None:
        """Do what waits now, and return when it is done."""
        self._closing.set()
        if self._task is not None:
            await self._task

    async def _run(self) -> None:
        while self._waiting:
            try:
                async with asyncio.timeout(self._pause_s):
                    await self._closing.wait()
            except TimeoutError:
                pass
            waiting, self._waiting = self._waiting, []
            await asyncio.to_thread(_do_all, waiting)
        self._task = None


def _do_all(waiting: list[Work]) -> None:
    for work in waiting:
        try:
            work()
        except OSError:  # the others are to be done all the same
            _log.exception("something could not be freed")
