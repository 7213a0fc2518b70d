"""checkpoint and restore: what CRIU can do on this machine, and if nothing, why."""

from __future__ import annotations

from wharf.errors import NotImplementedHere
from wharf.runtime.commands.lifecycle import one

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.runtime.cli import Call


def checkpoint(call: Call) -> int:
    """Save a running container."""
    one(call, "checkpoint").load()
    raise NotImplementedHere(f"checkpoint is not supported: {reason()}")


def restore(call: Call) -> int:
    """Bring a saved container back."""
    one(call, "restore")
    raise NotImplementedHere(f"restore is not supported: {reason()}")


def reason() -> str:
    """Return why containers can be neither saved nor brought back here."""
    from wharf.kernel.process import run  # noqa: PLC0415 - start-up

    try:
        done = run(["criu", "check"], timeout_s=60)
    except FileNotFoundError:
        return "criu is not installed"
    if done.code:
        said = (done.stderr or done.stdout).decode(errors="replace").strip().splitlines()
        return f"criu check fails on this kernel: {said[0] if said else f'exit status {done.code}'}"
    return "criu works here, but this build does not drive it yet"
