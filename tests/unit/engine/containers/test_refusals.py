from __future__ import annotations

import pytest

from wharf.engine.containers.refusals import of_create, of_exec
from wharf.errors import InvalidArgument

RUNC = (
    "failed to create task for container: failed to create shim task: OCI runtime create failed: runc create failed: "
)
PROCESS = "unable to start container process: "
INIT = "unable to start container process: error during container init: "
SYSCTL = 'sysctl "kernel.x" is not in a separate kernel namespace'
USER = "unable to find user you: no matching entries in passwd file"
NO_X = f'{PROCESS}exec: "x": executable file not found in $PATH'
MOUNT = f'{INIT}error mounting "a" to rootfs at "b": '
HINT = (
    "not a directory: Are you trying to mount a directory onto a file (or vice-versa)? "
    "Check if the specified host path exists and is the expected type"
)


@pytest.mark.parametrize(
    ("message", "text", "exit_code"),
    [  # as dockerd 28.5.2 with runc 1.3.6 answers
        (
            f'{PROCESS}exec: "nosuch": executable file not found in $PATH',
            f'{RUNC}{INIT}exec: "nosuch": executable file not found in $PATH',
            127,
        ),
        (
            f'{PROCESS}exec: "/nosuch": stat /nosuch: no such file or directory',
            f'{RUNC}{INIT}exec: "/nosuch": stat /nosuch: no such file or directory',
            127,
        ),
        (f'{PROCESS}exec: "/x": permission denied', f'{RUNC}{INIT}exec: "/x": permission denied', 126),
        (f'{PROCESS}exec: "/x": is a directory', f'{RUNC}{INIT}exec: "/x": is a directory: permission denied', 126),
        (f"{PROCESS}exec /x: exec format error", f"{RUNC}{INIT}exec /x: exec format error", 128),
        (f"{INIT}sethostname: invalid argument", f"{RUNC}{INIT}sethostname: invalid argument", 128),
        (f"{MOUNT}{HINT}", f"{RUNC}{MOUNT}{HINT}", 127),
        (f"{INIT}error mounting: not a directory", f"{RUNC}{INIT}error mounting: {HINT}", 127),
        (SYSCTL, f"{RUNC}{SYSCTL}", 128),
        (USER, USER, 128),
        ("Cannot mkdir: /x is not a directory", "Cannot mkdir: /x is not a directory", 128),
        ("uids and gids must be in range 0-2147483647", "uids and gids must be in range 0-2147483647", 128),
    ],
)
def test_a_start_that_fails_is_told_in_the_words_of_dockers_daemon(message: str, text: str, exit_code: int) -> None:
    refusal = of_create(message)

    assert (refusal.text, refusal.exit_code) == (text, exit_code)


@pytest.mark.parametrize(
    ("message", "text", "exit_code"),
    [
        (NO_X, NO_X, 127),
        (f'{PROCESS}exec: "/d": is a directory', f'{PROCESS}exec: "/d": is a directory: permission denied', 126),
        (
            f'{PROCESS}chdir to cwd ("/x") set in config.json failed: no such file or directory',
            f'{PROCESS}chdir to cwd ("/x") set in config.json failed: no such file or directory',
            127,
        ),
        (f"{PROCESS}exec /x: exec format error", f"{PROCESS}exec /x: exec format error", 128),
    ],
)
def test_an_exec_that_fails_is_told_so_too(message: str, text: str, exit_code: int) -> None:
    refusal = of_exec(message)

    assert (refusal.text, refusal.exit_code) == (f"OCI runtime exec failed: exec failed: {text}", exit_code)


def test_a_user_that_is_not_there_is_no_fault_of_the_runtimes() -> None:
    assert of_exec("unable to find user you: no").text == "unable to find user you: no"


def test_what_cannot_be_executed_is_a_bad_request_and_all_else_is_our_error() -> None:
    errors = [of_create(message).error() for message in ("permission denied", "no such file or directory", "EIO")]

    assert [isinstance(error, InvalidArgument) for error in errors] == [True, True, False]
