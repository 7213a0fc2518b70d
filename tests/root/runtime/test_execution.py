"""One more process in a container."""

from __future__ import annotations

import os
from collections.abc import Iterator
from typing import Any

import pytest
from tests.root.runtime.conftest import Bundle, Outcome, read_line, reap

from wharf.runtime.errors import StartFailed
from wharf.runtime.execution import execute
from wharf.runtime.started import Started

pytestmark = pytest.mark.root


@pytest.fixture
def running(bundle: Bundle) -> Iterator[Started]:
    started = bundle.create(bundle.spec(["sleep", "100"]))
    started.start()
    yield started
    started.abort()


def run(running: Started, args: list[str], **process: Any) -> Outcome:
    reader, writer = os.pipe()
    try:
        started = execute(
            {"args": args, "cwd": "/", "env": ["PATH=/bin"], **process},  # type: ignore[typeddict-item]
            init_pid=running.pid,
            spec={},
            stdio=(0, writer, writer),
            cgroup=None,
            seccomp_cache=None,
        )
    except BaseException:
        os.close(reader)
        raise
    finally:
        os.close(writer)
    with os.fdopen(reader, encoding="utf-8") as file:
        output = file.read()
    return Outcome(reap(started), output)


def test_a_program_that_is_not_there_is_not_found_and_the_container_goes_on(running: Started) -> None:
    with pytest.raises(StartFailed, match=r"executable file not found in \$PATH") as caught:
        run(running, ["nope"])

    assert caught.value.kind == "not-found"
    assert os.waitid(os.P_PIDFD, running.pidfd, os.WEXITED | os.WNOHANG) is None


def test_a_container_that_has_exited_takes_no_more(bundle: Bundle) -> None:
    started = bundle.create(bundle.spec(["true"]))
    started.start()
    reap(started)

    with pytest.raises(StartFailed, match="container is not running"):
        run(started, ["true"])


def test_it_is_in_the_containers_namespaces_and_a_child_of_the_caller(running: Started) -> None:
    before = os.readlink("/proc/self/ns/pid_for_children")

    assert run(running, ["sh", "-c", "hostname; cat /proc/1/comm; id -un; exit 4"]) == (4, "box\nsleep\nroot\n")
    assert os.readlink("/proc/self/ns/pid_for_children") == before


def test_it_can_be_another_user_in_another_folder(running: Started) -> None:
    assert run(running, ["sh", "-c", "id -u; pwd; echo $HOME"], user={"username": "app"}, cwd="/etc") == (
        0,
        "1000\n/etc\n/home/app\n",
    )


def test_it_has_a_terminal_of_the_containers(running: Started) -> None:
    started = execute(
        {"args": ["tty"], "cwd": "/", "env": ["PATH=/bin"], "terminal": True},
        init_pid=running.pid,
        spec={},
        stdio=None,
        cgroup=None,
        seccomp_cache=None,
    )
    assert started.console is not None
    output = read_line(started.console)
    code = reap(started)
    os.close(started.console)  # not before its end: it would get SIGHUP

    assert (code, output) == (0, b"/dev/pts/0\r\n")
