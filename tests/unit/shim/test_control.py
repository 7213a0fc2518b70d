from __future__ import annotations

import json
import os
import resource
import select
import socket
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import pytest

from wharf.shim.control import Control, Kept, Refused


def _is_open(fd: int) -> bool:
    try:
        os.fstat(fd)
    except OSError:
        return False
    return True


@pytest.fixture
def opened() -> Callable[[int], list[int]]:
    return lambda count: [os.open("/dev/null", os.O_RDONLY | os.O_CLOEXEC) for _ in range(count)]


def test_what_is_not_named_any_more_is_let_go_and_what_is_brought_again_replaced(
    opened: Callable[[int], list[int]],
) -> None:
    kept = Kept()
    first, second, third = opened(3)
    again, more = opened(2)
    kept.keep({"ports": ["a", "b", "c"]}, [first, second, third])

    brought = [again, more]
    kept.keep({"ports": ["a", "d", "b"]}, brought)

    assert brought == []
    assert sorted(kept.names) == ["a", "b", "d"]
    assert [_is_open(fd) for fd in (first, second, third, again, more)] == [False, True, False, True, True]
    kept.close()
    assert not any(_is_open(fd) for fd in (second, again, more))


def test_a_container_that_has_ended_keeps_nothing(opened: Callable[[int], list[int]]) -> None:
    kept = Kept()
    kept.close()
    brought = opened(1)

    with pytest.raises(Refused, match="not running"):
        kept.keep({"ports": ["a"]}, brought)

    assert len(brought) == 1  # whoever received it closes it
    os.close(brought[0])


def test_sockets_without_a_name_are_refused(opened: Callable[[int], list[int]]) -> None:
    brought = opened(2)

    with pytest.raises(ValueError, match="more sockets than ports"):
        Kept().keep({"ports": ["a"]}, brought)

    for fd in brought:
        os.close(fd)


class _Loop:
    """Calls back once a turn for what is ready."""

    def __init__(self) -> None:
        self._watched: dict[int, tuple[int, Callable[[int], None]]] = {}
        self.put_off: list[Callable[[], None]] = []

    def watch(self, fd: int, events: int, callback: Callable[[int], None]) -> None:
        self._watched[fd] = events, callback

    def unwatch(self, fd: int) -> None:
        self._watched.pop(fd, None)

    def later(self, _seconds: float, callback: Callable[[], None]) -> None:
        self.put_off.append(callback)

    def turn(self) -> bool:
        """Return whether anything was ready."""
        poll = select.poll()
        for fd, (events, _) in self._watched.items():
            poll.register(fd, events)
        ready = poll.poll(0)
        for fd, events in ready:
            if fd in self._watched:
                self._watched[fd][1](events)
        return bool(ready)


@contextmanager
def _serving(tmp_path: Path) -> Iterator[tuple[_Loop, Control, socket.socket]]:
    ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
    ours.setblocking(False)
    loop = _Loop()
    control = Control(loop)  # type: ignore[arg-type]  # all of a loop that it uses
    control.take(theirs)
    control.serve(
        str(tmp_path / "sock"), {"echo": lambda message, _: {"text": message["text"]}}, lambda: {"event": "state"}
    )
    try:
        with ours:
            yield loop, control, ours
    finally:
        for connection in list(control._connections):
            connection.close()
        control._listener.close()


def _answers(loop: _Loop, ours: socket.socket) -> list[dict[str, object]]:
    found = []
    while True:
        try:
            if not (data := ours.recv(65536)):
                return found
            found.append(json.loads(data))
        except BlockingIOError:
            if not loop.turn():
                return found


def test_an_engine_that_asks_faster_than_it_reads_is_kept_waiting_and_gets_all_answers(tmp_path: Path) -> None:
    asked = 0
    with _serving(tmp_path) as (loop, _, ours):
        while True:
            try:
                ours.send(json.dumps({"seq": asked, "op": "echo", "text": "x" * 500}).encode())
                asked += 1
            except BlockingIOError:
                if not loop.turn():  # it takes no more before it has been read from
                    break
        answers = _answers(loop, ours)

    assert asked > 300
    assert [answer["seq"] for answer in answers] == list(range(asked))


def test_an_engine_that_never_reads_is_dropped_once_thousands_of_events_wait(tmp_path: Path) -> None:
    with _serving(tmp_path) as (loop, control, ours):
        for _ in range(6000):
            control.publish({"event": "oom"})
        told = _answers(loop, ours)

        assert 0 < len(told) < 6000
        assert ours.recv(10) == b""


def _asked_with_a_descriptor(loop: _Loop, ours: socket.socket) -> dict[str, object]:
    socket.send_fds(ours, [b'{"seq": 1, "op": "echo", "text": "hi"}'], [0])
    (answer,) = _answers(loop, ours)
    return answer


def test_clients_that_would_take_the_last_descriptors_are_refused_and_the_others_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with _serving(tmp_path) as (loop, _, ours):
        assert _asked_with_a_descriptor(loop, ours) == {"seq": 1, "result": {"text": "hi"}}
        before = os.listdir("/proc/self/fd")
        monkeypatch.setattr(os, "sysconf", lambda _: 36)
        refused = _asked_with_a_descriptor(loop, ours)
        assert len(os.listdir("/proc/self/fd")) == len(before)
        monkeypatch.undo()

        assert refused["error"] == {
            "kind": "other", "message": "the container has too many clients: its shim may have 36 files open",
        }  # fmt: skip
        assert _asked_with_a_descriptor(loop, ours) == {"seq": 1, "result": {"text": "hi"}}


@contextmanager
def _full() -> Iterator[None]:
    """Let this process open nothing more."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    fillers = [os.dup(0)]
    highest = max(int(name) for name in os.listdir("/proc/self/fd"))
    resource.setrlimit(resource.RLIMIT_NOFILE, (highest + 1, hard))
    try:
        with suppress(OSError):
            while True:
                fillers.append(os.dup(0))
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))
        for fd in fillers:
            os.close(fd)


def test_a_client_whose_descriptor_cannot_be_taken_is_refused(tmp_path: Path) -> None:
    with _serving(tmp_path) as (loop, _, ours):
        with _full():
            told = _asked_with_a_descriptor(loop, ours)

        assert "too many clients" in str(told["error"])
        assert _asked_with_a_descriptor(loop, ours) == {"seq": 1, "result": {"text": "hi"}}


def test_an_engine_that_comes_when_there_is_no_descriptor_left_is_let_in_later(tmp_path: Path) -> None:
    with _serving(tmp_path) as (loop, _, _ours), socket.socket(socket.AF_UNIX, socket.SOCK_SEQPACKET) as another:
        another.connect(str(tmp_path / "sock"))
        another.setblocking(False)
        with _full():
            assert loop.turn()
            assert not loop.turn()  # nobody is told without an end
        (listen,) = loop.put_off
        listen()

        assert _answers(loop, another) == [{"event": "state"}]
