"""`wharf compose` has docker compose's commands and flags (tests/data/compose_cli.tsv: command, flag,"
" short form, kind; no flag for a command that has none)."""

from __future__ import annotations

from importlib import import_module
from pathlib import Path

from wharf.cli.command import Command
from wharf.cli.flags import Flag
from wharf.cli.registry import GROUPS, locate
from wharf.cli.usage import group_flags

_TABLE = [line.split("\t") for line in (Path(__file__).parents[1] / "data/compose_cli.tsv").read_text().splitlines()]
# A command, or a command's flag, that is not there. It may only become shorter.
_MISSING: set[str] = set()


def _flags(path: str) -> dict[str, Flag] | None:
    if path in GROUPS:
        return {flag.name: flag for flag in group_flags(path)}
    found = locate(path)
    if found is None:
        return None
    commands: tuple[Command, ...] = import_module(f"wharf.cli.{found[0]}").COMMANDS
    return {flag.name: flag for flag in next(one for one in commands if one.path == found[1]).flags}


def _fits(flag: Flag, short: str, kind: str) -> bool:
    return flag.short == short.removeprefix("-") and (flag.kind == "bool") == (kind in {"bool", ""})


def test_what_docker_compose_has_is_there() -> None:
    missing = set()
    for words, name, short, kind in _TABLE:
        path = words.removeprefix("docker ")
        flags = _flags(path)
        if flags is None:
            missing.add(path)
            continue
        if not name:
            continue
        if name == "--dry-run" and "dry-run" not in flags:
            continue  # of the whole: it stands before the command
        flag = flags.get(name.removeprefix("--"))
        if flag is None or not (flag.refusal or _fits(flag, short, kind)):
            missing.add(f"{path} {name}")

    assert sorted(missing - _MISSING) == []
    assert sorted(_MISSING - missing) == [], "these are there now: take them out of _MISSING"
