"""Blobs and manifests on their way to a registry (distribution-spec "Push")."""

from __future__ import annotations

import re
from collections.abc import AsyncIterator, Callable, Sequence
from enum import Enum
from typing import Final
from urllib.parse import urlencode

import aiohttp

from wharf.errors import InvalidArgument, Unavailable, WharfError
from wharf.images.registry.repository import Repository
from wharf.images.registry.transport import Waiting
from wharf.lib.digest import Digest, digest_of, is_digest

_CHUNK_BYTES: Final = 64 * 1024 * 1024
_RANGE: Final = re.compile(r"(?:bytes=)?0-(\d+)")

Reader = Callable[[int, int], AsyncIterator[bytes]]
"""Yields a blob's bytes from the first offset to before the second."""


class Uploaded(Enum):
    """How a blob came to be there."""

    EXISTED = "Layer already exists"
    MOUNTED = "Mounted from"
    PUSHED = "Pushed"


class Uploads:
    """What goes into one repository."""

    def __init__(self, repository: Repository, waiting: Waiting, chunk_bytes: int = _CHUNK_BYTES) -> None:
        self._repository = repository
        self._connection = repository.connection
        self._waiting = waiting
        self._chunk_bytes = chunk_bytes
        self._scope = f"repository:{repository.path}:pull,push"

    async def blob(
        self, digest: Digest, size: int, read: Reader, sources: Sequence[str] = ()
    ) -> tuple[Uploaded, str]:
        """Bring a blob there: nothing is sent when the registry has it, here or in one of ``sources``.

        Args:
            digest: the blob's.
            size: its bytes.
            read: gives them, again where an attempt fails.
            sources: repositories of the same registry that may have it (cross-repository mount).

        Returns:
            How it came there, and from which repository when it was mounted.

        Raises:
            WharfError: the registry refuses it; Unavailable when it broke off too often.
        """
        if await self._exists(digest):
            return Uploaded.EXISTED, ""
        location = ""
        for source in sources:
            mounted, location = await self._begin(digest, source)
            if mounted:
                return Uploaded.MOUNTED, source
        if not location:
            _, location = await self._begin(digest, None)
        if size <= self._chunk_bytes:
            await self._at_once(digest, size, read, location)
        else:
            await self._in_chunks(digest, size, read, location)
        return Uploaded.PUSHED, ""

    async def _exists(self, digest: Digest) -> bool:
        async with self._connection.request(
            "HEAD",
            self._repository.address(f"blobs/{digest}"),
            what=f"blob {digest}",
            scopes=[self._scope],
            expect=(200, 404),
        ) as response:
            return response.status == 200

    async def _begin(self, digest: Digest, source: str | None) -> tuple[bool, str]:
        """Begin an upload, or mount the blob; return whether it is there, and where to send it."""
        query = f"?{urlencode({'mount': digest, 'from': source})}" if source else ""
        scopes = [self._scope, *([f"repository:{source}:pull"] if source else [])]
        async with self._connection.request(
            "POST",
            self._repository.address(f"blobs/uploads/{query}"),
            what=f"upload to {self._repository.path}",
            scopes=scopes,
            headers={"Content-Length": "0"},
            expect=(201, 202),
        ) as response:
            return response.status == 201, _location(response)

    async def _at_once(self, digest: Digest, size: int, read: Reader, location: str) -> None:
        """Send it in one request (distribution-spec "POST then PUT"), in a new upload where that breaks off."""
        for failures in range(1, self._waiting.patience.attempts + 1):
            try:
                await self._finish(location, digest, size, lambda: read(0, size))
            except Unavailable as error:
                await self._pause(failures, error)
                if await self._exists(digest):
                    return
                _, location = await self._begin(digest, None)
            else:
                return

    async def _finish(
        self, location: str, digest: Digest, size: int, body: Callable[[], AsyncIterator[bytes]] | None
    ) -> None:
        separator = "&" if "?" in location else "?"
        async with self._connection.request(
            "PUT",
            f"{location}{separator}{urlencode({'digest': digest})}",
            what=f"blob {digest}",
            scopes=[self._scope],
            headers={"Content-Length": str(size), "Content-Type": "application/octet-stream"},
            body=body,
            expect=(201, 204),
        ):
            pass

    async def _in_chunks(self, digest: Digest, size: int, read: Reader, location: str) -> None:
        """Send it piece by piece; after a failure go on from what the registry has got."""
        at, furthest, failures = 0, 0, 0
        while at < size:
            end = min(at + self._chunk_bytes, size)
            try:
                location = await self._chunk(location, at, end, read)
                at = end
                if at > furthest:  # the same pieces again and again are no progress
                    furthest, failures = at, 0
            except (Unavailable, InvalidArgument) as error:
                failures += 1
                await self._pause(failures, error)
                at, location = await self._progress(location)
        await self._finish(location, digest, 0, None)

    async def _pause(self, failures: int, error: WharfError) -> None:
        """Wait before another attempt; raise ``error`` when there were enough."""
        delay = self._waiting.patience.delay_s(failures, chance=self._waiting.chance())
        if delay is None:
            raise error
        await self._waiting.sleep(delay)

    async def _chunk(self, location: str, at: int, end: int, read: Reader) -> str:
        async with self._connection.request(
            "PATCH",
            location,
            what=f"upload to {self._repository.path}",
            scopes=[self._scope],
            headers={
                "Content-Range": f"{at}-{end - 1}",
                "Content-Length": str(end - at),
                "Content-Type": "application/octet-stream",
            },
            body=lambda: read(at, end),
            expect=(202, 204),
        ) as response:
            return _location(response) or location

    async def _progress(self, location: str) -> tuple[int, str]:
        """Ask how far an upload has come; return that and where to go on."""
        async with self._connection.request(
            "GET", location, what=f"upload to {self._repository.path}", scopes=[self._scope], expect=(204,)
        ) as response:
            match = _RANGE.fullmatch(response.headers.get("Range", ""))
            done = int(match[1]) + 1 if match and match[1] != "0" else 0
            return done, _location(response) or location

    async def manifest(self, name: str, raw: bytes, media_type: str) -> None:
        """Store a manifest or index under a tag or its digest; what it refers to is there already.

        Raises:
            WharfError: the registry refuses it, or took something else for it.
        """
        async with self._connection.request(
            "PUT",
            self._repository.address(f"manifests/{name}"),
            what=f"manifest {name} of {self._repository.path}",
            scopes=[self._scope],
            headers={"Content-Type": media_type},
            body=lambda: raw,
            expect=(201, 202),
        ) as response:
            stored = response.headers.get("Docker-Content-Digest", "")
            if is_digest(stored) and stored != digest_of(raw):
                raise WharfError(f"manifest {name}: the registry stored {stored}, not {digest_of(raw)}")


def _location(response: aiohttp.ClientResponse) -> str:
    """Return where an upload goes on, absolute."""
    location = response.headers.get("Location", "")
    if not location or location.startswith(("http://", "https://")):
        return location
    return str(response.url.join(type(response.url)(location, encoded=True)))
