"""docker push: an image to its registry, its blobs a few at a time, what is there already not at all."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass

from wharf.errors import Forbidden, NotFound, Unauthorized, WharfError
from wharf.images.catalog import Catalog
from wharf.images.index import is_index, parse_index
from wharf.images.lookup import Named
from wharf.images.platform import Platform
from wharf.images.progress import Progress
from wharf.images.pull import first_of
from wharf.images.record import parse_manifest
from wharf.images.registry.credentials import Credentials
from wharf.images.registry.hosts import origin
from wharf.images.registry.repository import Repository
from wharf.images.registry.transport import Transport
from wharf.images.registry.upload import Reader, Uploaded, Uploads
from wharf.lib.digest import Digest, digest_of, short
from wharf.lib.reference import Reference
from wharf.spec.oci_image import OCI_INDEX, OCI_MANIFEST, Descriptor
from wharf.storage.content import ContentStore

_PIECE = 1024 * 1024
_MOUNTS = 3


@dataclass(frozen=True, slots=True)
class Parcel:
    """What a push sends, in its order: blobs, then manifests, then what the tag names."""

    blobs: tuple[Descriptor, ...]
    manifests: tuple[bytes, ...]
    top: bytes
    partial: bool = False  # the name's index lists more than is stored: its one image goes alone


def plan_push(content: ContentStore, named: Named) -> Parcel:
    """Return what to send for a name: its index with all that it lists, or the one image when not all is stored.

    Raises:
        DataLoss: a manifest is missing.
    """
    top = content.read(named.target)
    if not is_index(top):
        return Parcel(tuple(_blobs(top)), (), top)
    manifests, blobs = _whole(content, top)
    if manifests is None:
        single = content.read(named.manifest_digest)
        return Parcel(tuple(_blobs(single)), (), single, partial=True)
    return Parcel(tuple({blob["digest"]: blob for blob in blobs}.values()), tuple(manifests), top)


def _whole(content: ContentStore, top: bytes) -> tuple[list[bytes] | None, list[Descriptor]]:
    """Return the manifests below an index, the inner ones first, and their blobs; None when something is missing."""
    manifests: list[bytes] = []
    blobs: list[Descriptor] = []
    for descriptor in parse_index(top).get("manifests", []):
        digest = Digest(descriptor["digest"])
        if not content.exists(digest):
            return None, []
        raw = content.read(digest)
        if is_index(raw):
            inner, more = _whole(content, raw)
            if inner is None:
                return None, []
            manifests += inner
        else:
            more = _blobs(raw)
            if not all(content.exists(Digest(blob["digest"])) for blob in more):
                return None, []
        manifests.append(raw)
        blobs += more
    return manifests, blobs


def _blobs(raw: bytes) -> list[Descriptor]:
    manifest = parse_manifest(raw)
    return [*manifest["layers"], manifest["config"]]


class Push:
    """One push of one tag."""

    def __init__(
        self,
        catalog: Catalog,
        content: ContentStore,
        transport: Transport,
        credentials: Credentials,
        *,
        insecure: bool = False,
    ) -> None:
        self._catalog = catalog
        self._content = content
        self._transport = transport
        self._credentials = credentials
        self._insecure = insecure

    async def run(self, reference: Reference, progress: Progress, platform: Platform | None = None) -> Digest:
        """Send the image of ``reference``, or its one for a platform; return the digest that the registry has it by.

        Raises:
            NotFound: there is no such image here.
            Unauthorized: the registry wants (other) credentials.
            Forbidden: they may not push there.
            WharfError: what the registry says.
        """
        named = self.require(reference)
        with self._catalog.reach.hold(self._catalog.reach.stored([named.target])):
            if platform is None:
                parcel = await asyncio.to_thread(plan_push, self._content, named)
            else:
                record = self._catalog.resolve(str(reference), platform)
                raw = await asyncio.to_thread(self._content.read, record.manifest_digest)
                parcel = Parcel(tuple(_blobs(raw)), (), raw)
            try:
                return await self._send(reference, parcel, progress)
            except (Unauthorized, Forbidden) as error:
                raise type(error)(
                    f"push access denied for {reference.familiar_repository}, "
                    f"repository does not exist or may require 'docker login': {error}"
                ) from error

    def require(self, reference: Reference) -> Named:
        """Return what a reference stands for; NotFound, in Docker's words, when there is no such image."""
        named = self._catalog.named_target(reference)
        if named is None:
            raise NotFound(f"An image does not exist locally with the tag: {reference.familiar_repository}")
        return named

    async def _send(self, reference: Reference, parcel: Parcel, progress: Progress) -> Digest:
        host = origin(reference.domain, self._transport.options, insecure=self._insecure)
        repository = Repository(
            self._transport.connect(host, self._credentials), reference.path, self._transport.waiting
        )
        uploads = Uploads(repository, self._transport.waiting)
        limit = asyncio.Semaphore(self._transport.options.uploads)
        for blob in parcel.blobs:
            progress.step("Preparing", short(blob["digest"]))

        async def one(blob: Descriptor) -> None:
            async with limit:
                await self._blob(reference, uploads, blob, progress)

        try:
            async with asyncio.TaskGroup() as group:
                for blob in parcel.blobs:
                    group.create_task(one(blob))
        except* (WharfError, OSError) as errors:
            raise first_of(errors) from None
        for raw in parcel.manifests:
            await uploads.manifest(digest_of(raw), raw, media_type_of(raw))
        digest = digest_of(parcel.top)
        await uploads.manifest(reference.tag or digest, parcel.top, media_type_of(parcel.top))
        if parcel.partial:
            progress.tell({"status": "not all platforms of the image are stored: only this one was pushed"})
        size = len(parcel.top)
        progress.tell({"status": f"{reference.tag}: digest: {digest} size: {size}"})
        progress.tell({"progressDetail": {}, "aux": {"Tag": reference.tag, "Digest": digest, "Size": size}})
        return digest

    async def _blob(self, reference: Reference, uploads: Uploads, blob: Descriptor, progress: Progress) -> None:
        digest, name = Digest(blob["digest"]), short(blob["digest"])
        size = self._content.size(digest)
        reader = _reader(self._content, digest, lambda at: progress.count("Pushing", name, at, size))
        sources = self._catalog.repositories_with(digest, reference)[:_MOUNTS]
        how, source = await uploads.blob(digest, size, reader, sources)
        progress.step(f"{how.value} {source}" if how is Uploaded.MOUNTED else how.value, name)


def _reader(content: ContentStore, digest: Digest, tell: Callable[[int], None]) -> Reader:
    async def read(start: int, end: int) -> AsyncIterator[bytes]:
        with content.open(digest) as file:
            file.seek(start)
            at = start
            while at < end:
                data = await asyncio.to_thread(file.read, min(_PIECE, end - at))
                if not data:
                    raise WharfError(f"blob {digest} became shorter while it was read")
                at += len(data)
                tell(at)
                yield data

    return read


def media_type_of(raw: bytes) -> str:
    """Return what a stored manifest is to be sent as."""
    document = parse_index(raw) if is_index(raw) else parse_manifest(raw)
    return document.get("mediaType") or (OCI_INDEX if is_index(raw) else OCI_MANIFEST)
