from __future__ import annotations

from wharf.cli.doctor import COMMANDS


def test_the_command_has_a_form_and_examples() -> None:
    (command,) = COMMANDS

    assert [flag.name for flag in command.flags] == ["format", "help"]
    assert "wharf doctor --format json" in command.examples
