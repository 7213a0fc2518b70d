"""An engine without containers: it answers what a test put in, and remembers what it was asked."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

Calls = list[tuple[str, tuple[Any, ...], dict[str, Any]]]


@dataclass
class FakeStream:
    """An attached stream whose other end the test (or an echoing task) holds."""

    socket: socket.socket
    tty: bool
    far: socket.socket


def stream_pair(*, tty: bool = False) -> FakeStream:
    near, far = socket.socketpair(socket.AF_UNIX, socket.SOCK_STREAM)
    near.setblocking(False)
    far.setblocking(False)
    return FakeStream(near, tty, far)


def frame(stream: int, data: bytes) -> bytes:
    return bytes([stream, 0, 0, 0]) + len(data).to_bytes(4, "big") + data


class FakeLog:
    def __init__(self, chunks: list[bytes], *, tty: bool = False, then: BaseException | None = None) -> None:
        self.tty = tty
        self._chunks = chunks
        self._then = then

    async def __aiter__(self) -> AsyncIterator[bytes]:
        for chunk in self._chunks:
            yield chunk
        if self._then is not None:
            raise self._then


@dataclass
class Noun:
    """One of the engine's nouns: every method is there, records its call and gives the canned answer.

    ``answers`` maps a method to a value, an exception to raise, or a function of the call's arguments (which may
    return an awaitable). Methods named in ``streams`` give asynchronous iterators over a list; an exception in the
    list is raised in its turn, an awaitable is waited for.
    """

    name: str
    calls: Calls
    streams: frozenset[str] = frozenset()
    answers: dict[str, Any] = field(default_factory=dict)

    def __getattr__(self, method: str) -> Callable[..., Any]:
        if method.startswith("__"):
            raise AttributeError(method)
        return self._stream(method) if method in self.streams else self._call(method)

    def _call(self, method: str) -> Callable[..., Awaitable[Any]]:
        async def call(*args: Any, **kwargs: Any) -> Any:
            self.calls.append((f"{self.name}.{method}", args, kwargs))
            answer = self.answers.get(method)
            if isinstance(answer, BaseException):
                raise answer
            if callable(answer):
                answer = answer(*args, **kwargs)
                if asyncio.iscoroutine(answer):
                    answer = await answer
            return answer

        return call

    def _stream(self, method: str) -> Callable[..., AsyncIterator[Any]]:
        async def stream(*args: Any, **kwargs: Any) -> AsyncIterator[Any]:
            recorded = [await _drained(arg) for arg in args]
            self.calls.append((f"{self.name}.{method}", tuple(recorded), kwargs))
            for item in self.answers.get(method, ()):
                if isinstance(item, BaseException):
                    raise item
                if asyncio.isfuture(item) or asyncio.iscoroutine(item):
                    await item
                else:
                    yield item

        return stream


async def _drained(arg: Any) -> Any:
    return b"".join([chunk async for chunk in arg]) if hasattr(arg, "__aiter__") else arg


class FakeEngine:
    def __init__(self) -> None:
        self.calls: Calls = []
        self.containers = Noun("containers", self.calls, frozenset({"stats"}))
        self.execs = Noun("execs", self.calls)
        self.images = Noun("images", self.calls, frozenset({"load", "save", "import_", "bootstrap", "pull", "push"}))
        self.networks = Noun("networks", self.calls)
        self.networks.answers["inspect"] = {}
        self.volumes = Noun("volumes", self.calls)
        self.plugins = Noun("plugins", self.calls, frozenset({"pull", "push", "upgrade"}))
        self.builds = Noun("builds", self.calls, frozenset({"build", "build_over_session"}))
        self.system = Noun("system", self.calls, frozenset({"events"}))
        self.system.experimental = False  # type: ignore[attr-defined]  # what is no call
        self.authorization = Noun("authorization", self.calls)
        self.authorization.wanted = False  # type: ignore[attr-defined]  # what is no call
