"""What a program asks of ``Engine.run`` and ``Engine.workspace``, made a request of the Engine API. Pure.

A program's mistakes are found here, and each is told by the name that the program knows.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from wharf.engine.documents import held
from wharf.errors import InvalidArgument
from wharf.spec.engine_api.container import CreateContainer, HostConfig


def arguments(command: Iterable[str], name: str = "command") -> list[str]:
    """Return a command's arguments.

    Raises:
        InvalidArgument: it is one text, or some argument is none.
    """
    if isinstance(command, str | bytes):
        raise InvalidArgument(
            f"{name} is {command!r}: it must be a list of arguments, as {_split(command)}; "
            "for a shell's line, ['sh', '-c', line]"
        )
    found = list(command)
    for argument in found:
        if not _is_text(argument):
            raise InvalidArgument(f"{name} has {argument!r}: an argument must be a str without NUL")
    return found


def _split(command: str | bytes) -> list[str]:
    return (command if isinstance(command, str) else command.decode(errors="replace")).split()


def variables(environment: Mapping[str, str] | None) -> list[str]:
    """Return variables as the Engine API has them.

    Raises:
        InvalidArgument: a name or a value cannot be.
    """
    if not isinstance(environment, Mapping | None):
        raise InvalidArgument(f"environment is {environment!r}: it must be a dict of names and values")
    for name, value in (environment or {}).items():
        if not _is_text(name) or not name or "=" in name:
            raise InvalidArgument(f"environment has {name!r}: a name must be a str without = and NUL")
        if not _is_text(value):
            raise InvalidArgument(f"environment has {name}={value!r}: a value must be a str without NUL")
    return [f"{name}={value}" for name, value in (environment or {}).items()]


def fed(stdin: bytes | None) -> bytes | None:
    """Return what to feed a command; InvalidArgument when it is not bytes."""
    if not isinstance(stdin, bytes | bytearray | memoryview | None):
        raise InvalidArgument(f"stdin is of type {type(stdin).__name__}: it must be bytes, as text.encode()")
    return stdin


def container(
    image: str,
    *,
    environment: Mapping[str, str] | None,
    network: str,
    host_config: HostConfig | None,
) -> CreateContainer:
    """Return the request for a container that belongs to a program, but for its command.

    It goes when it ends, and what it writes is for the program alone: no log is kept, unless one is asked for.

    Raises:
        InvalidArgument: something is of another type, or ``host_config`` has what HostConfig has not.
    """
    for name, text in (("image", image), ("network", network)):
        if not _is_text(text) or not text:
            raise InvalidArgument(f"{name} is {text!r}: it must be a name")
    owned: HostConfig = {
        "LogConfig": {"Type": "none"},
        **held(host_config or {}, HostConfig, "host_config"),
        "AutoRemove": True,
    }
    owned["NetworkMode"] = network
    return {"Image": image, "Env": variables(environment), "HostConfig": owned}


def _is_text(value: object) -> bool:
    return isinstance(value, str) and "\0" not in value
