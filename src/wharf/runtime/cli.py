"""``wharf-runtime``: the runtime behind the command line that runc made the standard.

Options are read by hand and modules loaded by the command that needs them: start-up is a budget.
"""

from __future__ import annotations

import os
import sys

from wharf.errors import InvalidArgument, WharfError

TYPE_CHECKING = False
if TYPE_CHECKING:
    from typing import Any, Final

    from wharf.runtime.log import Log

    Options = dict[str, type]
    Given = dict[str, Any]


_DEFAULT_ROOT: Final = "/run/wharf-runtime"
_FAILED: Final = 1
_EXEC_FAILED: Final = 255

_GLOBAL: Final[Options] = {
    "--root": str,
    "--log": str,
    "--log-format": str,
    "--debug": bool,
    "--systemd-cgroup": bool,
    "--criu": str,
    "--rootless": str,
    "--version": bool,
    "--help": bool,
}
_ALIASES: Final = {
    "-b": "--bundle",
    "-h": "--help",
    "-v": "--version",
    "-d": "--detach",
    "-a": "--all",
    "-p": "--process",
    "-r": "--resources",
    "-e": "--env",
    "-u": "--user",
    "-g": "--additional-gids",
    "-c": "--cap",
    "-t": "--tty",
    "-q": "--quiet",
}
_STREAMS: Final[Options] = {
    "--console-socket": str,
    "--pidfd-socket": str,
    "--pid-file": str,
    "--preserve-fds": int,
}
_CREATE: Final[Options] = _STREAMS | {"--bundle": str, "--no-pivot": bool, "--no-new-keyring": bool}
_EXEC: Final[Options] = _STREAMS | {
    "--process": str,
    "--env": list,
    "--user": str,
    "--additional-gids": list,
    "--cwd": str,
    "--tty": bool,
    "--detach": bool,
    "--process-label": str,
    "--apparmor": str,
    "--no-new-privs": bool,
    "--cap": list,
    "--ignore-paused": bool,
    "--cgroup": list,
}
_UPDATE: Final[Options] = {
    "--resources": str,
    "--blkio-weight": int,
    "--cpu-period": int,
    "--cpu-quota": int,
    "--cpu-burst": int,
    "--cpu-rt-period": int,
    "--cpu-rt-runtime": int,
    "--cpu-share": int,
    "--cpu-idle": int,
    "--cpuset-cpus": str,
    "--cpuset-mems": str,
    "--memory": str,
    "--memory-reservation": str,
    "--memory-swap": str,
    "--pids-limit": int,
    "--l3-cache-schema": str,
    "--mem-bw-schema": str,
}
_CRIU: Final[Options] = {
    "--image-path": str,
    "--work-path": str,
    "--tcp-established": bool,
    "--tcp-skip-in-flight": bool,
    "--ext-unix-sk": bool,
    "--shell-job": bool,
    "--lazy-pages": bool,
    "--file-locks": bool,
    "--link-remap": bool,
    "--manage-cgroups-mode": str,
    "--empty-ns": list,
    "--auto-dedup": bool,
}

COMMANDS: Final[dict[str, tuple[str, str, Options]]] = {
    "create": ("create", "create", _CREATE),
    "start": ("lifecycle", "start", {}),
    "run": ("create", "run", _CREATE | {"--detach": bool, "--keep": bool, "--no-subreaper": bool}),
    "kill": ("lifecycle", "kill", {"--all": bool}),
    "delete": ("lifecycle", "delete", {"--force": bool}),
    "exec": ("execute", "execute", _EXEC),
    "state": ("show", "state", {}),
    "list": ("show", "list_", {"--format": str, "--quiet": bool}),
    "ps": ("show", "ps", {"--format": str}),
    "spec": ("show", "spec", {"--bundle": str, "--rootless": bool}),
    "features": ("show", "features", {}),
    "pause": ("limits", "pause", {}),
    "resume": ("limits", "resume", {}),
    "update": ("limits", "update", _UPDATE),
    "events": ("limits", "events", {"--interval": str, "--stats": bool}),
    "checkpoint": (
        "checkpoint",
        "checkpoint",
        _CRIU
        | {
            "--parent-path": str,
            "--leave-running": bool,
            "--status-fd": int,
            "--page-server": str,
            "--pre-dump": bool,
        },
    ),
    "restore": (
        "checkpoint",
        "restore",
        _CRIU
        | {"--bundle": str, "--console-socket": str, "--pid-file": str, "--detach": bool}
        | {"--no-subreaper": bool, "--no-pivot": bool, "--lsm-profile": str, "--lsm-mount-context": str},
    ),
}
"""Command → module of wharf.runtime.commands, function there, options."""

_SEALED: Final = ("create", "exec")
"""Commands whose processes others may reach before they execute a program, whatever config.json says."""


