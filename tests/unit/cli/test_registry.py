from __future__ import annotations

from importlib import import_module

import pytest

from wharf.cli.registry import _MODULES, ALIASES, GROUPS, locate
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


def test_overview_names_every_group() -> None:
    assert all(group in overview() and group_overview(group) for group in GROUPS)
