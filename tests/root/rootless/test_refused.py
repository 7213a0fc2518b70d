"""A machine that lets plain users make no user namespaces: a limit in a user namespace of the test's own."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

from tests.root.rootless.plain_user import PlainUser

_BINARIES = Path(sys.executable).parent
_IN_A_WORLD_WITHOUT = """
import os, sys
from wharf.kernel.namespace import Clone, unshare
ready, mapped = os.pipe(), os.pipe()
child = os.fork()
if child == 0:
    unshare(Clone.NEWUSER)
    os.write(ready[1], b".")
    os.read(mapped[0], 1)
    with open("/proc/sys/user/max_user_namespaces", "w") as file:  # of this namespace, and those below it
        file.write("0")
    os.execvp(sys.argv[1], sys.argv[1:])
os.read(ready[0], 1)
for name in ("uid_map", "gid_map"):
    with open(f"/proc/{child}/{name}", "w") as file:
        file.write("0 0 4294967295")
os.write(mapped[1], b".")
sys.exit(os.waitstatus_to_exitcode(os.waitpid(child, 0)[1]))
"""


def _run(user: PlainUser, *words: str) -> tuple[int, list[str], str]:
    command = [sys.executable, "-c", _IN_A_WORLD_WITHOUT, *user.command(*words)]
    done = subprocess.run(command, capture_output=True, text=True, check=False, cwd="/", timeout=60)
    return done.returncode, done.stderr.splitlines(), done.stdout


_WHY = (
    "this machine lets plain users make no user namespaces (user.max_user_namespaces allows no more): have its "
    "administrator set user.max_user_namespaces (and, where they exist, kernel.unprivileged_userns_clone=1 and "
    "kernel.apparmor_restrict_unprivileged_userns=0), or run wharf as root; 'wharf doctor' tells more"
)


def test_run_says_in_a_line_why_there_are_no_containers_and_exits_as_dockers_does(
    plain_user: Callable[..., PlainUser],
) -> None:
    user = plain_user(devices=False)
    log = user.run_root / "wharfd.log"

    code, said, output = _run(user, str(_BINARIES / "wharf"), "run", "--rm", "busybox", "true")

    assert (code, output) == (125, "")
    assert [line for line in said if "namespace" in line] == [
        f"wharf: the engine could not start: wharfd: {_WHY} (log: {log})"
    ]
    assert not [line for line in said if "Traceback" in line]
    assert user.processes() == []


def test_the_daemon_says_the_same_and_leaves_nothing(plain_user: Callable[..., PlainUser]) -> None:
    user = plain_user(devices=False)

    assert _run(user, str(_BINARIES / "wharfd")) == (1, [f"wharfd: {_WHY}"], "")
    assert user.processes() == []
    assert not user.data_root.exists()
