"""One line as each receiver wants it: syslog (RFC 3164, 5424), GELF 1.1, Fluentd's forward protocol, journald."""

from __future__ import annotations

import gzip
import json
import os
import struct
import zlib
from collections.abc import Iterator, Mapping
from datetime import UTC, datetime
from typing import Final, NamedTuple

import msgspec

from wharf.engine.logs.identity import Identity

GELF_CHUNK_BYTES: Final = 1420  # as Docker's: fits every path
_GELF_MOST_CHUNKS: Final = 128
_GELF_MAGIC: Final = b"\x1e\x0f"
_ERROR, _INFO = 3, 6


class Message(NamedTuple):
    """One line of a container's output, without its newline."""

    line: str
    stream: str  # stdout | stderr
    time_ns: int
    partial: bool = False  # the rest of the line is another message

    @property
    def level(self) -> int:
        """Syslog's severity: what comes on stderr is an error, as Docker has it."""
        return _ERROR if self.stream == "stderr" else _INFO


def syslog(message: Message, identity: Identity, facility: int, kind: str) -> bytes:
    """Return a syslog message of ``kind``: "" (local), rfc3164, rfc5424 or rfc5424micro."""
    priority = facility * 8 + message.level
    moment = datetime.fromtimestamp(message.time_ns // 1_000_000_000, UTC)
    process = os.getpid()
    stamp = f"{moment:%b} {moment.day:2} {moment:%H:%M:%S}"
    if kind == "rfc3164":
        text = f"<{priority}>{stamp} {identity.hostname} {identity.tag}[{process}]: {message.line}"
    elif kind:
        micro = f".{message.time_ns // 1000 % 1_000_000:06}" if kind == "rfc5424micro" else ""
        when = f"{moment:%Y-%m-%dT%H:%M:%S}{micro}Z"
        text = f"<{priority}>1 {when} {identity.hostname} {identity.tag} {process} {identity.tag} - {message.line}"
    else:
        text = f"<{priority}>{stamp} {identity.tag}[{process}]: {message.line}"
    return text.encode("utf-8", "replace")


def syslog_stream(packed: bytes, kind: str) -> bytes:
    """Return a message as a stream carries it: by its length (RFC 6587, 3.4.1) for RFC 5424, else by its newline."""
    return b"%d %b" % (len(packed), packed) if kind.startswith("rfc5424") else packed + b"\n"


def gelf(message: Message, identity: Identity) -> bytes:
    """Return a GELF 1.1 document."""
    document: dict[str, object] = {
        "version": "1.1",
        "host": identity.hostname,
        "short_message": message.line,
        "timestamp": message.time_ns // 1_000_000 / 1000,
        "level": message.level,
        "_command": identity.command,
        "_container_id": identity.id,
        "_container_name": identity.name,
        "_created": identity.created_at,
        "_image_id": identity.image_id,
        "_image_name": identity.image,
        "_tag": identity.tag,
        **{f"_{name}": value for name, value in identity.attributes.items()},
    }
    return json.dumps(document, ensure_ascii=False).encode("utf-8", "replace")


def gelf_datagrams(document: bytes, kind: str, level: int, message_id: bytes) -> Iterator[bytes]:
    """Yield the datagrams of a document: compressed, and in chunks when it is large; none when it is too large."""
    if kind == "gzip":
        document = gzip.compress(document, level if level >= 0 else 6, mtime=0)
    elif kind == "zlib":
        document = zlib.compress(document, level)
    if len(document) <= GELF_CHUNK_BYTES:
        yield document
        return
    room = GELF_CHUNK_BYTES - 12
    pieces = [document[at : at + room] for at in range(0, len(document), room)]
    if len(pieces) <= _GELF_MOST_CHUNKS:
        for number, piece in enumerate(pieces):
            yield _GELF_MAGIC + message_id + bytes((number, len(pieces))) + piece


def fluentd(message: Message, identity: Identity, *, precise: bool, chunk: str = "") -> bytes:
    """Return a message of the forward protocol v1, "Message Modes"; ``chunk`` asks for an acknowledgement."""
    seconds, nanoseconds = divmod(message.time_ns, 1_000_000_000)
    time: object = msgspec.msgpack.Ext(0, struct.pack(">II", seconds, nanoseconds)) if precise else seconds
    record: Mapping[str, str] = {
        "container_id": identity.id,
        "container_name": f"/{identity.name}",
        "source": message.stream,
        "log": message.line,
        **identity.attributes,
    }
    option = {"chunk": chunk} if chunk else {}
    return msgspec.msgpack.encode([identity.tag, time, record, option])


def journald(message: Message, identity: Identity) -> bytes:
    """Return an entry of the journal's native protocol (systemd, JOURNAL_NATIVE_PROTOCOL)."""
    fields = {
        "MESSAGE": message.line,
        "PRIORITY": str(message.level),
        "SYSLOG_IDENTIFIER": identity.tag,
        "SYSLOG_TIMESTAMP": datetime.fromtimestamp(message.time_ns / 1e9, UTC).isoformat(),
        "CONTAINER_ID": identity.id[:12],
        "CONTAINER_ID_FULL": identity.id,
        "CONTAINER_NAME": identity.name,
        "CONTAINER_TAG": identity.tag,
        "IMAGE_NAME": identity.image,
        **{_journal_name(name): value for name, value in identity.attributes.items()},
    }
    return b"".join(_journal_field(name, value.encode("utf-8", "replace")) for name, value in fields.items() if name)


def _journal_name(name: str) -> str:
    """Return a field's name as the journal takes it: upper case letters, digits, no underscore first."""
    return "".join(c if c.isascii() and c.isalnum() else "_" for c in name.upper()).lstrip("_")


def _journal_field(name: str, value: bytes) -> bytes:
    if b"\n" not in value:
        return b"%b=%b\n" % (name.encode(), value)
    return b"%b\n%b%b\n" % (name.encode(), struct.pack("<Q", len(value)), value)
