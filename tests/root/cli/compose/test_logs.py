from __future__ import annotations

import pytest
from tests.root.compose.conftest import Compose

pytestmark = pytest.mark.root

APP = """
services:
  a: {image: busybox, command: sh -c 'echo one; echo two >&2; echo three'}
  b: {image: busybox, command: sh -c 'printf half'}
"""


def test_lines_of_all_or_some_with_whose_they_are(compose: Compose) -> None:
    compose.write(APP)
    compose.done("up", "-d")
    for name in ("app-a-1", "app-b-1"):
        compose.cli("wait", name)
    done = compose("logs")

    assert done.out == "a-1  | one\na-1  | three\nb-1  | half\n"
    assert done.err == "a-1  | two\n"
    assert compose.done("logs", "--no-log-prefix", "--tail", "1", "b") == "half\n"
    assert compose.done("logs", "-t", "b").split()[-1] == "half"


def test_following_ends_with_the_last_container_and_hears_of_new_ones(compose: Compose) -> None:
    compose.write("""
        services:
          a:
            image: busybox
            command: sh -c 'echo here; until test -f /go; do sleep 0.1; done; echo gone'
    """)
    compose.done("up", "-d")
    following = compose.start("logs", "-f")
    assert following.stdout is not None
    assert following.stdout.readline() == "a-1  | here\n"
    compose.done("exec", "-T", "a", "touch", "/go")
    out, _ = following.communicate(timeout=60)

    assert out == "a-1  | gone\na-1 exited with code 0\n"


def test_output_of_up_ends_with_the_containers_and_exit_codes_are_told(compose: Compose) -> None:
    compose.write(APP)
    done = compose("up")

    assert done.code == 0
    lines = done.out.splitlines()
    assert lines[0] == "Attaching to a-1, b-1"
    assert {"a-1  | one", "a-1  | three", "b-1  | half", "a-1 exited with code 0", "b-1 exited with code 0"} <= set(
        lines
    )


def test_first_end_stops_the_others_and_its_code_is_ours(compose: Compose) -> None:
    compose.write("""
        services:
          job: {image: busybox, command: sh -c 'exit 7'}
          web: {image: busybox, command: sleep 1000, init: true}
    """)

    assert compose("up", "--abort-on-container-exit").code == 7
    assert compose.states() == {"app-job-1": "exited", "app-web-1": "exited"}
    assert compose("up", "--exit-code-from", "web").code == 143
    assert compose("up", "-d", "--exit-code-from", "web").err.startswith(
        "--detach and --exit-code-from are incompatible"
    )


def test_interrupt_stops_the_containers(compose: Compose) -> None:
    compose.write("services: {web: {image: busybox, command: sh -c 'echo up; exec sleep 1000', init: true}}")
    process = compose.start("up")
    assert process.stdout is not None
    while process.stdout.readline() != "web-1  | up\n":
        pass
    process.terminate()
    process.communicate(timeout=60)

    assert (process.returncode, compose.states()) == (130, {"app-web-1": "exited"})
