"""Waiting for what a container does, by what it says."""

from __future__ import annotations

import asyncio
from contextlib import aclosing

import wharf


async def says(engine: wharf.Engine, name: str, line: bytes) -> None:
    """Wait until a container that has no terminal has written ``line``: it has come that far."""
    seen, stream = b"", await engine.containers.logs(name, follow=True)
    async with asyncio.timeout(60), aclosing(stream.chunks) as log:  # type: ignore[type-var]  # a generator
        async for chunk in log:
            seen += chunk
            if line + b"\n" in seen:
                return
    raise AssertionError(f"{name} ends without {line!r}: {seen!r}")
