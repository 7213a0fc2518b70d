"""start, kill, delete; and what all commands on one container have in common."""

from __future__ import annotations

from wharf.errors import InvalidArgument
from wharf.runtime import operations
from wharf.runtime.caller import Asked
from wharf.runtime.state import Folder

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.runtime.cli import Call


def one(call: Call, command: str) -> Folder:
    """Return the container that is the only argument.

    Raises:
        InvalidArgument: there are none, or more.
    """
    if len(call.arguments) != 1:
        raise InvalidArgument(f"{command} requires exactly 1 argument: the container's ID")
    return Folder(call.root, call.arguments[0])


def asked(call: Call) -> Asked:
    """Return what create, run and exec have in common."""
    given = call.given
    result = Asked(call.log.warn)
    result.console_socket = given.get("--console-socket", "")
    result.pidfd_socket = given.get("--pidfd-socket", "")
    result.pid_file = given.get("--pid-file", "")
    result.preserve_fds = given.get("--preserve-fds", 0)
    result.detach = given.get("--detach", False)
    result.pivot = not given.get("--no-pivot", False)
    result.keyring = not given.get("--no-new-keyring", False)
    result.systemd = call.systemd
    if result.preserve_fds < 0:
        raise InvalidArgument("--preserve-fds must not be negative")
    return result


def start(call: Call) -> int:
    """Start a created container."""
    operations.start(one(call, "start"), call.log.warn)
    return 0


def kill(call: Call) -> int:
    """Send a signal."""
    from wharf.lib.signals import parse_signal  # noqa: PLC0415 - start-up

    if len(call.arguments) not in (1, 2):
        raise InvalidArgument("kill requires the container's ID and at most a signal")
    text = call.arguments[1] if len(call.arguments) > 1 else "SIGTERM"
    number = 0 if text == "0" else parse_signal(text)  # kill(2): 0 asks whether it is there
    operations.kill(Folder(call.root, call.arguments[0]), number, all_=call.given.get("--all", False))
    return 0


def delete(call: Call) -> int:
    """Delete a container."""
    operations.delete(one(call, "delete"), call.log.warn, force=call.given.get("--force", False))
    return 0
