"""A bus with systemd on it, which knows one thing: to put processes into the group of a scope."""

from __future__ import annotations

import socket
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from wharf.kernel import dbus_wire as wire
from wharf.kernel.cgroup.units import expanded

_JOB = "/org/freedesktop/systemd1/job/7"


class FakeSystemd:
    """Remembers its calls; ``result`` is how jobs end, ``refuses`` the name of an error to answer with.

    ``knows``: it has a scope of any name already, until that is stopped.
    """

    def __init__(self, roots: list[Path], *, result: str = "done", refuses: str = "", knows: bool = False) -> None:
        self.calls: list[str] = []
        self.units: list[tuple[str, dict[str, Any]]] = []
        self._roots = roots
        self._result = result
        self._refuses = refuses or ("org.freedesktop.systemd1.UnitExists" if knows else "")
        self._knows = knows

    def converse(self, peer: socket.socket) -> None:
        stream = peer.makefile("rb")
        assert stream.readline().startswith(b"\0AUTH EXTERNAL ")
        peer.sendall(b"OK 0123456789abcdef\r\n")
        assert stream.readline() == b"BEGIN\r\n"
        while head := stream.read(wire.HEAD_BYTES):
            call = wire.decode(head + stream.read(wire.length(head) - wire.HEAD_BYTES))
            for answer in self._answer(call):
                peer.sendall(wire.encode(answer))

    def _answer(self, call: wire.Message) -> Iterator[wire.Message]:
        member = call.fields["member"]
        self.calls.append(member)
        to = {"reply_serial": call.serial}
        if member == "StartTransientUnit" and self._refuses:
            yield wire.Message(wire.ERROR, 1, {**to, "error": self._refuses, "signature": "s"}, ["no such slice"])
        elif member == "StartTransientUnit":
            self._start(call.body)
            yield _removed("/org/freedesktop/systemd1/job/6", "other.scope", "failed")
            yield wire.Message(wire.RETURN, 2, {**to, "signature": "o"}, [_JOB])
            yield _removed(_JOB, call.body[0], self._result)
        elif member == "StopUnit":
            if self._knows:
                self._refuses = ""
            yield wire.Message(wire.RETURN, 2, {**to, "signature": "o"}, [_JOB])
            yield _removed(_JOB, call.body[0], self._result)
        elif member == "SetUnitProperties":
            self.units.append((call.body[0], {name: value for name, (_, value) in call.body[2]}))
            yield wire.Message(wire.RETURN, 4, to, [])
        elif member == "Hello":
            yield wire.Message(wire.RETURN, 3, {**to, "signature": "s"}, [":1.1"])
        else:
            yield wire.Message(wire.RETURN, 4, to, [])

    def _start(self, body: list[Any]) -> None:
        properties = {name: value for name, (_, value) in body[2]}
        self.units.append((body[0], properties))
        for root in self._roots:
            group = root / expanded(properties["Slice"]).lstrip("/") / body[0]
            group.mkdir(parents=True, exist_ok=True)
            for pid in properties["PIDs"]:
                (group / "cgroup.procs").write_text(str(pid))


def _removed(job: str, unit: str, result: str) -> wire.Message:
    fields = {"path": "/org/freedesktop/systemd1", "interface": "org.freedesktop.systemd1.Manager"}
    body = [7, job, unit, result]
    return wire.Message(wire.SIGNAL, 5, {**fields, "member": "JobRemoved", "signature": "uoss"}, body)


@contextmanager
def serving(systemd: FakeSystemd, path: Path) -> Iterator[None]:
    """Let it answer at ``path``."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()
        thread = threading.Thread(target=_serve, args=(systemd, listener))
        thread.start()
        try:
            yield
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            thread.join()


def _serve(systemd: FakeSystemd, listener: socket.socket) -> None:
    while True:
        try:
            peer, _ = listener.accept()
        except OSError:
            return
        with peer:
            systemd.converse(peer)
