from __future__ import annotations

import os
import signal
import subprocess
from collections.abc import Callable

import pytest
from tests.root.rootless.plain_user import PlainUser
from tests.root.wharfd import until

pytestmark = pytest.mark.slow
Make = Callable[..., PlainUser]


def test_a_command_is_root_and_stays_in_its_folder(plain_user: Make) -> None:
    user = plain_user()

    assert user.inside("sh", "-c", "id -u; cd /usr && pwd") == "0\n/usr\n"


def test_the_commands_exit_code_is_handed_on(plain_user: Make) -> None:
    user = plain_user()

    user.inside("sh", "-c", "exit 7", code=7)
    user.inside("sh", "-c", "kill -9 $$", code=137)
    user.inside("/no/such/program", code=127)


def test_nothing_is_left_when_the_last_command_ends(plain_user: Make) -> None:
    user = plain_user()

    user.inside("true")

    until(lambda: user.processes() == [])


def test_a_second_command_enters_the_same_namespaces(plain_user: Make) -> None:
    user = plain_user()
    first = subprocess.Popen(
        user.command("python3", "-m", "wharf.rootless", "sh", "-c", "readlink /proc/self/ns/user; exec cat"),
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
    )
    assert first.stdin
    assert first.stdout
    namespace = first.stdout.readline().decode()

    second = user.inside("readlink", "/proc/self/ns/user")

    first.stdin.close()
    assert (second, first.wait()) == (namespace, 0)
    first.stdout.close()
    until(lambda: user.processes() == [])


def test_a_holder_that_was_killed_is_replaced(plain_user: Make) -> None:
    user = plain_user(environment={"WHARF_ROOTLESS_NETWORK": "none"})
    script = 'python3 -c \'import json; print(json.load(open("%s"))["pid"])\'' % (
        user.run_root / "rootless/world.json"
    )
    pid = int(user.inside("sh", "-c", f"{script}; kill -9 $({script})"))

    assert int(user.inside("sh", "-c", script)) != pid


def test_signals_reach_the_command(plain_user: Make) -> None:
    user = plain_user()
    running = subprocess.Popen(
        user.command("python3", "-m", "wharf.rootless", "sh", "-c", "echo up; exec sleep 60"), stdout=subprocess.PIPE
    )
    assert running.stdout
    assert running.stdout.readline() == b"up\n"

    os.kill(running.pid, signal.SIGTERM)

    assert running.wait() == 128 + signal.SIGTERM
    running.stdout.close()
