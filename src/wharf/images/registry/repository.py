"""One repository at one registry, to read from: manifests, blobs, tags, referrers (distribution-spec "Pull")."""

from __future__ import annotations

import re
from collections.abc import AsyncGenerator, AsyncIterator
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any, Final
from urllib.parse import quote, urlencode

import aiohttp
import msgspec

from wharf.errors import DataLoss, InvalidArgument, NotFound, Unavailable, WharfError
from wharf.images.index import parse_index
from wharf.images.media_types import MANIFESTS
from wharf.images.registry.reading import read_whole
from wharf.images.registry.transport import Connection, Waiting
from wharf.lib.digest import Digest, digest_of, is_digest
from wharf.spec.oci_image import Descriptor

MAX_MANIFEST_BYTES: Final = 4 * 1024 * 1024
_MAX_PAGES: Final = 1000
_RANGE: Final = re.compile(r"bytes (\d+)-(\d+)/(\d+|\*)")
_NEXT: Final = re.compile(r'<([^>]+)>\s*;\s*rel="?next"?', re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class Manifest:
    """A manifest or an index as a registry sent it; its digest is verified."""

    digest: Digest
    media_type: str
    raw: bytes


class Repository:
    """The repository ``path`` (``library/busybox``) at a connection's host."""

    def __init__(self, connection: Connection, path: str, waiting: Waiting) -> None:
        self.connection = connection
        self.path = path
        self._waiting = waiting

    @property
    def pull_scope(self) -> str:
        """What a token must allow for reading."""
        return f"repository:{self.path}:pull"

    def address(self, rest: str) -> str:
        """Return the path of something of this repository."""
        return f"/v2/{self.path}/{rest}"

    async def head(self, name: str) -> Descriptor | None:
        """Return the descriptor of a tag or digest without fetching it; None when the registry does not tell.

        Raises:
            NotFound: there is none of that name.
        """
        async with self.connection.request(
            "HEAD",
            self.address(f"manifests/{name}"),
            what=f"manifest {name} of {self.path}",
            scopes=[self.pull_scope],
            headers={"Accept": ", ".join(MANIFESTS)},
            expect=(200, 405),
        ) as response:
            digest = response.headers.get("Docker-Content-Digest", "")
            if response.status != 200 or not is_digest(digest):
                return None
            size = response.content_length or 0
            return {"mediaType": response.content_type, "digest": digest, "size": size}

    async def manifest(self, name: str) -> Manifest:
        """Fetch the manifest or index of a tag or a digest.

        Raises:
            NotFound: there is none of that name.
            DataLoss: what came has another digest.
        """
        async with self.connection.request(
            "GET",
            self.address(f"manifests/{name}"),
            what=f"manifest {name} of {self.path}",
            scopes=[self.pull_scope],
            headers={"Accept": ", ".join(MANIFESTS)},
        ) as response:
            raw = await read_whole(response, MAX_MANIFEST_BYTES, f"manifest {name} of {self.path}")
            digest = digest_of(raw)
            promised = name if is_digest(name) else response.headers.get("Docker-Content-Digest", digest)
            if is_digest(promised) and promised != digest:
                raise DataLoss(f"manifest verification failed for digest {promised}: the registry sent {digest}")
            return Manifest(digest, response.content_type, raw)

    async def blob(self, digest: Digest, size: int, start: int = 0) -> AsyncGenerator[bytes, None]:
        """Yield a blob from byte ``start`` on. A connection that breaks is taken up again where it broke.

        The bytes are not verified: whoever stores them does.

        Args:
            digest: which.
            size: its bytes; more are refused.
            start: where to begin.

        Raises:
            NotFound: there is no such blob.
            DataLoss: the registry sends more than ``size``.
            Unavailable: it broke off too often without any progress.
        """
        at, failures = start, 0
        while at < size:
            try:
                async with aclosing(self._rest(digest, size, at)) as rest:
                    async for data in rest:
                        at += len(data)
                        failures = 0
                        yield data
                if at < size:
                    raise aiohttp.ClientPayloadError(f"it ended after {at} of {size} bytes")
            except (aiohttp.ClientError, OSError, TimeoutError) as error:
                failures += 1
                delay = self._waiting.patience.delay_s(failures, chance=self._waiting.chance())
                if delay is None:
                    raise Unavailable(f"blob {digest} of {self.path}: {str(error) or 'no answer in time'}") from error
                await self._waiting.sleep(delay)

    async def _rest(self, digest: Digest, size: int, at: int) -> AsyncGenerator[bytes, None]:
        async with self.connection.request(
            "GET",
            self.address(f"blobs/{digest}"),
            what=f"blob {digest} of {self.path}",
            scopes=[self.pull_scope],
            headers={"Range": f"bytes={at}-"} if at else {},
            expect=(200, 206),
        ) as response:
            skip = _to_skip(response, at)
            received = at - skip
            async for data in response.content.iter_any():
                received += len(data)
                if received > size:
                    raise DataLoss(f"blob {digest}: the registry sends more than its {size} bytes")
                if skip >= len(data):
                    skip -= len(data)
                    continue
                yield data[skip:] if skip else data
                skip = 0

    async def small_blob(self, digest: Digest, size: int) -> bytes:
        """Fetch a blob of a document's size, verified.

        Raises:
            DataLoss: what came has another digest.
            InvalidArgument: it is larger than a document.
        """
        if size > MAX_MANIFEST_BYTES * 4:
            raise InvalidArgument(f"blob {digest} has {size} bytes: too many for a document")
        data = b"".join([piece async for piece in self.blob(digest, size)])
        if digest_of(data) != digest:
            raise DataLoss(f"blob verification failed for digest {digest}: the registry sent {digest_of(data)}")
        return data

    async def has_blob(self, digest: Digest) -> bool:
        """Return whether the registry has a blob in this repository."""
        async with self.connection.request(
            "HEAD",
            self.address(f"blobs/{digest}"),
            what=f"blob {digest} of {self.path}",
            scopes=[self.pull_scope],
            expect=(200, 404),
        ) as response:
            return response.status == 200

    async def tags(self) -> list[str]:
        """Return all tags (distribution-spec "Listing Tags"), following its pages."""
        found: list[str] = []
        async for page in self._pages(self.address("tags/list"), "tags"):
            tags = _decoded(page, "tags").get("tags") or []
            found += [tag for tag in tags if isinstance(tag, str)]
        return found

    async def _pages(self, path: str, what: str) -> AsyncIterator[bytes]:
        for _ in range(_MAX_PAGES):
            async with self.connection.request(
                "GET", path, what=f"{what} of {self.path}", scopes=[self.pull_scope]
            ) as response:
                page = await read_whole(response, MAX_MANIFEST_BYTES, what)
                more = _NEXT.search(response.headers.get("Link", ""))
            yield page
            if more is None:
                return
            path = more[1]
        raise WharfError(f"{what} of {self.path}: the registry's pages have no end")

    async def referrers(self, digest: Digest, artifact_type: str | None = None) -> list[Descriptor]:
        """Return what refers to a manifest (distribution-spec "Listing Referrers"); by tag where there is no API.

        Args:
            digest: the manifest's.
            artifact_type: only those of this type.
        """
        query = f"?{urlencode({'artifactType': artifact_type})}" if artifact_type else ""
        listed: list[Descriptor] = []
        try:
            async for raw in self._pages(self.address(f"referrers/{digest}{query}"), f"referrers of {digest}"):
                listed += parse_index(raw).get("manifests", [])
        except NotFound:
            listed = parse_index(await self._referrers_by_tag(digest)).get("manifests", [])
        return [one for one in listed if not artifact_type or one.get("artifactType") == artifact_type]

    async def _referrers_by_tag(self, digest: Digest) -> bytes:
        try:
            return (await self.manifest(digest.replace(":", "-"))).raw
        except NotFound:
            return b'{"manifests":[]}'

    async def delete_manifest(self, name: str) -> None:
        """Delete a tag or a manifest; NotImplementedHere when the registry does not allow it."""
        await self._delete(f"manifests/{quote(name)}", f"manifest {name} of {self.path}")

    async def delete_blob(self, digest: Digest) -> None:
        """Delete a blob; NotImplementedHere when the registry does not allow it."""
        await self._delete(f"blobs/{digest}", f"blob {digest} of {self.path}")

    async def _delete(self, rest: str, what: str) -> None:
        scope = f"repository:{self.path}:delete"
        async with self.connection.request(
            "DELETE", self.address(rest), what=what, scopes=[scope], expect=(200, 202, 204)
        ):
            pass


def _to_skip(response: aiohttp.ClientResponse, at: int) -> int:
    """Return how many bytes of an answer are there already: all before ``at`` when it knows no ranges."""
    if response.status == 200:
        return at
    match = _RANGE.fullmatch(response.headers.get("Content-Range", ""))
    if match is None or int(match[1]) > at:
        raise aiohttp.ClientPayloadError("the registry answered with another range")
    return at - int(match[1])


def _decoded(raw: bytes, what: str) -> dict[str, Any]:
    try:
        document = msgspec.json.decode(raw)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise WharfError(f"{what}: the registry's answer is not JSON") from error
    return document if isinstance(document, dict) else {}
