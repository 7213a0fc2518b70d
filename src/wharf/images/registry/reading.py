"""Documents that registries answer with: read to their end, in whatever pieces they come, up to a bound."""

from __future__ import annotations

from contextlib import suppress

import aiohttp

from wharf.errors import InvalidArgument, Unavailable

_BROKEN = (aiohttp.ClientError, OSError, TimeoutError)


async def read_whole(response: aiohttp.ClientResponse, limit: int, what: str) -> bytes:
    """Return the body of an answer.

    Raises:
        InvalidArgument: it is longer than ``limit`` bytes.
        Unavailable: it breaks off.
    """
    data = bytearray()
    try:
        async for piece in response.content.iter_any():
            data += piece
            if len(data) > limit:
                raise InvalidArgument(f"{what}: the registry sends more than {limit} bytes")
    except _BROKEN as error:
        raise Unavailable(f"{what}: the answer broke off: {str(error) or 'nothing more came in time'}") from error
    return bytes(data)


async def read_start(response: aiohttp.ClientResponse, limit: int) -> bytes:
    """Return the first ``limit`` bytes of a body, or as much as comes: some of a failure is better than none."""
    data = bytearray()
    with suppress(*_BROKEN):
        async for piece in response.content.iter_any():
            data += piece
            if len(data) >= limit:
                break
    return bytes(data[:limit])
