"""Receivers of log messages: connected when first needed, again when they were gone; one message at a time."""

from __future__ import annotations

import asyncio
import base64
import os
import secrets
import socket
from collections.abc import Callable, Mapping
from typing import Final, Protocol

import msgspec

from wharf.engine.logs import formats
from wharf.engine.logs.formats import Message
from wharf.engine.logs.identity import Identity
from wharf.engine.logs.options import (
    JOURNAL,
    Address,
    facility,
    fluentd_address,
    gelf_address,
    reconnect_ns,
    syslog_address,
    write_timeout_s,
)
from wharf.engine.logs.tls import TlsLine, keep_alive

_TIMEOUT_S: Final = 10.0


class Sink(Protocol):
    """One receiver."""

    async def open(self) -> None:
        """Connect; OSError when nobody listens."""

    async def send(self, message: Message) -> None:
        """Deliver one message; OSError, or WharfError of a plugin, when it was not."""

    async def flush(self) -> None:
        """Wait until what was sent has been taken; raises as :meth:`send` when it was not."""

    async def end(self) -> None:
        """Hang up; idempotent."""


class _Connected:
    """What all receivers on a connection do at the end."""

    close: Callable[[], None]

    async def flush(self) -> None:
        """Return: what a connection has taken is out of our hands."""

    async def end(self) -> None:
        """Hang up; idempotent."""
        self.close()


class Line:
    """A connection to an address: datagrams or a stream.

    A stream's receiver may take as long as it likes, if it is there: then its kernel answers. UDP's datagrams go to
    whoever is there, and are lost when nobody is.
    """

    def __init__(self, address: Address, write_timeout_s: float | None = None) -> None:
        self._address = address
        self._socket: socket.socket | None = None
        self._where: object = None
        self._write_timeout_s = _TIMEOUT_S if self.datagrams else write_timeout_s

    @property
    def datagrams(self) -> bool:
        """Whether messages keep their bounds."""
        return self._address.scheme in ("udp", "unixgram")

    async def open(self) -> None:
        """Connect unless that is done."""
        if self._socket is not None:
            return
        kind = socket.SOCK_DGRAM if self.datagrams else socket.SOCK_STREAM
        loop = asyncio.get_running_loop()
        family, target = socket.AF_UNIX, self._address.host
        self._where = target
        if self._address.scheme in ("udp", "tcp"):
            found = await loop.getaddrinfo(target, self._address.port, type=kind)
            family, _, _, _, self._where = found[0]
        opened = socket.socket(family, kind)
        try:
            await self._connect(opened)
        except BaseException:
            opened.close()
            raise
        self._socket = opened

    async def _connect(self, opened: socket.socket) -> None:
        opened.setblocking(False)  # noqa: FBT003  # socket's own signature
        if self._address.scheme == "udp":
            return  # connected, it would be told of datagrams that nobody has taken, and not send the next one
        if self._address.scheme == "tcp":
            keep_alive(opened)
        async with asyncio.timeout(_TIMEOUT_S):
            await asyncio.get_running_loop().sock_connect(opened, self._where)  # type: ignore[arg-type]  # getaddrinfo's

    async def send(self, data: bytes) -> None:
        """Send all of ``data``, to a receiver that may have to be found first."""
        await self.open()
        assert self._socket is not None
        loop = asyncio.get_running_loop()
        try:
            async with asyncio.timeout(self._write_timeout_s):
                if self._address.scheme == "udp":
                    await loop.sock_sendto(self._socket, data, self._where)  # type: ignore[arg-type]  # as above
                else:
                    await loop.sock_sendall(self._socket, data)
        except BaseException:
            self.close()
            raise

    async def receive(self) -> bytes:
        """Return what comes next; OSError when the receiver hangs up."""
        assert self._socket is not None
        try:
            async with asyncio.timeout(self._write_timeout_s):
                data = await asyncio.get_running_loop().sock_recv(self._socket, 65536)
        except BaseException:
            self.close()
            raise
        if not data:
            self.close()
            raise ConnectionResetError("the receiver hung up")
        return data

    def close(self) -> None:
        """Hang up; idempotent."""
        if self._socket is not None:
            self._socket.close()
            self._socket = None


class Syslog(_Connected):
    """A syslog daemon."""

    def __init__(self, identity: Identity, options: Mapping[str, str]) -> None:
        self._identity = identity
        self._facility = facility(options)
        self._kind = options.get("syslog-format", "")
        where = syslog_address(options)
        self._line = TlsLine(where, options) if where.scheme == "tcp+tls" else Line(where)
        self.open, self.close = self._line.open, self._line.close

    async def send(self, message: Message) -> None:
        """Deliver one message."""
        packed = formats.syslog(message, self._identity, self._facility, self._kind)
        await self._line.send(packed if self._line.datagrams else formats.syslog_stream(packed, self._kind))


