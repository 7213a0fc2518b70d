"""Stores of blobs that a client lends over its session (BuildKit, session/content; containerd, services/content)."""

from __future__ import annotations

import secrets
from collections.abc import AsyncIterator, Awaitable, Callable
from pathlib import Path
from typing import Final

from wharf.build.session.sessions import Session
from wharf.errors import DataLoss, InvalidArgument
from wharf.images.image_set import ImageSet
from wharf.lib.digest import Digest, digest_of, parse_digest
from wharf.rpc.call import ClientCall
from wharf.rpc.methods import decoded
from wharf.rpc.status import ALREADY_EXISTS, CallFailed
from wharf.spec.buildkit import content_pb2 as pb
from wharf.spec.oci_image import Descriptor
from wharf.storage.pieces import pieces

SERVICE: Final = "/containerd.services.content.v1.Content/"
STORE: Final = "buildkit-attachable-store-id"
_CHUNK: Final = 256 * 1024
_MAX_DOCUMENT_BYTES: Final = 16 << 20


class ClientStore:
    """One store of a client's, which it knows by an id (``local:FOLDER``)."""

    def __init__(self, session: Callable[[], Awaitable[Session]], store: str, digest: str = "") -> None:
        """Remember where it is.

        Args:
            session: gives the client's.
            store: its id.
            digest: of what is to be read; "" for a store that is only written to.
        """
        self._session = session
        self._metadata = {STORE: [store]}
        self._digest = digest
        self.name = store.removeprefix("local:")

    async def manifest(self) -> bytes:
        """Return the manifest that the client has named.

        Raises:
            InvalidArgument: it has named none.
            CallFailed: it has none of that digest.
        """
        digest = parse_digest(self._digest)
        session = await self._asked("Info")
        request = pb.InfoRequest(digest=digest)
        found = await session.channel.unary(f"{SERVICE}Info", request, pb.InfoResponse, self._metadata)
        return await self.document({"digest": digest, "size": found.info.size})

    async def document(self, descriptor: Descriptor) -> bytes:
        """Return a small blob, verified.

        Raises:
            InvalidArgument: it is too large for a document.
            DataLoss: it has other bytes.
        """
        size, data = descriptor.get("size", 0), bytearray()
        if size > _MAX_DOCUMENT_BYTES:
            raise InvalidArgument(f"blob {descriptor['digest']} has {size} bytes: too many for a document")
        async for piece in self.read(descriptor):
            data += piece
            if len(data) > size:
                break
        if digest_of(bytes(data)) != descriptor["digest"]:
            raise DataLoss(f"blob {descriptor['digest']} of the client's store has other bytes")
        return bytes(data)

    async def read(self, descriptor: Descriptor) -> AsyncIterator[bytes]:
        """Yield a blob; it is not verified.

        Raises:
            CallFailed: the client does not have it.
        """
        session = await self._asked("Read")
        request = pb.ReadContentRequest(digest=descriptor["digest"])
        async with session.channel.open(f"{SERVICE}Read", self._metadata) as call:
            await call.send(request.SerializeToString())
            await call.finish()
            async for message in call.messages():
                yield decoded(pb.ReadContentResponse, message).data

    async def write(self, descriptor: Descriptor, path: Path) -> None:
        """Bring a blob there, from a file.

        Raises:
            CallFailed: the client does not take it.
        """
        size = descriptor.get("size", 0)
        await self._write(Digest(descriptor["digest"]), size, pieces(path, 0, size, size=_CHUNK))

    async def write_document(self, descriptor: Descriptor, data: bytes) -> None:
        """Bring a small blob there; raises as :meth:`write`."""

        async def parts() -> AsyncIterator[bytes]:
            for at in range(0, len(data), _CHUNK):
                yield data[at : at + _CHUNK]

        await self._write(Digest(descriptor["digest"]), len(data), parts())

    async def write_manifest(self, raw: bytes, media_type: str) -> None:
        """Bring a manifest there; the client itself enters it into its index. Raises as :meth:`write`."""
        await self.write_document({"digest": digest_of(raw), "size": len(raw), "mediaType": media_type}, raw)

    async def write_images(self, images: ImageSet) -> None:
        """Bring images there; the client itself enters them into its index. Raises as :meth:`write`."""
        for blob in images.blobs:
            await self.write(blob.descriptor, blob.path)
        for data in (*images.small_blobs, *images.manifests, images.raw):
            await self.write_document({"digest": digest_of(data), "size": len(data)}, data)

    async def _write(self, digest: Digest, size: int, parts: AsyncIterator[bytes]) -> None:
        session = await self._asked("Write")
        try:
            async with session.channel.open(f"{SERVICE}Write", self._metadata) as call:
                at = 0
                first = pb.WriteContentRequest(
                    action=pb.STAT, ref=f"wharf-{secrets.token_hex(12)}", total=size, expected=digest
                )
                await _answered(call, first)
                async for data in parts:
                    await _answered(call, pb.WriteContentRequest(action=pb.WRITE, offset=at, data=data))
                    at += len(data)
                await _answered(
                    call, pb.WriteContentRequest(action=pb.COMMIT, offset=at, total=size, expected=digest)
                )
                await call.finish()
        except CallFailed as error:
            if error.code != ALREADY_EXISTS:
                raise

    async def _asked(self, method: str) -> Session:
        session = await self._session()
        session.require(f"{SERVICE}{method}")
        return session


async def _answered(call: ClientCall, request: pb.WriteContentRequest) -> None:
    await call.send(request.SerializeToString())
    message = await call.receive()
    if message is None:
        raise DataLoss("the client ended a write before it was done")
    decoded(pb.WriteContentResponse, message)
