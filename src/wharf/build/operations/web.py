"""Files from the web (ADD https://…): bounded, checked against a digest, with the server's time."""

from __future__ import annotations

import asyncio
import email.utils
import hashlib
import os
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
    import aiohttp  # noqa: PLC0415  # only builds that fetch something

    path = folder / Path(request.name).name
    await asyncio.to_thread(folder.mkdir)
    timeout = aiohttp.ClientTimeout(total=None, sock_connect=_TIMEOUT_S, sock_read=_TIMEOUT_S)
    headers = {"User-Agent": f"wharf/{__version__}"}
    try:
        async with (
            aiohttp.ClientSession(timeout=timeout, auto_decompress=False, trust_env=True, headers=headers) as session,
            session.get(request.address) as response,
        ):
            if response.status >= 400:
                kind = NotFound if response.status in (404, 410) else Unavailable
                raise kind(f"invalid response status {response.status}")
            digest = await _save(response, path)
            when = response.headers.get("Last-Modified", "")
    except (aiohttp.ClientError, TimeoutError) as error:
        raise Unavailable(f"failed to fetch {request.address}: {error}") from error
    if request.checksum and digest != request.checksum:
        raise InvalidArgument(f"digest mismatch {digest}: {request.checksum}")
    moment = _time(when)
    os.utime(path, ns=(moment, moment))
    return path


async def _save(response: aiohttp.ClientResponse, path: Path) -> str:
    hashed, size = hashlib.sha256(), 0
    fd = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_CLOEXEC, 0o600)
    with os.fdopen(fd, "wb") as file:
        async for data in response.content.iter_chunked(_CHUNK):
            size += len(data)
            if size > _MAX_BYTES:
                raise InvalidArgument(f"the file is larger than {_MAX_BYTES} bytes")
            hashed.update(data)
            await asyncio.to_thread(file.write, data)
    return f"sha256:{hashed.hexdigest()}"


def _time(header: str) -> int:
    try:
        return int(email.utils.parsedate_to_datetime(header).timestamp()) * 1_000_000_000
    except (TypeError, ValueError):
        return 0