class Gelf(_Connected):
    """A GELF input, of Graylog and others."""

    def __init__(self, identity: Identity, options: Mapping[str, str]) -> None:
        self._identity = identity
        self._compression = options.get("gelf-compression-type", "gzip")
        self._level = int(options.get("gelf-compression-level", "1"))
        self._line = Line(gelf_address(options))
        self.open, self.close = self._line.open, self._line.close

    async def send(self, message: Message) -> None:
        """Deliver one message; empty lines have no GELF form."""
        if not message.line:
            return
        document = formats.gelf(message, self._identity)
        if not self._line.datagrams:
            await self._line.send(document + b"\0")
            return
        for datagram in formats.gelf_datagrams(document, self._compression, self._level, secrets.token_bytes(8)):
            await self._line.send(datagram)


class Fluentd(_Connected):
    """A Fluentd or Fluent Bit forward input."""

    def __init__(self, identity: Identity, options: Mapping[str, str]) -> None:
        self._identity = identity
        self._precise = options.get("fluentd-sub-second-precision") == "true"
        self._acknowledged = options.get("fluentd-request-ack") == "true"
        self._line = Line(fluentd_address(options), write_timeout_s(options))
        self._kept_s = reconnect_ns(options) / 1e9
        self._until = 0.0  # by the loop's clock
        self.open, self.close = self._line.open, self._line.close

    def _renew(self) -> None:
        """Hang up where the receiver's name may stand for another by now."""
        now = asyncio.get_running_loop().time()
        if self._kept_s and now >= self._until:
            self._until = now + self._kept_s
            self.close()

    async def send(self, message: Message) -> None:
        """Deliver one message, and wait for the acknowledgement when one is wanted."""
        self._renew()
        chunk = base64.b64encode(secrets.token_bytes(16)).decode() if self._acknowledged else ""
        await self._line.send(formats.fluentd(message, self._identity, precise=self._precise, chunk=chunk))
        if not chunk:
            return
        try:
            answer = msgspec.msgpack.decode(await self._line.receive())
        except msgspec.DecodeError:
            answer = None
        if not isinstance(answer, dict) or answer.get("ack") != chunk:
            self.close()
            raise ConnectionResetError("fluentd acknowledged something else")


class Journald(_Connected):
    """The machine's journal."""

    def __init__(self, identity: Identity, options: Mapping[str, str]) -> None:
        del options
        self._identity = identity
        self._line = Line(Address("unixgram", JOURNAL))
        self.open, self.close = self._line.open, self._line.close

    async def send(self, message: Message) -> None:
        """Deliver one message."""
        await self._line.send(formats.journald(message, self._identity))


_SINKS: Final[Mapping[str, Callable[[Identity, Mapping[str, str]], Sink]]] = {
    "syslog": Syslog,
    "gelf": Gelf,
    "fluentd": Fluentd,
    "journald": Journald,
}


def sink_of(driver: str, identity: Identity, options: Mapping[str, str]) -> Sink:
    """Return the receiver of a driver, not connected yet."""
    return _SINKS[driver](identity, options)


async def require_reachable(sink: Sink) -> None:
    """Connect, and hang up again.

    Raises:
        OSError: nobody listens there.
    """
    try:
        await sink.open()
    finally:
        await sink.end()


_ADDRESSES: Final[Mapping[str, Callable[[Mapping[str, str]], Address]]] = {
    "syslog": syslog_address,
    "gelf": gelf_address,
    "fluentd": fluentd_address,
}


def unreachable(driver: str, options: Mapping[str, str], error: OSError) -> str:
    """Return what Docker's daemon says of a receiver that cannot be connected to (the words of Go's net.Dial)."""
    number = error.errno or 0
    why = os.strerror(number).lower() if number > 0 else str(error) or "i/o timeout"
    if driver not in _ADDRESSES:
        return f"{driver}: {why}"
    where = _ADDRESSES[driver](options)
    if driver == "syslog" and not options.get("syslog-address"):
        return "Unix syslog delivery error"  # none of the places where a machine's own is looked for
    network = where.scheme.removesuffix("+tls")
    shown = f"{where.host}:{where.port}" if where.port else where.host
    dialled = f"dial {network} {shown}: {'connect: ' if number > 0 else ''}{why}"
    return f"gelf: cannot connect to GELF endpoint: {shown} {dialled}" if driver == "gelf" else dialled
