"""``wharf unshare``: a program as root of a plain user's namespaces, where an engine can be its own."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _unshare(_session: Session, _values: Values, arguments: list[str]) -> int:
    program = arguments or [os.environ.get("SHELL") or "/bin/sh"]
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "wharf.rootless", *program])  # noqa: S606  # no shell is meant


COMMANDS = (
    Command(
        "unshare",
        _unshare,
        "Run a program in the namespaces of your own engines",
        arguments="[PROGRAM [ARG...]]",
        count=(0, None),
        examples=("wharf unshare python3 program.py", "wharf unshare"),
        interspersed=False,
    ),
)
