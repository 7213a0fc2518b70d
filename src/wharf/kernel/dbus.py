"""A connection to a D-Bus bus, or to systemd's own socket: calls, and signals one waits for. It blocks."""

from __future__ import annotations

import _socket as socket
import errno
import os

from wharf.kernel import dbus_wire as wire

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any, Final, Self

_BUS: Final = "org.freedesktop.DBus"
_BUS_PATH: Final = "/org/freedesktop/DBus"
_LONGEST_BYTES: Final = 1 << 20


def bus_path(environment: Mapping[str, str]) -> str:
    """Return the bus to ask: the machine's for root, their own for a plain user, or as DBUS_*_BUS_ADDRESS say."""
    user = os.geteuid() != 0
    default = f"{environment.get('XDG_RUNTIME_DIR', '')}/bus" if user else "/run/dbus/system_bus_socket"
    address = environment.get("DBUS_SESSION_BUS_ADDRESS" if user else "DBUS_SYSTEM_BUS_ADDRESS") or ""
    for part in address.split(";"):
        kind, _, rest = part.partition(":")
        values = dict(pair.split("=", 1) for pair in rest.split(",") if "=" in pair)
        if kind == "unix" and "path" in values:
            return values["path"]
        if kind == "unix" and "abstract" in values:
            return f"\0{values['abstract']}"
    return default


class CallFailed(Exception):
    """The peer answered with an error; ``name`` is the error's."""

    def __init__(self, name: str, text: str) -> None:
        super().__init__(f"{text} ({name})" if text else name)
        self.name = name


class Connection:
    """An authenticated connection; a context manager."""

    __slots__ = ("_serial", "_signals", "_sock")

    def __init__(self, path: str, *, timeout_s: float) -> None:
        """Connect to the socket ``path`` (of the abstract kind when it begins with a NUL), as the caller's user.

        Raises:
            OSError: nobody listens, or they do not let us in.
        """
        self._serial = 0
        self._signals: list[wire.Message] = []
        self._sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM | socket.SOCK_CLOEXEC)
        try:
            self._sock.settimeout(timeout_s)
            self._sock.connect(path)
            self._authenticate()
        except BaseException:
            self._sock.close()
            raise

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self._sock.close()

    def join_bus(self) -> None:
        """Say hello to a bus: what has to come first there. systemd's own socket is none."""
        self.call(_BUS, _BUS_PATH, _BUS, "Hello", "", [])

    def want_signals(self, interface: str, member: str) -> None:
        """Ask a bus for signals of one kind."""
        rule = f"type='signal',interface='{interface}',member='{member}'"
        self.call(_BUS, _BUS_PATH, _BUS, "AddMatch", "s", [rule])

    def call(  # noqa: PLR0917 - what a call is, in its usual order
        self, destination: str, path: str, interface: str, member: str, signature: str, body: list[Any]
    ) -> list[Any]:
        """Call a method and return its answer; signals that come meanwhile are kept for :meth:`wait`.

        Raises:
            CallFailed: it is refused.
            OSError: the connection broke, or nobody answers in time.
        """
        self._serial += 1
        fields = {"path": path, "destination": destination, "interface": interface, "member": member}
        if signature:
            fields["signature"] = signature
        self._sock.sendall(wire.encode(wire.Message(wire.CALL, self._serial, fields, body)))
        while True:
            message = self._receive()
            if message.kind == wire.SIGNAL:
                self._signals.append(message)
            elif message.fields.get("reply_serial") == self._serial:
                if message.kind == wire.ERROR:
                    text = message.body[0] if message.body and isinstance(message.body[0], str) else ""
                    raise CallFailed(message.fields.get("error", ""), text)
                return message.body

    def wait(self, member: str) -> list[Any]:
        """Return the body of the next signal of that name.

        Raises:
            OSError: the connection broke, or none comes in time.
        """
        while True:
            message = self._signals.pop(0) if self._signals else self._receive()
            if message.kind == wire.SIGNAL and message.fields.get("member") == member:
                return message.body

    def _authenticate(self) -> None:
        user = str(os.geteuid()).encode().hex()
        self._sock.sendall(b"\0AUTH EXTERNAL " + user.encode() + b"\r\n")
        answer = b""
        while not answer.endswith(b"\r\n"):
            answer += self._some(1)
        if not answer.startswith(b"OK"):
            raise OSError(errno.EACCES, f"D-Bus: not let in: {answer.decode(errors='replace').strip()}")
        self._sock.sendall(b"BEGIN\r\n")

    def _receive(self) -> wire.Message:
        head = self._whole(wire.HEAD_BYTES)
        size = wire.length(head)
        if size > _LONGEST_BYTES:
            raise OSError(errno.EMSGSIZE, f"D-Bus: a message of {size} bytes")
        try:
            return wire.decode(head + self._whole(size - wire.HEAD_BYTES))
        except ValueError as error:
            raise OSError(errno.EPROTO, f"D-Bus: {error}") from error

    def _whole(self, size: int) -> bytes:
        data = b""
        while len(data) < size:
            data += self._some(size - len(data))
        return data

    def _some(self, most: int) -> bytes:
        data = self._sock.recv(most)
        if not data:
            raise OSError(errno.ECONNRESET, "D-Bus: the connection was closed")
        return data
