"""The question before something is removed for good."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.flags import Values


def confirmed(values: Values, warning: str) -> bool:
    """Return whether the user agrees, by --force or by answering y; the end of input is a no."""
    if values.on("force"):
        return True
    sys.stdout.write(f"WARNING! {warning}\nAre you sure you want to continue? [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() == "y"
