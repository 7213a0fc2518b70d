"""``wharf-runtime``: the runtime behind the command line that runc made the standard.

Options are read by hand and modules loaded by the command that needs them: start-up is a budget.
"""

from __future__ import annotations

import os
import sys

from wharf.errors import InvalidArgument, WharfError
from wharf.lib.version import __version__

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Callable
    from typing import Any, Final

    from wharf.spec.oci_runtime import Process

    Options = dict[str, type]

_DEFAULT_ROOT: Final = "/run/wharf-runtime"
_FAILED: Final = 1

_GLOBAL: Final[Options] = {"--root": str, "--log": str, "--log-format": str, "--version": bool}
_ALIASES: Final = {
    "-b": "--bundle",
    "-v": "--version",
    "-d": "--detach",
    "-a": "--all",
    "-p": "--process",
    "-e": "--env",
    "-u": "--user",
    "-t": "--tty",
    "-q": "--quiet",
}
_CREATE: Final[Options] = {"--bundle": str, "--console-socket": str, "--pid-file": str}
_EXEC: Final[Options] = {
    "--console-socket": str,
    "--pid-file": str,
    "--process": str,
    "--env": list,
    "--user": str,
    "--cwd": str,
    "--tty": bool,
    "--detach": bool,
}


def main() -> int:
    """Run the command of sys.argv; return the exit code."""
    options: dict[str, Any] = {}
    try:
        options, rest = parse(sys.argv[1:], _GLOBAL)
        return _dispatch(options, rest)
    except (WharfError, OSError, ValueError) as error:
        return _fail(options, str(error))
    except Exception as error:
        if type(error).__name__ != "StartFailed":  # loaded only by the commands that can raise it
            raise
        return _fail(options, str(error))


def _dispatch(options: dict[str, Any], rest: list[str]) -> int:
    if options.get("--version"):
        return _print(f"wharf-runtime version {__version__}\nspec: {_oci_version()}")
    if options.get("--log-format", "text") not in ("text", "json"):
        raise InvalidArgument(f"invalid log-format: {options['--log-format']}")
    if not rest or rest[0] not in _COMMANDS:
        commands = " ".join(_COMMANDS)
        raise InvalidArgument(f"usage: wharf-runtime [--root DIR] [--log FILE] COMMAND ..., one of: {commands}")
    known, command = _COMMANDS[rest[0]]
    given, arguments = parse(rest[1:], known)
    return command(options.get("--root") or _DEFAULT_ROOT, given, arguments)


def parse(words: list[str], known: Options) -> tuple[dict[str, Any], list[str]]:
    """Return the options at the head of ``words``, and the rest; "--" ends them.

    Raises:
        InvalidArgument: an option that is not known, or lacks its value.
    """
    given: dict[str, Any] = {}
    at = 0
    while at < len(words) and words[at].startswith("-") and words[at] != "-":
        word = words[at]
        at += 1
        if word == "--":
            break
        name, equals, value = word.partition("=")
        name = _ALIASES.get(name, name)
        if name == "-f":
            name = "--force" if "--force" in known else "--format"
        if name.startswith("-") and not name.startswith("--") and f"-{name}" in known:
            name = f"-{name}"  # Go's flag package takes one dash for two
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
        given[name] = [*given.get(name, []), value] if kind is list else value
    return given, words[at:]


def _one(arguments: list[str], command: str) -> str:
    if len(arguments) != 1:
        raise InvalidArgument(f"{command} requires exactly 1 argument: the container's ID")
    return arguments[0]


def _create(root: str, given: dict[str, Any], arguments: list[str]) -> int:
    from wharf.runtime import operations, state  # noqa: PLC0415 - start-up

    asked = operations.Asked(given.get("--console-socket", ""), given.get("--pid-file", ""))
    operations.create(state.Folder(root, _one(arguments, "create")), given.get("--bundle", "."), asked)
    return 0


def _run(root: str, given: dict[str, Any], arguments: list[str]) -> int:
    from wharf.runtime import operations, state  # noqa: PLC0415 - start-up

    asked = operations.Asked(given.get("--console-socket", ""), given.get("--pid-file", ""))
    folder = state.Folder(root, _one(arguments, "run"))
    return operations.run(folder, given.get("--bundle", "."), asked, detach=given.get("--detach", False))


def _start(root: str, _given: dict[str, Any], arguments: list[str]) -> int:
    from wharf.runtime import operations, state  # noqa: PLC0415 - start-up

    operations.start(state.Folder(root, _one(arguments, "start")))
    return 0


def _kill(root: str, given: dict[str, Any], arguments: list[str]) -> int:
    from wharf.runtime import operations, state  # noqa: PLC0415 - start-up

    if len(arguments) not in (1, 2):
        raise InvalidArgument("kill requires the container's ID and at most a signal")
    number = signal_number(arguments[1] if len(arguments) > 1 else "SIGTERM")
    operations.kill(state.Folder(root, arguments[0]), number, all_=given.get("--all", False))
    return 0


def signal_number(name: str) -> int:
    """Return the number of a signal given as 9, KILL or SIGKILL.

    Raises:
        InvalidArgument: there is no such signal.
    """
    import signal  # noqa: PLC0415 - start-up

    if name.isdigit() and int(name) in signal.valid_signals():
        return int(name)
    upper = name.upper()
    found = getattr(signal, upper if upper.startswith("SIG") else f"SIG{upper}", None)
    if not isinstance(found, signal.Signals):
        raise InvalidArgument(f'unknown signal "{name}"')
    return int(found)


