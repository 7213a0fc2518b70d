"""Questions before what cannot be undone, such as that before something is removed for good."""

from __future__ import annotations

import sys

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.flags import Values


def confirmed(values: Values, warning: str) -> bool:
    """Return whether the user agrees, by --force or by answering y; the end of input is a no.

    Who says no has what was asked for: nothing is done, and the exit code is 0, as docker's.
    """
    if values.on("force"):
        return True
    return asked(f"WARNING! {warning}\nAre you sure you want to continue?")


def asked(question: str) -> bool:
    """Return whether the user answers ``question`` with y; the end of input is a no; so are SIGINT and SIGTERM."""
    import signal  # noqa: PLC0415  # it loads enum: only for who is asked

    sys.stdout.write(f"{question} [y/N] ")
    sys.stdout.flush()
    before = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        return sys.stdin.readline().strip().lower() == "y"
    except KeyboardInterrupt:
        sys.stdout.write("\n")
        return False
    finally:
        signal.signal(signal.SIGTERM, before)
