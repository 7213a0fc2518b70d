from __future__ import annotations

import gc
import os

from wharf.shim.loop import Loop
from wharf.shim.rehearsal import rehearse


def test_a_rehearsal_leaves_neither_descriptors_nor_anything_to_wait_for() -> None:
    loop = Loop()
    gc.collect()  # what earlier tests have left
    before = set(os.listdir("/proc/self/fd"))

    rehearse(loop)

    assert set(os.listdir("/proc/self/fd")) - before == set()
    assert loop._callbacks == {}
    assert loop._timers == []
