from __future__ import annotations

import shutil
import subprocess

import pytest

from wharf.cli.completion import SCRIPTS, complete


def follow(*words: str) -> list[str]:
    """Return what may stand in place of the last word; names of things are their kind."""
    return sorted(complete(words, lambda kind: {f"<{kind}>": ""}))


def test_first_word_is_a_command_or_a_group() -> None:
    found = follow("")

    assert {"run", "ps", "container", "volume", "context"} <= set(found)
    assert "__complete" not in found


@pytest.mark.parametrize(
    ("words", "found"),
    [
        (["volume", ""], ["create", "inspect", "list", "ls", "prune", "remove", "rm", "update"]),
        (["-H", "unix:///s", "volume", "rm", ""], ["<volumes>"]),
        (["--debug", "container", "stop", "a", ""], ["<containers>"]),
        (["stop", "--signal", ""], []),
        (["stop", "-t", "5", ""], ["<containers>"]),
        (["rename", "a", ""], []),
        (["run", "busybox", ""], []),
        (["run", "-e", "A=1", ""], ["<images>"]),
        (["exec", "web", "-"], []),
        (["context", "use", ""], ["<contexts>"]),
        (["compose", "bridge", ""], ["convert", "transformations"]),
        (["compose", "bridge", "--dry-run", "transformations", ""], ["create", "list", "ls"]),
        (["nonsense", ""], []),
        (["ps", ""], []),
    ],
)
def test_what_may_follow(words: list[str], found: list[str]) -> None:
    assert follow(*words) == found


@pytest.mark.parametrize("words", [["--"], ["-H", "x", "-"]])
def test_flags_before_the_command_are_known(words: list[str]) -> None:
    assert {"--host", "--context", "--tlsverify"} <= set(follow(*words))


def test_flags_of_a_command_are_known_and_those_refused_are_not() -> None:
    assert "--force" in follow("volume", "prune", "--")


@pytest.mark.parametrize("shell", sorted(SCRIPTS))
def test_script_is_of_its_shells_language(shell: str) -> None:
    if shutil.which(shell) is None:
        pytest.skip(f"there is no {shell}")
    subprocess.run([shell, "-n"], input=SCRIPTS[shell], text=True, check=True)


def test_bash_completes_what_we_tell_it(tmp_path: object) -> None:
    script = f"""{SCRIPTS["bash"]}
wharf() {{ printf 'volume\\tManage volumes\\nversion\\tShow\\nrun\\tRun\\n'; }}
COMP_WORDS=(wharf v) COMP_CWORD=1
_wharf_complete
echo "${{COMPREPLY[@]}}"
"""
    done = subprocess.run(["bash", "-c", script], capture_output=True, text=True, check=True)

    assert done.stdout == "volume version\n"
