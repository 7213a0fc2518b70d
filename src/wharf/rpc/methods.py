"""Methods in terms of protobuf messages, for tables of services and for those who call them."""

from __future__ import annotations

from collections.abc import AsyncIterator, Awaitable, Callable
from typing import TypeVar

from google.protobuf.message import DecodeError, Message

from wharf.errors import InvalidArgument
from wharf.rpc.call import Call

In = TypeVar("In", bound=Message)
Method = Callable[[Call], Awaitable[None]]


def decoded(kind: type[In], data: bytes | memoryview) -> In:
    """Return a message.

    Raises:
        InvalidArgument: it is malformed.
    """
    try:
        return kind.FromString(data)  # type: ignore[arg-type]  # it takes any buffer
    except DecodeError as error:
        raise InvalidArgument(f"a malformed {kind.DESCRIPTOR.name}: {error}") from None


def unary(kind: type[In], answer: Callable[[In, Call], Awaitable[Message]]) -> Method:
    """Return a method that takes one message and answers with one."""

    async def method(call: Call) -> None:
        request = decoded(kind, await call.receive() or b"")
        await call.send((await answer(request, call)).SerializeToString())

    return method


def streaming(kind: type[In], answer: Callable[[In, Call], AsyncIterator[Message]]) -> Method:
    """Return a method that takes one message and answers with many."""

    async def method(call: Call) -> None:
        request = decoded(kind, await call.receive() or b"")
        async for message in answer(request, call):
            await call.send(message.SerializeToString())

    return method
