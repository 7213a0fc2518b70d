from __future__ import annotations

import os
import select
import termios
import threading
from collections.abc import Iterator

import pytest

from wharf.cli.compose.menu import Menu, menu_line
from wharf.errors import WharfError

_ON, _OFF = menu_line(watching=True).encode(), menu_line(watching=False).encode()


class Switch:
    watching = False
    useful = True
    broken = False

    def start(self) -> None:
        if self.broken:
            raise WharfError("no engine")
        self.watching = True

    def stop(self) -> None:
        self.watching = False


class World:
    """A menu on a terminal of its own, and the screen as a pipe."""

    def __init__(self) -> None:
        self.hand, self.keyboard = os.openpty()
        self.screen, out = os.pipe()
        self.out = out
        self.switch = Switch()
        self.changed = threading.Semaphore(0)
        self.menu = Menu(self.keyboard, out, self.switch, self.changed.release)

    def press(self, keys: bytes) -> None:
        os.write(self.hand, keys)
        for _ in keys:
            assert self.changed.acquire(timeout=60)

    def seen(self) -> bytes:
        found = b""
        while select.select([self.screen], [], [], 0)[0]:
            found += os.read(self.screen, 1 << 16)
        return found


@pytest.fixture
def world() -> Iterator[World]:
    found = World()
    yield found
    for descriptor in (found.hand, found.keyboard, found.screen, found.out):
        os.close(descriptor)


def test_keys_detach_and_switch_and_the_terminal_is_given_back(world: World) -> None:
    before = termios.tcgetattr(world.keyboard)
    with world.menu.shown():
        assert world.seen().endswith(_OFF)
        world.press(b"xw")
        assert (world.switch.watching, world.menu.detached) == (True, False)
        world.press(b"w")
        assert not world.switch.watching
        assert b"Watch disabled\n" in world.seen()
        world.press(b"d")
        assert world.menu.detached

    assert termios.tcgetattr(world.keyboard) == before
    assert world.seen() == b"\r\033[K"


def test_lines_are_written_above_the_menu(world: World) -> None:
    with world.menu.shown():
        world.seen()
        world.menu.say("web-1 | hello")
        assert world.seen() == b"\r\033[Kweb-1 | hello\n\r\033[K" + _OFF
        with world.menu.hidden():
            assert world.seen() == b"\r\033[K"
            world.menu.say("while hidden")
            assert world.seen() == b"while hidden\n"
        assert world.seen() == b"\r\033[K" + _OFF
        world.switch.watching = True
        world.menu.say("")
        assert world.seen().endswith(_ON)


def test_what_cannot_be_switched_is_told(world: World) -> None:
    world.switch.broken = True
    world.menu.press(b"w")
    assert world.seen() == b"Watch: no engine\n"

    world.switch.useful = False
    world.menu.press(b"w")
    assert b"nothing to follow" in world.seen()


def test_terminal_that_goes_away_ends_the_keys(world: World) -> None:
    with world.menu.shown():
        os.close(world.hand)
        world.hand = os.open("/dev/null", os.O_RDWR)
