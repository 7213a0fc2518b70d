from __future__ import annotations

import os

from wharf.kernel.cgroup.hierarchy import read_hierarchies
from wharf.shim.rehearsal import rehearse


class Player:
    """A runtime that counts rehearsals."""

    def __init__(self) -> None:
        self.rehearsals = 0

    def rehearse(self) -> None:
        self.rehearsals += 1


def test_a_rehearsal_asks_the_runtime_too_and_leaves_no_descriptor_open() -> None:
    player, before = Player(), sorted(os.listdir("/proc/self/fd"))
    rehearse(player, read_hierarchies())  # type: ignore[arg-type]  # the part of Runtime that it uses

    assert (player.rehearsals, sorted(os.listdir("/proc/self/fd"))) == (1, before)
