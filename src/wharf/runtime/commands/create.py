"""create, run."""

from __future__ import annotations

from wharf.runtime import creation
from wharf.runtime.commands.lifecycle import asked, one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.runtime.cli import Call


def create(call: Call) -> int:
    """Create a container, to be started later."""
    wanted = asked(call)
    wanted.detach = wanted.waits = True
    creation.create(one(call, "create"), call.given.get("--bundle", "."), wanted)
    return 0


def run(call: Call) -> int:
    """Create and start a container; wait for it and delete it, unless detached."""
    folder = one(call, "run")
    if not call.given.get("--no-subreaper"):
        from wharf.kernel import prctl  # noqa: PLC0415 - start-up

        prctl.set_child_subreaper()
    keep = call.given.get("--keep", False)
    return creation.run(folder, call.given.get("--bundle", "."), asked(call), keep=keep)
