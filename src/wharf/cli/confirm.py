"""Questions before what cannot be undone, such as that before something is removed for good."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.flags import Values


def confirmed(values: Values, warning: str) -> bool:
    """Return whether the user agrees, by --force or by answering y; the end of input is a no."""
    if values.on("force"):
        return True
    return asked(f"WARNING! {warning}\nAre you sure you want to continue?")


def asked(question: str) -> bool:
    """Return whether the user answers ``question`` with y; the end of input is a no."""
    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    return sys.stdin.readline().strip().lower() == "y"
