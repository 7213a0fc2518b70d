from __future__ import annotations

import threading

import pytest
from tests.root.compose.conftest import Compose

from wharf.client.frames import STDERR, STDOUT
from wharf.compose.execute.engine import Engine
from wharf.compose.execute.logs import Follower, Window, read_lines
from wharf.compose.execute.observe import containers
from wharf.compose.plan.observed import Container

pytestmark = pytest.mark.root


def test_lines_are_whole_and_of_their_stream(compose: Compose, engine: Engine) -> None:
    compose.write(
        "services: {a: {image: busybox, command: sh -c 'printf x; sleep 0.1; echo y; echo z >&2; printf end'}}"
    )
    compose.done("up", "-d")
    [one] = containers(engine, "app")
    lines = sorted(read_lines(engine, one, Window(), follow=True))

    assert lines == [(STDOUT, b"end"), (STDOUT, b"xy"), (STDERR, b"z")]
    assert len(list(read_lines(engine, one, Window(tail="1"), follow=False))) == 1


def test_terminals_are_read_too(compose: Compose, engine: Engine) -> None:
    compose.write("services: {a: {image: busybox, command: echo hi, tty: true}}")
    compose.done("up", "-d")
    compose.cli("wait", "app-a-1")
    [one] = containers(engine, "app")

    assert list(read_lines(engine, one, Window(), follow=True)) == [(STDOUT, b"hi\r")]


def test_follower_tells_of_starts_lines_and_ends_in_order(compose: Compose, engine: Engine) -> None:
    told: list[str] = []
    over = threading.Event()

    def show(one: Container, _stream: int, line: bytes) -> None:
        told.append(f"{one.name} {line.decode()}")

    def ended(one: Container, code: int) -> None:
        told.append(f"{one.name} {code}")
        if code == 3:
            over.set()

    follower = Follower(engine, "app", show, ended)
    follower.begin(lambda one: one.service != "quiet")
    compose.write("""
        services:
          a: {image: busybox, command: sh -c 'echo one; exit 3'}
          quiet: {image: busybox, command: echo never}
    """)
    compose.done("up", "-d")
    assert over.wait(60)
    follower.wait_for_all()

    assert told == ["app-a-1 one", "app-a-1 3"]
