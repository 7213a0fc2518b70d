"""How many files a shim may have open: each client costs it one or two, and no container shall notice."""

from __future__ import annotations

from wharf.kernel import rlimit

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Final

    from wharf.spec.oci_runtime import Process

_TYPE: Final = "RLIMIT_NOFILE"


def raise_own() -> tuple[int, int]:
    """Let this shim have as many as it may; return what its container began with, soft and hard."""
    return rlimit.raise_soft(rlimit.NUMBER_OF[_TYPE])


def begun_with(process: Process, limits: tuple[int, int] | None) -> Process:
    """Return a process that has ``limits``, where there are any and it has none of its own. Pure."""
    own = process.get("rlimits") or []
    if limits is None or any(one["type"] == _TYPE for one in own):
        return process
    soft, hard = limits
    return {**process, "rlimits": [*own, {"type": _TYPE, "soft": soft, "hard": hard}]}
