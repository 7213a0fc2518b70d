from __future__ import annotations

import os
import select

from wharf.shim.loop import Loop
from wharf.shim.oom import OomWatch


class _Group:
    def __init__(self, watch: int | None) -> None:
        self.kills = 0
        self._watch = watch

    def open_oom_watch(self) -> tuple[int, int]:
        if self._watch is None:
            raise OSError(95, "no memory controller")
        return self._watch, select.EPOLLIN

    def oom_kill_count(self) -> int:
        return self.kills


def test_it_calls_once_for_kills_that_come_together() -> None:
    watch, told, loop = os.eventfd(0, os.EFD_NONBLOCK), list[str](), Loop()
    group = _Group(watch)

    def on_kill() -> None:
        told.append("kill")
        loop.stop()

    seen = OomWatch(loop, group, on_kill)
    group.kills = 2
    os.eventfd_write(watch, 1)
    loop.run()

    assert (told, seen.look()) == (["kill"], 2)
    os.close(watch)


def test_lack_of_memory_without_a_kill_is_not_told() -> None:
    told: list[str] = []

    assert OomWatch(Loop(), _Group(os.eventfd(0)), lambda: told.append("kill")).look() == 0
    assert told == []


def test_without_a_controller_the_last_look_still_tells() -> None:
    told: list[str] = []
    group = _Group(None)
    watch = OomWatch(Loop(), group, lambda: told.append("kill"))
    group.kills = 1

    assert (watch.look(), told) == (1, ["kill"])
