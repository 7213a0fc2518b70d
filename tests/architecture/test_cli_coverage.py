"""The command line has docker's commands of one host, with the same names, flags, short forms and kinds.

cli_baseline.txt lists what is not there yet, a command or a command's flag a line. It may only become shorter.
"""

from __future__ import annotations

import json
from importlib import import_module
from pathlib import Path

from wharf.cli.command import Command
from wharf.cli.globals import GLOBAL_FLAGS
from wharf.cli.registry import locate

_TABLE = json.loads((Path(__file__).parents[1] / "data/cli.json").read_text())
_BASELINE = Path(__file__).with_name("cli_baseline.txt")
_KINDS = {"bool": "bool", "list": "list"}


def _command(path: str) -> Command | None:
    found = locate(path)
    if found is None:
        return None
    module, canonical = found
    commands: tuple[Command, ...] = import_module(f"wharf.cli.{module}").COMMANDS
    return next(command for command in commands if command.path == canonical)


def _missing() -> set[str]:
    found = {
        f"wharf --{name}"
        for name, (short, kind) in _TABLE[""]["flags"].items()
        if not any((f.name, f.short, _KINDS.get(f.kind, "single")) == (name, short, kind) for f in GLOBAL_FLAGS)
    }
    for each in _TABLE.values():
        for path in each["names"]:
            command = _command(path)
            if command is None:
                found.add(path)
                continue
            known = {flag.name: flag for flag in command.flags}
            for name, (short, kind) in each["flags"].items():
                flag = known.get(name)
                if flag is None or flag.refusal or (flag.short, _KINDS.get(flag.kind, "single")) != (short, kind):
                    found.add(f"{path} --{name}")
    return found


def test_what_docker_has_is_there() -> None:
    missing, listed = _missing(), set(_BASELINE.read_text().splitlines())

    assert sorted(missing - listed) == []
    assert sorted(listed - missing) == [], "these are there now: take them out of cli_baseline.txt"
