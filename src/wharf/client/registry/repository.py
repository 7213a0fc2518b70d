"""One repository: its manifests and blobs (distribution-spec 1.1, "Pull" and "Push")."""

from __future__ import annotations

import hashlib
import http.client
from collections.abc import Iterator, Mapping
from urllib.parse import quote, urlencode

from wharf.client.documents import as_document, text
from wharf.client.registry.transport import MAX_ANSWER, Transport, read_whole
from wharf.errors import DataLoss, Forbidden, NotFound, Unauthorized, Unavailable, WharfError
from wharf.lib.digest import Digest, digest_of, is_digest
from wharf.lib.light_json import loads
from wharf.lib.reference import Reference

_ACCEPT = ", ".join((
    "application/vnd.oci.image.manifest.v1+json", "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v2+json",
    "application/vnd.docker.distribution.manifest.list.v2+json",
))  # fmt: skip
_CHUNK = 1 << 20


class Refused(WharfError):
    """The registry does not take what it was given."""


class Repository:
    """A repository at its registry."""

    def __init__(self, name: Reference, environment: Mapping[str, str], *, plain: bool = False) -> None:
        """Prepare; ``plain`` makes the registry an insecure one, as those on loopback are."""
        self.name = name
        self._transport = Transport(name.domain, environment, plain=plain)

    def manifest(self, wanted: str) -> tuple[str, bytes]:
        """Return a manifest's media type and bytes, by tag or digest; those of a digest are what it says.

        Raises:
            NotFound: there is none.
            WharfError: why it could not be had.
        """
        path = self._path("manifests", wanted)
        with self._transport.request("GET", path, self._scopes("pull"), headers={"Accept": _ACCEPT}) as response:
            data = read_whole(response)
            self._check(response, data, f"manifest {wanted}")
            if is_digest(wanted):
                _verify(wanted, data)
            return (response.headers.get("Content-Type") or "").partition(";")[0].strip(), data

    def blob(self, digest: str, size: int, limit: int) -> bytes:
        """Return a blob.

        Args:
            digest: Its digest; what comes is compared with it.
            size: As its descriptor says.
            limit: Larger ones are refused before they come.

        Raises:
            DataLoss: it is not what its descriptor says.
            WharfError: why it could not be had.
        """
        if not is_digest(digest) or not 0 <= size <= limit:
            raise DataLoss(f"a blob of digest {digest[:80]!r} and {size} bytes is not taken")
        path = self._path("blobs", digest)
        with self._transport.request("GET", path, self._scopes("pull")) as response:
            data = read_whole(response, max(size, 0) if response.status == 200 else MAX_ANSWER)
            self._check(response, data, f"blob {digest}")
        _verify(digest, data)
        return data

    def has(self, digest: str) -> bool:
        """Return whether a blob is there."""
        with self._transport.request("HEAD", self._path("blobs", digest), self._scopes("pull,push")) as response:
            if response.status != 404:
                self._check(response, b"", f"blob {digest}")
            return response.status != 404

    def push(self, data: bytes) -> Digest:
        """Have a blob there; return its digest.

        Raises:
            WharfError: the registry does not take it.
        """
        digest = digest_of(data)
        if not self.has(digest):
            self._upload(digest, [data], len(data))
        return digest

    def push_manifest(self, wanted: str, media_type: str, data: bytes) -> None:
        """Put a manifest, by tag or digest.

        Raises:
            Refused: the registry does not take such a manifest.
            WharfError: why it could not be put.
        """
        headers = {"Content-Type": media_type}
        path = self._path("manifests", wanted)
        with self._transport.request("PUT", path, self._scopes("pull,push"), headers=headers, body=data) as response:
            self._check(response, read_whole(response), f"manifest {wanted}", expected=201)

    def copy_blob(self, other: Repository, digest: str, size: int) -> None:
        """Have a blob of another repository here: by a mount where it is at the same registry, else through us.

        Raises:
            WharfError: why it could not be had.
        """
        if self.has(digest) or (self.name.domain == other.name.domain and self._mount(other, digest)):
            return
        with other._transport.request("GET", other._path("blobs", digest), other._scopes("pull")) as response:
            if response.status != 200:
                other._check(response, read_whole(response), f"blob {digest}")
            self._upload(digest, _verified(response, digest), size)

    def _mount(self, other: Repository, digest: str) -> bool:
        path = self._path("blobs", "uploads/") + "?" + urlencode({"mount": digest, "from": other.name.path})
        scopes = [*self._scopes("pull,push"), *other._scopes("pull")]
        with self._transport.request("POST", path, scopes) as response:
            return response.status == 201

    def _upload(self, digest: str, body: list[bytes] | Iterator[bytes], size: int) -> None:
        with self._transport.request("POST", self._path("blobs", "uploads/"), self._scopes("pull,push")) as response:
            self._check(response, read_whole(response), f"blob {digest}", expected=202)
            place = response.headers.get("Location", "")
        place += ("&" if "?" in place else "?") + urlencode({"digest": digest})
        headers = {"Content-Type": "application/octet-stream", "Content-Length": str(size)}
        with self._transport.request("PUT", place, self._scopes("pull,push"), headers=headers, body=body) as response:
            self._check(response, read_whole(response), f"blob {digest}", expected=201)

    def _path(self, kind: str, what: str) -> str:
        return f"/v2/{quote(self.name.path)}/{kind}/{quote(what, safe=':/')}"

    def _scopes(self, actions: str) -> list[str]:
        return [f"repository:{self.name.path}:{actions}"]

    def _check(self, response: http.client.HTTPResponse, body: bytes, what: str, *, expected: int = 200) -> None:
        status = response.status
        if status == expected:
            return
        told = f"{self.name.familiar_repository}: {what}: {_message(body) or f'status {status}'}"
        if status == 404:
            raise NotFound(told)
        if status in {401, 407}:
            raise Unauthorized(told)
        if status == 403:
            raise Forbidden(told)
        raise (Refused if 400 <= status < 500 and status != 429 else Unavailable)(told)


def _message(body: bytes) -> str:
    """Return what a registry says is wrong (distribution-spec, "Error Codes")."""
    try:
        errors = as_document(loads(body.decode("utf-8", "replace"))).get("errors")
    except ValueError:
        return ""
    first = as_document(errors[0]) if isinstance(errors, list) and errors else {}
    return text(first, "message") or text(first, "code")


def _verify(digest: str, data: bytes) -> None:
    if digest_of(data) != digest:
        raise DataLoss(f"the registry sent other bytes than {digest}")


def _verified(response: http.client.HTTPResponse, digest: str) -> Iterator[bytes]:
    seen = hashlib.sha256()
    while piece := response.read(_CHUNK):
        seen.update(piece)
        yield piece
    if f"sha256:{seen.hexdigest()}" != digest:
        raise DataLoss(f"the registry sent other bytes than {digest}")
