"""The sessions that clients hold open: connections on which they serve, by the id that their builds name."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass, field
from typing import Final

from wharf.build.session.lent import Lender
from wharf.errors import Conflict, InvalidArgument, NotFound, NotImplementedHere
from wharf.lib.finishing import to_the_end
from wharf.rpc.channel import Channel
from wharf.rpc.link import Link

Connect = Callable[[], Awaitable[socket.socket]]
"""Gives a connection, owned by the caller."""

_PATIENCE_S: Final = 20.0
"""How long a build waits for its session: both come at once, on two connections."""


@dataclass(frozen=True, slots=True)
class Greeting:
    """What a client says of its session (BuildKit, session/session.go)."""

    id: str
    shared_key: str = ""  # the same for contexts that are states of one folder
    methods: frozenset[str] = frozenset()  # lower-case paths


@dataclass(slots=True)
class Session:
    """One client's session."""

    greeting: Greeting
    channel: Channel
    lender: Lender | None = None  # lends folders by descriptors, where the client is on this machine

    def serves(self, method: str) -> bool:
        """Whether the client has a method."""
        return method.lower() in self.greeting.methods

    def require(self, method: str) -> None:
        """Refuse what the client does not serve.

        Raises:
            NotImplementedHere: with the method.
        """
        if not self.serves(method):
            raise NotImplementedHere(f"method {method} not supported by the client")


@dataclass(slots=True)
class Sessions:
    """Those of one engine."""

    _open: dict[str, Session] = field(default_factory=dict)
    _changed: asyncio.Condition = field(default_factory=asyncio.Condition)

    async def hold(self, link: Link, greeting: Greeting) -> None:
        """Keep a session until its client goes.

        Raises:
            InvalidArgument: it has no id.
            Conflict: there is one of this id.
        """
        if not greeting.id:
            raise InvalidArgument("a session without an id")
        if greeting.id in self._open:
            raise Conflict(f"session {greeting.id} already exists")
        session = Session(greeting, Channel(link))
        self._open[greeting.id] = session
        try:
            await self._tell()
            await session.channel.run()
        finally:
            del self._open[greeting.id]
            session.channel.close()
            if session.lender is not None:
                session.lender.abandon()  # whoever reads lets go of it
                await to_the_end(asyncio.create_task(asyncio.to_thread(session.lender.close)))

    async def get(self, session_id: str, patience_s: float = _PATIENCE_S) -> Session:
        """Return a session, waiting a while for one that is not there yet.

        Raises:
            NotFound: it does not come.
        """
        try:
            async with asyncio.timeout(patience_s), self._changed:
                await self._changed.wait_for(lambda: session_id in self._open)
        except TimeoutError:
            raise NotFound(f"no active session for {session_id}: context deadline exceeded") from None
        return self._open[session_id]

    async def lend(self, session_id: str, connect: Connect) -> None:
        """Let a session's client lend folders by descriptors.

        Args:
            session_id: the session.
            connect: gives the connection for that, once it is known that it is wanted.

        Raises:
            NotFound: there is no such session.
            Conflict: it lends already.
        """
        session = await self.get(session_id)
        if session.lender is not None:
            raise Conflict(f"session {session_id} lends its folders already")
        lender = Lender(await connect())
        if self._open.get(session_id) is session and session.lender is None:
            session.lender = lender
        else:  # it has ended meanwhile
            lender.close()

    def close(self) -> None:
        """End all."""
        for session in self._open.values():
            session.channel.close()

    async def _tell(self) -> None:
        async with self._changed:
            self._changed.notify_all()


def methods_of(values: Iterable[str]) -> frozenset[str]:
    """Return methods as :meth:`Session.require` looks for them."""
    return frozenset(value.lower() for value in values)
