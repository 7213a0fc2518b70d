"""One call: messages both ways (gRPC over HTTP/2, "Requests", "Responses")."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from typing import Final, Self

from wharf.rpc import status
from wharf.rpc.status import CallFailed
from wharf.rpc.stream import Headers, Stream, StreamReset

MAX_MESSAGE_BYTES: Final = 16 * 1024 * 1024
"""Longest message that is taken, as with BuildKit's own."""

Metadata = Mapping[str, Sequence[str]]
_HEAD: Final = 5  # compressed or not, and a length


class Call:
    """Messages of one call, from either side of it."""

    def __init__(self, stream: Stream) -> None:
        self.stream = stream

    @property
    def metadata(self) -> dict[str, list[str]]:
        """What came with the call, by lower-case name."""
        found: dict[str, list[str]] = {}
        for name, value in self.stream.headers or ():
            if not name.startswith(":"):
                found.setdefault(name, []).append(value)
        return found

    async def receive(self) -> bytes | None:
        """Return the next message; None when no more come.

        Raises:
            CallFailed: it is too long, broken off or compressed.
            StreamReset: the other side gave up.
        """
        head = await self.stream.read(_HEAD)
        if not head:
            return None
        length = int.from_bytes(head[1:], "big")
        if head[0]:
            raise CallFailed(status.UNIMPLEMENTED, "compressed messages are not supported")
        if length > MAX_MESSAGE_BYTES:
            raise CallFailed(
                status.RESOURCE_EXHAUSTED, f"a message of {length} bytes: at most {MAX_MESSAGE_BYTES} are taken"
            )
        message = await self.stream.read(length) if length else b""
        if len(head) < _HEAD or len(message) < length:
            raise CallFailed(status.INTERNAL, "a message that was broken off")
        return message

    def ready(self, most_bytes: int) -> list[memoryview]:
        """Return the whole messages that are here, of at most so many bytes; what is to be refused is left."""
        data = self.stream.take(most_bytes)
        view, found, at = memoryview(data), [], 0
        while at + _HEAD <= len(data) and not data[at]:
            end = at + _HEAD + int.from_bytes(data[at + 1 : at + _HEAD], "big")
            if end > len(data):
                break
            found.append(view[at + _HEAD : end])
            at = end
        self.stream.put_back(data[at:])
        return found

    async def messages(self) -> AsyncIterator[bytes]:
        """Yield messages until no more come."""
        while (message := await self.receive()) is not None:
            yield message

    async def send(self, message: bytes) -> None:
        """Send one message; waits while the other side is slow."""
        await self.send_all([message])

    async def send_all(self, messages: Iterable[bytes]) -> None:
        """Send messages, as few writes as that takes; waits while the other side is slow."""
        framed = b"".join(b"\0" + len(message).to_bytes(4, "big") + message for message in messages)
        if framed:
            await self.stream.send(framed)


class ClientCall(Call):
    """A call that we make; leave it with ``async with``, which gives up what is not over."""

    async def finish(self) -> None:
        """Say that no more messages come from us; nothing happens when the other side has ended the call."""
        if not (self.stream.local_ended or self.stream.ended):
            await self.stream.send(b"", end=True)

    async def send_all(self, messages: Iterable[bytes]) -> None:
        """Send messages; waits while the other side is slow.

        Raises:
            CallFailed: the other side has ended the call, or is gone.
        """
        try:
            await super().send_all(messages)
        except StreamReset as error:
            ended = status.error_in(self.stream.trailers or self.stream.headers or []) if self.stream.ended else None
            raise ended or CallFailed(status.UNAVAILABLE, str(error)) from error

    async def receive(self) -> bytes | None:
        """Return the next message; None when the call is done.

        Raises:
            CallFailed: it ended with another status than 0.
        """
        try:
            message = await super().receive()
        except StreamReset as error:
            raise CallFailed(status.UNAVAILABLE, str(error)) from error
        if message is None:
            failure = status.error_in(self.stream.trailers or self.stream.headers or [])
            if failure is not None:
                raise failure
        return message

    async def only(self) -> bytes:
        """Return the one message of a call that has one.

        Raises:
            CallFailed: it failed, or there is none.
        """
        message = await self.receive()
        if message is None:
            raise CallFailed(status.INTERNAL, "an answer without a message")
        await self.receive()
        return message

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        self.stream.reset()


def request_headers(path: str, metadata: Metadata) -> Headers:
    """Return the headers that begin a call."""
    fixed = [
        (":method", "POST"),
        (":scheme", "http"),
        (":path", path),
        (":authority", "localhost"),
        ("te", "trailers"),
        ("content-type", "application/grpc"),
        ("user-agent", "wharf"),
    ]
    return fixed + [(name, value) for name, values in metadata.items() for value in values]
