"""--help: of the whole, of a group, of one command."""

from __future__ import annotations

from wharf.cli.globals import GLOBAL_FLAGS
from wharf.cli.registry import GROUPS, names_of, summaries, top_groups
from wharf.lib.tables import render

TYPE_CHECKING = False
if TYPE_CHECKING:
    from wharf.cli.command import Command
    from wharf.cli.flags import Flag

_KINDS = {"bool": "", "uint16": "int"}


def _listing(lines: dict[str, str]) -> str:
    return render([[f"  {name}", line] for name, line in sorted(lines.items())], least=0)


def overview() -> str:
    """Return the help of ``wharf``."""
    return (
        "Usage:  wharf [OPTIONS] COMMAND\n\nContainers, with docker's commands.\n\n"
        f"Groups:\n{_listing(top_groups())}\nCommands:\n{_listing(summaries())}\n"
        "Options:\n"
        + render([_flag_row(flag) for flag in GLOBAL_FLAGS], least=0)
        + "\nWithout an address the engine is the machine's, or a plain user's own, started if it does not run.\n\n"
        "Examples:\n  wharf run --rm busybox echo hi\n  wharf ps -a\n\n"
        "Run 'wharf COMMAND --help' for more about a command.\n"
    )


def group_overview(group: str) -> str:
    """Return the help of a group of commands."""
    own = group_flags(group)
    options = f"\nOptions:\n{render([_flag_row(flag) for flag in own if flag.shown], least=0)}" if own else ""
    return (
        f"Usage:  wharf {group}{' [OPTIONS]' if own else ''} COMMAND\n\n{GROUPS[group]}\n\n"
        f"Commands:\n{_listing(summaries(group))}{options}\n"
        f"Run 'wharf {group} COMMAND --help' for more about a command.\n"
    )


def group_flags(group: str) -> tuple[Flag, ...]:
    """Return the flags that stand between a group's name and its command's."""
    if group.partition(" ")[0] != "compose":
        return ()
    from wharf.cli.compose.globals import INHERITED_FLAGS, PROJECT_FLAGS  # noqa: PLC0415  # no other group has any

    return PROJECT_FLAGS if group == "compose" else INHERITED_FLAGS


def command_help(command: Command, path: str) -> str:
    """Return the help of one command."""
    parts = [f"Usage:  {command.usage(path)}\n\n{command.summary}\n"]
    if len(names := names_of(command.path)) > 1:
        parts.append("\nAliases:\n  " + ", ".join(f"wharf {name}" for name in names) + "\n")
    rows = [_flag_row(flag) for flag in sorted(command.flags, key=lambda flag: flag.name) if flag.shown]
    parts.append("\nOptions:\n" + render(rows, least=0))
    if command.examples:
        parts.append("\nExamples:\n" + "".join(f"  {line}\n" for line in command.examples))
    return "".join(parts)


def _flag_row(flag: Flag) -> list[str]:
    short = f"-{flag.short}, " if flag.short else "    "
    kind = _KINDS.get(flag.kind, flag.kind)
    default = f" (default {flag.default})" if flag.default not in (False, "", (), 0) else ""
    return [f"  {short}--{flag.name}" + (f" {kind}" if kind else ""), flag.help + default]
