"""What shells make of the scripts: a key is typed, and the line is as it should be. The command is a stand-in."""

from __future__ import annotations

import os
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.root.terminal import Terminal, terminal
from tests.root.wharfd import Cli

from wharf.cli.completion import SCRIPTS

_STAND_IN = r"""#!/bin/sh
shift 2
case "$1" in
    stop) printf 'web:1\tbusybox: a box\n' ;;
    v*) printf 'volume\tManage volumes\nversion\tShow the version\nrun\tRun\n' ;;
esac
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    """A home with a file, the scripts and a command ``wharf``."""
    (tmp_path / "readme").touch()
    command = tmp_path / "bin/wharf"
    command.parent.mkdir()
    command.write_text(_STAND_IN)
    command.chmod(0o755)
    for shell, name in (("bash", "script"), ("zsh", "_wharf"), ("fish", "fish")):
        (tmp_path / name).write_text(SCRIPTS[shell])
    return tmp_path


def _shell(home: Path, *command: str) -> Cli:
    if shutil.which(command[0]) is None:
        pytest.skip(f"there is no {command[0]}")
    path = f"{home}/bin:{os.environ['PATH']}"
    return Cli(command[0], ("env", "-C", str(home), *command), {"HOME": str(home), "PATH": path, "PS1": "> "})


def _completes(shell: Terminal) -> None:
    """Type words with tabs; what is completed is echoed."""
    for typed, shown in ((b"wharf ver\t", b"version"), (b"wharf stop w\t", b"web:1"), (b"wharf x rea\t", b"readme")):
        # Until it is there: a shell that is still at its prompt may not take a tab as one.
        shell.type(b"\x15echo " + typed.partition(b" ")[0] + b" >/dev/null\n\x15" + typed)
        shell.expect(shown)


@pytest.fixture(params=["bash", "zsh", "zsh, autoloaded"])
def shell(request: pytest.FixtureRequest, home: Path) -> Iterator[Terminal]:
    """A shell that has its script, with nothing of the user's own."""
    kinds = {
        "bash": (("bash", "--norc", "-i"), "source ./script"),
        "zsh": (("zsh", "-f", "-i"), "autoload -U compinit && compinit -u -D && source ./_wharf"),
        "zsh, autoloaded": (("zsh", "-f", "-i"), "fpath=($PWD $fpath) && autoload -U compinit && compinit -u -D"),
    }
    command, prepare = kinds[request.param]
    with terminal(_shell(home, *command)) as shown:
        shown.type(f"{prepare} && echo rea''dy\n".encode())
        shown.expect(b"ready")
        yield shown


def test_tab_completes_commands_names_and_else_files(shell: Terminal) -> None:
    _completes(shell)


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("wharf ver", "version\tShow the version\n"),
        ("wharf v", "version\tShow the version\nvolume\tManage volumes\n"),
        ("wharf stop ", "web:1\tbusybox: a box\n"),
        ("wharf x rea", "readme\n"),
    ],
)
def test_fish_offers_commands_names_and_else_files(home: Path, line: str, found: str) -> None:
    run = _shell(home, "fish", "--no-config", "-c")
    done = subprocess.run(
        [*run.command, f"source fish; complete -C '{line}'"],
        env=run.environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert done.stdout == found
