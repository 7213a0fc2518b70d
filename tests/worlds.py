"""Several test processes at once: ``pytest --worlds=3`` collects once, forks, and hands out the files one by one.

Each process is a world: it runs whole files, so that what a module shares is made once, and only the first process
reports, so that there is one output, one summary and one exit code. ``pytest_world_begins`` is called in each new
world (``tests/root`` moves into namespaces of its own there).
"""

from __future__ import annotations

import json
import os
import selectors
import signal
import socket
import traceback
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from itertools import groupby
from typing import Any

import pytest

Part = list[pytest.Item]
"""The items of one file, in their order."""


class Hooks:
    """What conftest files can add."""

    def pytest_world_begins(self, number: int) -> None:
        """Called in a new process, before its first test."""


def parts(items: Iterable[pytest.Item]) -> list[Part]:
    """Return the items file by file: slow ones first, then those with most tests, so that the worlds end together."""

    def weight(part: Part) -> tuple[bool, int]:
        return any(item.get_closest_marker("slow") for item in part), len(part)

    return sorted((list(group) for _, group in groupby(items, key=lambda item: item.path)), key=weight, reverse=True)


@dataclass
class World:
    """A process that runs tests, seen from the one that reports."""

    pid: int
    link: socket.socket
    read: bytes = b""  # the beginning of a line
    left: Part = field(default_factory=list)  # what it was given and has not ended

    def messages(self) -> list[Any] | None:
        """Return what has come, or None at its end."""
        try:
            data = self.link.recv(1 << 20)
        except ConnectionResetError:
            data = b""
        if not data:
            return None
        *lines, self.read = (self.read + data).split(b"\n")
        return [json.loads(line) for line in lines]

    def give(self, number: int, part: Part) -> None:
        self.left = list(part)
        with suppress(BrokenPipeError):  # it has ended: told when its link is read
            self.link.sendall(b"%d\n" % number)

    def end(self) -> None:
        """Let it end after what it does; it undoes its fixtures first."""
        self.link.shutdown(socket.SHUT_WR)


class Reporting:
    """In the first process: forks, gives out files, and has pytest report what comes back."""

    @pytest.hookimpl(tryfirst=True)
    def pytest_runtestloop(self, session: pytest.Session) -> bool | None:
        if session.testsfailed or session.config.option.collectonly:
            return None  # as pytest does it
        queue = parts(session.items)
        terminal = session.config.pluginmanager.get_plugin("terminalreporter")
        terminal.showfspath = False  # results of several files come between one another
        terminal.flush()
        session.config._tmp_path_factory.getbasetemp()  # one for all
        waiting = iter(list(enumerate(queue)))
        worlds: list[World] = []
        try:
            for number in range(min(session.config.option.worlds, len(queue))):
                worlds.append(_fork(session, number, queue, worlds))
            _run(session, worlds, waiting)
        except BaseException:
            for world in worlds:
                os.kill(world.pid, signal.SIGINT)
            raise
        finally:
            codes = [_ended(world) for world in worlds]
        for _, part in waiting:
            _fail(session, part, "not run: all worlds ended before it")
        if any(codes) and not session.testsfailed:
            raise session.Failed("a world ended with an error of its own: see above")
        return True


def _run(session: pytest.Session, worlds: Sequence[World], waiting: Iterator[tuple[int, Part]]) -> None:
    with selectors.DefaultSelector() as selector:
        for world in worlds:
            selector.register(world.link, selectors.EVENT_READ, world)
            _next(world, waiting)
        while selector.get_map():
            for key, _ in selector.select():
                world = key.data
                messages = world.messages()
                if messages is None:  # it ended, and not as it should if it had something to do
                    selector.unregister(world.link)
                    _fail(session, world.left, "the process of its world ended")
                for message in messages or ():
                    if message:
                        _report(session, world, message)
                    else:
                        _next(world, waiting)


def _next(world: World, waiting: Iterator[tuple[int, Part]]) -> None:
    try:
        world.give(*next(waiting))
    except StopIteration:
        world.end()


def _report(session: pytest.Session, world: World, message: dict[str, Any]) -> None:
    hook = session.config.hook
    report = hook.pytest_report_from_serializable(config=session.config, data=message)
    if report.skipped and isinstance(report.longrepr, list):
        report.longrepr = tuple(report.longrepr)  # which JSON does not know
    hook.pytest_runtest_logreport(report=report)
    if report.when == "teardown":
        world.left = world.left[1:]
        hook.pytest_runtest_logfinish(nodeid=report.nodeid, location=report.location)
    if session.shouldfail:
        raise session.Failed(session.shouldfail)
    if session.shouldstop:
        raise session.Interrupted(session.shouldstop)


def _fail(session: pytest.Session, part: Part, why: str) -> None:
    for item in part:
        report = pytest.TestReport(item.nodeid, item.location, {}, "failed", why, "call")
        session.config.hook.pytest_runtest_logreport(report=report)


def _ended(world: World) -> int:
    code = os.waitstatus_to_exitcode(os.waitpid(world.pid, 0)[1])
    world.link.close()
    return code


def _fork(session: pytest.Session, number: int, queue: Sequence[Part], others: Sequence[World]) -> World:
    ours, theirs = socket.socketpair()
    pid = os.fork()
    if pid:
        theirs.close()
        return World(pid, ours)
    try:
        ours.close()
        for world in others:
            world.link.close()
        code = _live(session, number, queue, theirs)
    except BaseException:  # noqa: BLE001  # it is told, and the exit code says so
        traceback.print_exc()
        code = 1
    os._exit(code)  # what is registered for an exit is the first process's


def _live(session: pytest.Session, number: int, queue: Sequence[Part], link: socket.socket) -> int:
    """Run a world to its end, and undo its fixtures."""
    try:
        _serve(session, number, queue, link)
    except (KeyboardInterrupt, BrokenPipeError):  # the first process says so, or is gone
        signal.signal(signal.SIGINT, signal.SIG_IGN)  # from both, the terminal and the first process
        return 130
    finally:
        session._setupstate.teardown_exact(None)
        session.config.pluginmanager.get_plugin("capturemanager").stop_global_capturing()
    return 0


@dataclass
class _Quiet:
    """Stands for what reports on the terminal, for those who ask for its writer: what hangs is printed there."""

    _tw: object


class _Sending:
    """In a world: sends each report to the first process, which reports it."""

    def __init__(self, config: pytest.Config, link: socket.socket) -> None:
        self._config = config
        self._link = link

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        data = self._config.hook.pytest_report_to_serializable(config=self._config, report=report)
        self._link.sendall(json.dumps(data).encode() + b"\n")


def _serve(session: pytest.Session, number: int, queue: Sequence[Part], link: socket.socket) -> None:
    config, plugins = session.config, session.config.pluginmanager
    capture = plugins.get_plugin("capturemanager")
    capture.stop_global_capturing()  # its files are the first process's
    capture.start_global_capturing()
    capture.suspend_global_capture()
    terminal = plugins.unregister(name="terminalreporter")
    plugins.register(_Quiet(terminal._tw), "terminalreporter")
    if plugins.has_plugin("terminalprogress"):
        plugins.unregister(name="terminalprogress")
    plugins.register(_Sending(config, link))
    config.hook.pytest_world_begins(number=number)
    with link.makefile("r") as orders:
        for order in orders:
            part = queue[int(order)]
            # Before another file only what the session shares stays: what comes next is not known yet.
            for item, following in zip(part, [*part[1:], session], strict=True):
                config.hook.pytest_runtest_protocol(item=item, nextitem=following)
            link.sendall(b"null\n")
