from __future__ import annotations

from importlib import import_module

import pytest

from wharf.cli.registry import _MODULES, ALIASES, GROUPS, locate, split
from wharf.cli.usage import command_help, group_overview, overview

_ALL = [(module, path) for module, commands in _MODULES.items() for path in commands]


@pytest.mark.parametrize(("module", "path"), _ALL)
def test_command_is_where_the_table_says_and_has_examples(module: str, path: str) -> None:
    commands = {command.path: command for command in import_module(f"wharf.cli.{module}").COMMANDS}

    assert path in commands
    assert commands[path].examples
    assert f"Usage:  wharf {path}" in command_help(commands[path], path)


@pytest.mark.parametrize("alias", ALIASES)
def test_alias_leads_to_a_command(alias: str) -> None:
    assert locate(alias) is not None


def test_each_group_is_named_by_the_one_above_it() -> None:
    for group in GROUPS:
        above, _, name = group.rpartition(" ")
        assert f"  {name} " in (group_overview(above) if above else overview())
        assert f"Usage:  wharf {group}" in group_overview(group)
    assert "  compose alpha" not in overview()


@pytest.mark.parametrize(
    ("line", "path", "rest"),
    [
        ("ps -a", "ps", ["-a"]),
        ("image ls x", "image ls", ["x"]),
        ("compose bridge transformations list -q", "compose bridge transformations list", ["-q"]),
        ("compose bridge --help", "compose bridge", ["--help"]),
        ("compose bridge", "compose bridge", []),
        ("compose up web", "compose up", ["web"]),
    ],
)
def test_line_begins_with_groups_and_a_name(line: str, path: str, rest: list[str]) -> None:
    assert split(line.split()) == (path, rest)
