"""``--security-opt`` and the namespaces' modes."""

from __future__ import annotations

from wharf.cli.create.files import read_text
from wharf.errors import InvalidArgument
from wharf.lib.light_json import dumps, loads

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable

    from wharf.cli.flags import Values


def security_options(texts: list[str]) -> tuple[list[str] | None, bool]:
    """Return (SecurityOpt, whether system paths are unmasked); a seccomp profile is read from its file.

    Raises:
        InvalidArgument: an option without a value, or a profile that cannot be read or is not JSON.
    """
    options: list[str] = []
    unmasked = False
    for text in texts:
        if text == "systempaths=unconfined":
            unmasked = True
            continue
        name, separator, value = text.partition("=")
        if not separator and text != "no-new-privileges" and ":" not in text:
            raise InvalidArgument(f'Invalid --security-opt: "{text}"')
        if name == "seccomp" and value not in {"unconfined", "builtin"}:
            options.append(f"seccomp={_profile(value)}")
        else:
            options.append(text)
    return options if texts else None, unmasked


def capabilities(add: list[str], drop: list[str]) -> tuple[list[str] | None, list[str] | None]:
    """Return (CapAdd, CapDrop) by their full names, sorted."""
    added = {_capability(name) for name in add}
    dropped = {_capability(name) for name in drop}
    return sorted(added) or None, sorted(dropped) or None


def _capability(name: str) -> str:
    name = name.strip().upper()
    return name if name == "ALL" or name.startswith("CAP_") else f"CAP_{name}"


def _profile(path: str) -> str:
    try:
        return dumps(loads(read_text(path)))
    except InvalidArgument as error:
        raise InvalidArgument(f"opening seccomp profile ({path}) failed: {error}") from error
    except ValueError as error:
        raise InvalidArgument(f"compacting json for seccomp profile ({path}) failed: {error}") from error


def _host_or_container(text: str) -> bool:
    return text in {"", "host"} or (text.startswith("container:") and len(text) > len("container:"))


_MODES: tuple[tuple[str, str, Callable[[str], bool]], ...] = (
    ("pid", "PID", _host_or_container),
    ("uts", "UTS", {"", "host"}.__contains__),
    ("userns", "USER", {"", "host"}.__contains__),
    ("cgroupns", "CGROUP", {"", "host", "private"}.__contains__),
)


def check_modes(values: Values) -> None:
    """Refuse a namespace's mode that does not exist; the engine checks --ipc, as docker's does."""
    for flag, name, good in _MODES:
        if not good(values.text(flag)):
            raise InvalidArgument(f"--{flag}: invalid {name} mode")
