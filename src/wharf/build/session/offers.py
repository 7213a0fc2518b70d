"""Secrets and SSH agents of a client, as steps take them (BuildKit, session/secrets, session/sshforward)."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack, suppress
from pathlib import Path
from typing import Final

from wharf.build.session.sessions import Session
from wharf.errors import InvalidArgument
from wharf.rpc import status
from wharf.rpc.call import ClientCall
from wharf.rpc.methods import decoded
from wharf.rpc.status import CallFailed
from wharf.rpc.stream import StreamReset
from wharf.spec.buildkit.secrets_pb2 import GetSecretRequest, GetSecretResponse
from wharf.spec.buildkit.ssh_pb2 import BytesMessage, CheckAgentRequest, CheckAgentResponse

_GET_SECRET: Final = "/moby.buildkit.secrets.v1.Secrets/GetSecret"  # noqa: S105  # a method's name
_CHECK_AGENT: Final = "/moby.sshforward.v1.SSH/CheckAgent"
_FORWARD: Final = "/moby.sshforward.v1.SSH/ForwardAgent"
_ABSENT: Final = (status.NOT_FOUND, status.UNIMPLEMENTED)
_CHUNK: Final = 32 * 1024
_MAX_SECRET_BYTES: Final = 500 * 1024

_Asked = Callable[[], Awaitable[Session]]


class SessionOffers:
    """What the client of a build lends; it is asked when a step needs it, and nothing is kept."""

    def __init__(self, session: _Asked) -> None:
        self._session = session

    async def secret(self, secret_id: str) -> bytes | None:
        """Return a secret; None when the client has none of that name.

        Raises:
            InvalidArgument: it is larger than any secret may be.
        """
        session = await self._session()
        try:
            answer = await session.channel.unary(_GET_SECRET, GetSecretRequest(ID=secret_id), GetSecretResponse)
        except CallFailed as error:
            if error.code in _ABSENT:
                return None
            raise
        if len(answer.data) > _MAX_SECRET_BYTES:
            raise InvalidArgument(f"secret {secret_id} is larger than {_MAX_SECRET_BYTES} bytes")
        return answer.data

    async def agent(self, agent_id: str, path: Path) -> AsyncExitStack | None:
        """Serve an SSH agent at the socket ``path`` until the stack is closed; None when there is none."""
        session = await self._session()
        try:
            await session.channel.unary(_CHECK_AGENT, CheckAgentRequest(ID=agent_id), CheckAgentResponse)
        except CallFailed as error:
            if error.code in (*_ABSENT, status.UNKNOWN):  # what BuildKit's client answers for an id it has not
                return None
            raise
        stack = AsyncExitStack()
        tasks: set[asyncio.Task[None]] = set()

        async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            task = asyncio.current_task()
            assert task is not None
            tasks.add(task)
            try:
                await _forward(session, agent_id, reader, writer)
            finally:
                tasks.discard(task)
                writer.close()

        server = await asyncio.start_unix_server(serve, path)
        stack.push_async_callback(_end, server, tasks)
        return stack


async def _end(server: asyncio.Server, tasks: set[asyncio.Task[None]]) -> None:
    server.close()
    ending = list(tasks)
    for task in ending:
        task.cancel()
    await asyncio.gather(*ending, return_exceptions=True)


async def _forward(
    session: Session, agent_id: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
) -> None:
    """Carry one connection to the client's agent and back, until either side ends."""
    with suppress(CallFailed, StreamReset, ConnectionError):
        async with session.channel.open(_FORWARD, {"buildkit.ssh.id": [agent_id]}) as call:
            sending = asyncio.ensure_future(_outwards(reader, call))
            try:
                while (message := await call.receive()) is not None:
                    writer.write(decoded(BytesMessage, message).data)
                    await writer.drain()
            finally:
                sending.cancel()
                await asyncio.gather(sending, return_exceptions=True)


async def _outwards(reader: asyncio.StreamReader, call: ClientCall) -> None:
    while data := await reader.read(_CHUNK):
        await call.send(BytesMessage(data=data).SerializeToString())
    await call.finish()
