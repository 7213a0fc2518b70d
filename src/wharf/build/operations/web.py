"""Files from the web (ADD https://…, docker import): bounded, checked against a digest, with the server's time."""

from __future__ import annotations

import asyncio
import email.utils
import hashlib
import os
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Final

from wharf.errors import InvalidArgument, NotFound, Unavailable
from wharf.lib.version import __version__

if TYPE_CHECKING:
    import aiohttp

_MAX_BYTES: Final = 64 << 30
_TIMEOUT_S: Final = 60.0
_CHUNK: Final = 1 << 18


@dataclass(frozen=True, slots=True)
class Request:
    """What to fetch, what to call it, and the digest it must have ("": any)."""

    address: str
    name: str
    checksum: str = ""


async def download(request: Request, folder: Path) -> Path:
    """Fetch a file into a new folder and return its path; its mode is 0600, its time the server's or the epoch.

    Raises:
        NotFound: the server has none of that name.
        InvalidArgument: its digest is another one.
        Unavailable: the server cannot be reached or does not answer well.
    """
    path = folder / Path(request.name).name
    await asyncio.to_thread(folder.mkdir)
    async with _answered(request.address) as response:
        digest = await _save(response, path)
        when = response.headers.get("Last-Modified", "")
    if request.checksum and digest != request.checksum:
        raise InvalidArgument(f"digest mismatch {digest}: {request.checksum}")
    moment = _time(when)
    os.utime(path, ns=(moment, moment))
    return path


async def read(address: str) -> AsyncGenerator[bytes, None]:
    """Yield what is at an address as it comes; raises as :func:`download`."""
    async with _answered(address) as response, aclosing(_bounded(response)) as pieces:
        async for data in pieces:
            yield data


@asynccontextmanager
async def _answered(address: str) -> AsyncIterator[aiohttp.ClientResponse]:
    import aiohttp  # noqa: PLC0415  # only who fetches something

    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_TIMEOUT_S, sock_read=_TIMEOUT_S)
    headers = {"User-Agent": f"wharf/{__version__}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False, trust_env=True, headers=headers) as session,
            session.get(address) as response,
        ):
            if response.status >= 400:
                kind = NotFound if response.status in (404, 410) else Unavailable
                raise kind(f"invalid response status {response.status}")
            yield response
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"failed to fetch {address}: {error}") from error


async def _bounded(response: aiohttp.ClientResponse) -> AsyncGenerator[bytes, None]:
    size = 0
    async for data in response.content.iter_chunked(_CHUNK):
        size += len(data)
        if size > _MAX_BYTES:
            raise InvalidArgument(f"the file is larger than {_MAX_BYTES} bytes")
        yield data


async def _save(response: aiohttp.ClientResponse, path: Path) -> str:
    hashed = hashlib.sha256()
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        async for data in _bounded(response):
            hashed.update(data)
            await asyncio.to_thread(file.write, data)
    return f"sha256:{hashed.hexdigest()}"


def _time(header: str) -> int:
    try:
        return int(email.utils.parsedate_to_datetime(header).timestamp()) * 1_000_000_000
    except (TypeError, ValueError):
        return 0
