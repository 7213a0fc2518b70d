from __future__ import annotations

import pytest

from wharf.runtime.cli import COMMANDS, main
from wharf.runtime.commands import usage


@pytest.mark.parametrize("command", COMMANDS)
def test_every_option_of_every_command_is_told(command: str) -> None:
    known = COMMANDS[command][2]
    told = usage.of_one(command, known, {"-b": "--bundle"})

    assert all(f"{name} " in told for name in known)
    assert told.startswith(f"usage: wharf-runtime {command}")


def test_all_commands_are_told() -> None:
    assert all(f"\n  {name} " in usage.of_all() for name in COMMANDS)


def test_help_is_asked_for_as_of_runc(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    said = []
    for words in (["kill", "--help"], ["kill", "-h"], ["help", "kill"]):
        monkeypatch.setattr("sys.argv", ["wharf-runtime", *words])
        assert main() == 0
        said.append(capsys.readouterr().out)

    help_ = (
        "usage: wharf-runtime kill [OPTION...] ID [SIGNAL]\n\nsend a signal to a container's init (TERM)\n\n"
        "options:\n  -a, --all  send it to all processes of the container\n\nexample: wharf-runtime kill web KILL\n"
    )
    assert said == [help_] * 3
