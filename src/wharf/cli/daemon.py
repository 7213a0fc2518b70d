"""``wharf daemon``: the same as ``wharfd``."""

from __future__ import annotations

import os
import sys

from wharf.cli.autostart import engine_program
from wharf.cli.command import Command

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Session
    from wharf.cli.flags import Values


def _daemon(_session: Session, _values: Values, arguments: list[str]) -> int:
    program = engine_program()
    sys.stdout.flush()
    os.execv(program, [program, *arguments])  # noqa: S606  # no shell is meant


COMMANDS = (
    Command(
        "daemon",
        _daemon,
        "Run the engine in the foreground (wharfd)",
        arguments="[wharfd OPTIONS]",
        count=(0, None),
        examples=("wharf daemon", "wharf daemon -H unix:///tmp/wharf.sock"),
        interspersed=False,
    ),
)