def _delete(root: str, given: dict[str, Any], arguments: list[str]) -> int:
    from wharf.runtime import operations, state  # noqa: PLC0415 - start-up

    operations.delete(state.Folder(root, _one(arguments, "delete")), force=given.get("--force", False))
    return 0


def _state(root: str, _given: dict[str, Any], arguments: list[str]) -> int:
    import json  # noqa: PLC0415 - start-up

    from wharf.runtime import state  # noqa: PLC0415 - start-up

    return _print(json.dumps(state.Folder(root, _one(arguments, "state")).state(), indent=2))


def _list(root: str, given: dict[str, Any], _arguments: list[str]) -> int:
    import json  # noqa: PLC0415 - start-up

    from wharf.runtime import state  # noqa: PLC0415 - start-up

    ids = state.identifiers(root)
    if given.get("--quiet"):
        return _print("\n".join(ids))
    rows = [
        state.Folder(root, name).state() | {"created": state.Folder(root, name).load()["created"]} for name in ids
    ]
    if given.get("--format", "table") == "json":
        return _print(json.dumps(rows))
    if given.get("--format", "table") != "table":
        raise InvalidArgument(f"invalid format option: {given['--format']}")
    lines = [f"{'ID':<24}{'PID':<12}{'STATUS':<12}{'BUNDLE':<32}CREATED"]
    lines += [f"{r['id']:<24}{r['pid']:<12}{r['status']:<12}{r['bundle']:<32}{r['created']}" for r in rows]
    return _print("\n".join(lines))


def _exec(root: str, given: dict[str, Any], arguments: list[str]) -> int:
    from wharf.runtime import operations, state  # noqa: PLC0415 - start-up

    if not arguments:
        raise InvalidArgument("exec requires the container's ID")
    folder = state.Folder(root, arguments[0])
    folder.load()
    asked = operations.Asked(given.get("--console-socket", ""), given.get("--pid-file", ""))
    return operations.exec_(
        folder, _process(folder, given, arguments[1:]), asked, detach=given.get("--detach", False)
    )


def _process(folder: Any, given: dict[str, Any], words: list[str]) -> Process:
    import json  # noqa: PLC0415 - start-up

    if given.get("--process"):
        with open(given["--process"], encoding="utf-8") as file:
            document: Process = json.load(file)
        return document
    process: Process = dict(folder.spec()["process"])  # type: ignore[assignment]  # a shallow copy
    process["args"] = words
    process["terminal"] = given.get("--tty", False)
    process["cwd"] = given.get("--cwd") or process.get("cwd") or "/"
    process["env"] = [*(process.get("env") or ()), *given.get("--env", ())]
    if given.get("--user"):
        uid, _, gid = given["--user"].partition(":")
        if not uid.isdigit() or (gid and not gid.isdigit()):
            raise InvalidArgument(f"invalid user {given['--user']}: wanted uid[:gid]")
        process["user"] = {"uid": int(uid), "gid": int(gid or 0)}
    return process


def _spec(_root: str, given: dict[str, Any], _arguments: list[str]) -> int:
    import json  # noqa: PLC0415 - start-up

    from wharf.runtime import documents  # noqa: PLC0415 - start-up

    path = os.path.join(given.get("--bundle", "."), "config.json")
    try:
        with open(path, "x", encoding="utf-8") as file:
            json.dump(documents.default_spec(), file, indent=4)
            file.write("\n")
    except FileExistsError:
        raise InvalidArgument("File config.json exists. Remove it first") from None
    return 0


def _features(_root: str, _given: dict[str, Any], _arguments: list[str]) -> int:
    import json  # noqa: PLC0415 - start-up

    from wharf.runtime import documents  # noqa: PLC0415 - start-up

    return _print(json.dumps(documents.features(), indent=4))


def _oci_version() -> str:
    from wharf.spec.oci_runtime import OCI_VERSION  # noqa: PLC0415 - start-up

    return OCI_VERSION


def _print(text: str) -> int:
    if text:
        sys.stdout.write(text + "\n")
    return 0


def _fail(options: dict[str, Any], message: str) -> int:
    """Say it on stderr and, as callers like containerd read it, in the log."""
    sys.stderr.write(f"wharf-runtime: {message}\n")
    path = options.get("--log")
    if path:
        import json  # noqa: PLC0415 - start-up
        import time  # noqa: PLC0415 - start-up

        entry = {"level": "error", "msg": message, "time": time.strftime("%Y-%m-%dT%H:%M:%SZ", time.gmtime())}
        text = json.dumps(entry)
        if options.get("--log-format", "text") == "text":
            text = " ".join(f"{key}={json.dumps(value)}" for key, value in entry.items())
        with open(path, "a", encoding="utf-8") as file:
            file.write(text + "\n")
    return _FAILED


_COMMANDS: Final[dict[str, tuple[Options, Callable[[str, dict[str, Any], list[str]], int]]]] = {
    "create": (_CREATE, _create),
    "start": ({}, _start),
    "state": ({}, _state),
    "kill": ({"--all": bool}, _kill),
    "delete": ({"--force": bool}, _delete),
    "run": (_CREATE | {"--detach": bool}, _run),
    "exec": (_EXEC, _exec),
    "list": ({"--format": str, "--quiet": bool}, _list),
    "spec": ({"--bundle": str}, _spec),
    "features": ({}, _features),
}
