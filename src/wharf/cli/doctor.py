"""``wharf doctor``: what this machine has and lacks for containers."""

from __future__ import annotations

import os
import sys

from wharf.cli.command import Command
from wharf.cli.flags import Flag

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _doctor(_session: Session, values: Values, _arguments: list[str]) -> int:
    form = ["--format", values.text("format")] if values.text("format") else []
    sys.stdout.flush()
    os.execv(sys.executable, [sys.executable, "-m", "wharf.doctor", *form])  # noqa: S606  # no shell is meant


COMMANDS = (
    Command(
        "doctor",
        _doctor,
        "Tell what this machine has and lacks for containers",
        flags=(Flag("format", "string", "Print it as text (default) or json"),),
        examples=("wharf doctor", "sudo wharf doctor", "wharf doctor --format json"),
    ),
)
