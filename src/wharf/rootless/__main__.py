"""``python -m wharf.rootless [--exec] COMMAND [ARGUMENT...]``: run a command as root of the user's own namespaces.

With ``--exec`` this process becomes the command, which ends the namespaces itself (wharfd does). Exit codes: the
command's own; 125: it could not be run there, 127: no such command.
"""

from __future__ import annotations

import os
import sys

from wharf.errors import WharfError
from wharf.kernel.signals import raw as signal
from wharf.rootless import entering

_FORWARDED = (signal.SIGTERM, signal.SIGHUP)
_COULD_NOT = 125
_NOT_FOUND = 127
_BY_SIGNAL = 128


def main(words: list[str]) -> int:
    """Run the command line and return the exit code."""
    becomes = words[:1] == ["--exec"]
    command = words[1:] if becomes else words
    if not command:
        sys.stderr.write("wharf: no command is given\n")
        return _COULD_NOT
    try:
        environment = dict(os.environ) if os.geteuid() == 0 else entering.enter(os.environ)
    except (WharfError, OSError) as error:
        sys.stderr.write(f"wharf: {error}\n")
        return _COULD_NOT
    if becomes:
        return _execute(command, environment)
    code = _run(command, environment)
    entering.leave(environment)
    return code


def _execute(command: list[str], environment: dict[str, str]) -> int:
    try:
        os.execvpe(command[0], command, environment)  # noqa: S606 - no shell is meant
    except OSError as error:
        sys.stderr.write(f"wharf: {command[0]}: {(error.strerror or '').lower()}\n")
        return _NOT_FOUND


def _run(command: list[str], environment: dict[str, str]) -> int:
    child = os.fork()
    if child == 0:
        os._exit(_execute(command, environment))
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # the terminal's are the command's, which is in our process group
    signal.signal(signal.SIGQUIT, signal.SIG_IGN)
    for number in _FORWARDED:
        signal.signal(number, lambda which, _frame: os.kill(child, which))
    code = os.waitstatus_to_exitcode(os.waitpid(child, 0)[1])
    return code if code >= 0 else _BY_SIGNAL - code


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
