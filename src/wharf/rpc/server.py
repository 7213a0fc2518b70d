"""The side that serves: each call of a connection on a task of its own, which ends with the call."""

from __future__ import annotations

import asyncio
import logging
import re
from collections.abc import Mapping
from typing import Final

from wharf.errors import WharfError
from wharf.rpc import status
from wharf.rpc.call import Call
from wharf.rpc.connection import Connection
from wharf.rpc.link import Link
from wharf.rpc.methods import Method
from wharf.rpc.status import CallFailed
from wharf.rpc.stream import Headers, Stream, StreamReset

_TIMEOUT: Final = re.compile(r"([0-9]{1,8})([HMSmun])\Z")
_SECONDS: Final = {"H": 3600.0, "M": 60.0, "S": 1.0, "m": 1e-3, "u": 1e-6, "n": 1e-9}
_BEGIN: Final[Headers] = [(":status", "200"), ("content-type", "application/grpc")]
_log = logging.getLogger(__name__)


async def serve(link: Link, methods: Mapping[str, Method]) -> None:
    """Serve a connection until it ends; what its calls were doing is cancelled then.

    Args:
        link: the connection; owned.
        methods: by path, ``/package.Service/Method``.
    """
    tasks: set[asyncio.Task[object]] = set()

    def accept(stream: Stream) -> None:
        task: asyncio.Task[object] = asyncio.get_running_loop().create_task(_answer(stream, methods))
        tasks.add(task)
        task.add_done_callback(tasks.discard)
        stream.on_reset = task

    connection = Connection(link, accept=accept)
    try:
        await connection.run()
    finally:
        ending = list(tasks)
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)


async def _answer(stream: Stream, methods: Mapping[str, Method]) -> None:
    call = _Answer(stream)
    headers = dict(stream.headers or ())
    failure: CallFailed | None = None
    try:
        method = methods.get(headers.get(":path", ""), _unknown)
        async with asyncio.timeout(_timeout_s(headers.get("grpc-timeout", ""))):
            await method(call)
    except StreamReset:
        return
    except TimeoutError:
        failure = CallFailed(status.DEADLINE_EXCEEDED, "context deadline exceeded")
    except WharfError as error:
        failure = status.failed(error)
    except Exception as error:  # noqa: BLE001  # the outermost edge: it is logged, and the caller is told
        _log.exception("%s failed", headers.get(":path", ""))
        failure = status.failed(error)
    stream.on_reset = None
    call.end(failure)


async def _unknown(call: Call) -> None:
    path = dict(call.stream.headers or ()).get(":path", "")
    raise CallFailed(status.UNIMPLEMENTED, f"unknown method {path}")


class _Answer(Call):
    """A call that we answer."""

    _begun = False

    async def send(self, message: bytes) -> None:
        """Send one message, behind the headers."""
        if not self._begun:
            self._begun = True
            self.stream.send_headers(_BEGIN)
        await super().send(message)

    def end(self, failure: CallFailed | None) -> None:
        """Send how it ended."""
        trailers = status.trailers_of(failure)
        try:
            self.stream.send_headers(trailers if self._begun else _BEGIN + trailers, end=True)
        except StreamReset:
            return
        self.stream.reset(0)  # the rest of what the other side sends is not read


def _timeout_s(text: str) -> float | None:
    found = _TIMEOUT.match(text)
    return int(found.group(1)) * _SECONDS[found.group(2)] if found else None
