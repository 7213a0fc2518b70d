from __future__ import annotations

import asyncio
import threading
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager
from typing import Any

import pytest

from wharf.build.graph.operations import SecretVariable
from wharf.build.operations.mounting import entered, lent_variable
from wharf.errors import InvalidArgument


def test_what_is_entered_while_it_is_cancelled_is_left_with_the_stack() -> None:
    told: list[str] = []
    begun, go_on = threading.Event(), threading.Event()

    @contextmanager
    def slow() -> Iterator[None]:
        begun.set()
        go_on.wait(5)
        told.append("made")
        try:
            yield
        finally:
            told.append("removed")

    context = slow()  # held here: the garbage collector must not be what ends it

    async def body() -> None:
        async with AsyncExitStack() as stack:
            entering = asyncio.create_task(entered(stack, context))
            await asyncio.to_thread(begun.wait, 5)
            entering.cancel()
            asyncio.get_running_loop().call_later(0.01, go_on.set)
            with pytest.raises(asyncio.CancelledError):
                await entering
            assert told == ["made"]
        assert told == ["made", "removed"]

    asyncio.run(body())


def test_a_secret_is_lent_as_a_variable_and_an_optional_one_may_be_missing() -> None:
    class Lender:
        async def secret(self, secret_id: str) -> bytes | None:
            return {"s": b"w\xffrd", "empty": b""}.get(secret_id)

    async def body() -> None:
        lender: Any = Lender()
        assert await lent_variable(lender, SecretVariable("S", "s")) == "S=w\udcffrd"
        assert await lent_variable(lender, SecretVariable("E", "empty")) == "E="
        assert await lent_variable(lender, SecretVariable("X", "x", optional=True)) is None
        with pytest.raises(InvalidArgument, match="secret x: not found"):
            await lent_variable(lender, SecretVariable("X", "x"))

    asyncio.run(body())