class Call:
    """A command's call: its options and arguments, and what was said before it.

    Attributes:
        root: where the state of containers is.
        log: where to complain.
        systemd: has it make control groups.
        criu: the program's name or path; "": as it is found.
    """

    __slots__ = ("arguments", "criu", "given", "log", "root", "systemd")

    def __init__(
        self, root: str, given: Given, arguments: list[str], log: Log, *, systemd: bool = False, criu: str = ""
    ) -> None:
        self.root = root
        self.given = given
        self.arguments = arguments
        self.log = log
        self.systemd = systemd
        self.criu = criu


def main() -> int:
    """Run the command of sys.argv; return the exit code."""
    options: Given = {}
    rest: list[str] = []
    try:
        options, rest = parse(sys.argv[1:], _GLOBAL)
        return _dispatch(options, rest)
    except (WharfError, OSError, ValueError) as error:
        return _fail(options, rest, str(error))
    except Exception as error:
        if type(error).__name__ != "StartFailed":  # loaded only by the commands that can raise it
            raise
        return _fail(options, rest, str(error))


def _default_root() -> str:
    """Return where the state of root's containers is, or of a plain user's own."""
    if os.geteuid() == 0:
        return _DEFAULT_ROOT
    from wharf.lib.places import places  # noqa: PLC0415 - start-up

    return f"{places(os.geteuid(), os.environ).run_root}/runtime"


def _dispatch(options: Given, rest: list[str]) -> int:
    if options.get("--version"):
        return _version()
    if options.get("--help") or rest[:1] == ["help"]:
        return _help(rest[1] if rest[1:] else "")
    if options.get("--log-format", "text") not in ("text", "json"):
        raise InvalidArgument(f"invalid log-format: {options['--log-format']}")
    if options.get("--rootless", "auto") not in ("auto", "false"):
        raise InvalidArgument(f"--rootless {options['--rootless']} is not supported: who calls decides")
    if not rest or rest[0] not in COMMANDS:
        raise InvalidArgument(_usage())
    module, function, known = COMMANDS[rest[0]]
    given, arguments = parse(rest[1:], {**known, "--help": bool})
    if given.get("--help"):
        return _help(rest[0])
    if rest[0] in _SEALED:
        from wharf.runtime import sealing  # noqa: PLC0415 - start-up

        sealing.ensure()
    command = getattr(__import__(f"wharf.runtime.commands.{module}", fromlist=[function]), function)
    code: int = command(
        Call(
            options.get("--root") or _default_root(),
            given,
            arguments,
            _log(options),
            systemd=bool(options.get("--systemd-cgroup")),
            criu=options.get("--criu", ""),
        )
    )
    return code


def parse(words: list[str], known: Options) -> tuple[Given, list[str]]:
    """Return the options at the head of ``words``, and the rest; "--" ends them.

    Raises:
        InvalidArgument: an option that is not known, or lacks its value, or has one that does not fit.
    """
    given: Given = {}
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        word = words[at]
        at += 1
        if word == "--":
            break
        name, equals, value = word.partition("=")
        name = _full_name(name, known)
        kind = known.get(name)
        if kind is None:
            raise InvalidArgument(f"flag provided but not defined: {word}")
        if kind is bool:
            given[name] = value != "false"
            continue
        if not equals:
            if at == len(words):
                raise InvalidArgument(f"flag needs an argument: {word}")
            value = words[at]
            at += 1
        given[name] = _value(name, kind, value, given)
    return given, words[at:]


def _full_name(name: str, known: Options) -> str:
    if name == "-f":
        return "--force" if "--force" in known else "--format"
    name = _ALIASES.get(name, name)
    if name.startswith("-") and not name.startswith("--") and f"-{name}" in known:
        return f"-{name}"  # Go's flag package takes one dash for two
    return name


def _value(name: str, kind: type, value: str, given: Given) -> object:
    if kind is list:
        return [*given.get(name, []), value]
    if kind is int:
        try:
            return int(value)
        except ValueError:
            raise InvalidArgument(f'invalid value "{value}" for flag {name}: not a number') from None
    return value


def _usage() -> str:
    return f"usage: wharf-runtime [--root DIR] [--log FILE] COMMAND ..., one of: {' '.join(COMMANDS)}"


def _help(command: str) -> int:
    from wharf.runtime.commands import usage  # noqa: PLC0415 - start-up

    aliases = {"-f": _full_name("-f", COMMANDS[command][2]), **_ALIASES} if command in COMMANDS else {}
    text = usage.of_one(command, COMMANDS[command][2], aliases) if command in COMMANDS else usage.of_all()
    sys.stdout.write(text + "\n")
    return 0


def _version() -> int:
    from wharf.lib.version import __version__  # noqa: PLC0415 - start-up
    from wharf.spec.oci_runtime import OCI_VERSION  # noqa: PLC0415 - start-up

    sys.stdout.write(f"wharf-runtime version {__version__}\nspec: {OCI_VERSION}\n")
    return 0


def _log(options: Given) -> Log:
    from wharf.runtime.log import Log  # noqa: PLC0415 - start-up

    return Log(options.get("--log", ""), options.get("--log-format", "text"))


def _fail(options: Given, rest: list[str], message: str) -> int:
    _log(options).error(message)
    return _EXEC_FAILED if rest[:1] == ["exec"] else _FAILED
