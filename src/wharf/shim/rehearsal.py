"""What a spare shim does while it waits: go through the motions, so that the memory they need is its own already."""

from __future__ import annotations

import os

from wharf.kernel import sockets
from wharf.kernel.cgroup.group import open_cgroup
from wharf.lib.timestamps import rfc3339_nano
from wharf.shim.loop import IN, Loop

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.kernel.cgroup.hierarchy import Hierarchies
    from wharf.shim.runtime import Runtime


def rehearse(runtime: Runtime, hierarchies: Hierarchies) -> None:
    """Do without effect what every start does; nothing outlives it."""
    loop = Loop()
    ours, theirs = sockets.pair()
    with ours, theirs:
        loop.watch(ours.fileno(), IN, lambda _events: None)
        sockets.send(ours, {"event": "rehearsal", "at": rfc3339_nano(0)}, [theirs.fileno()])
        received = sockets.receive(theirs, 4096)
        loop.unwatch(ours.fileno())
    for fd in received[1] if received else ():
        os.close(fd)
    assert not open_cgroup("/wharf/rehearsal", hierarchies).exists
    runtime.rehearse()
