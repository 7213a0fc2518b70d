from __future__ import annotations

from importlib import import_module

import pytest

from wharf.cli.command import CountError
from wharf.cli.registry import _MODULES, ALIASES, GROUPS, load, locate, names_of, split
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


def test_names_of_a_command_are_those_in_groups_first() -> None:
    assert names_of("ps") == ["container ls", "container list", "container ps", "ps"]
    assert names_of("completion") == ["completion"]


def test_help_has_the_aliases_and_each_way_to_give_arguments() -> None:
    copy, show = load("cp"), load("ps")

    assert copy is not None
    assert show is not None
    ways = ("CONTAINER:SRC_PATH DEST_PATH|-", "SRC_PATH|- CONTAINER:DEST_PATH")
    usage = "\n\t".join(f"wharf cp [OPTIONS] {way}" for way in ways)
    assert command_help(copy, "cp").startswith(f"Usage:  {usage}\n\n")
    assert "\nAliases:\n  wharf container ls, wharf container list, wharf container ps, wharf ps\n" in command_help(
        show, "ps"
    )


def test_counts_are_told_as_docker_tells_them() -> None:
    found = []
    for path, words in (
        ("commit", []),
        ("commit", ["a", "b", "c"]),
        ("rm", []),
        ("cp", ["a"]),
        ("login", ["a", "b"]),
    ):
        command = load(path)
        assert command is not None
        with pytest.raises(CountError) as told:
            command.check_count(words, path)
        found.append(str(told.value).partition("' ")[2])

    assert found == [
        "requires at least 1 and at most 2 arguments",
        "requires at least 1 and at most 2 arguments",
        "requires at least 1 argument",
        "requires 2 arguments",
        "requires at most 1 argument",
    ]
