"""Documents that records of builds refer to, and the engine's own blobs, to be read (containerd, content)."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import Final

from google.protobuf.message import Message

from wharf.engine.buildkit.records import Place, Records
from wharf.engine.context import Context
from wharf.errors import InvalidArgument, NotFound
from wharf.lib.digest import Digest, parse_digest
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, streaming, unary
from wharf.spec.buildkit import content_pb2 as pb
from wharf.storage.pieces import pieces

SERVICE: Final = "/containerd.services.content.v1.Content/"
_CHUNK: Final = 256 * 1024


class Content:
    """Answers for one engine; nothing can be written."""

    def __init__(self, context: Context, records: Records) -> None:
        self._context = context
        self._records = records

    def methods(self) -> dict[str, Method]:
        """Return what it answers to, by path."""
        return {
            f"{SERVICE}Info": unary(pb.InfoRequest, self.info),
            f"{SERVICE}Read": streaming(pb.ReadContentRequest, self.read),
        }

    async def info(self, request: pb.InfoRequest, call: Call) -> Message:
        """Tell how long a blob is."""
        del call
        place = await asyncio.to_thread(self._place, parse_digest(request.digest))
        return pb.InfoResponse(info=pb.Info(digest=request.digest, size=place.size))

    async def read(self, request: pb.ReadContentRequest, call: Call) -> AsyncIterator[Message]:
        """Send a blob, or a part of it."""
        del call
        place = await asyncio.to_thread(self._place, parse_digest(request.digest))
        if not 0 <= request.offset <= place.size or request.size < 0:
            raise InvalidArgument(
                f"blob {request.digest} has {place.size} bytes: there is no part at {request.offset}"
            )
        size = min(request.size or place.size, place.size - request.offset)
        offset = request.offset
        async for data in pieces(place.path, place.offset + offset, place.offset + offset + size, size=_CHUNK):
            yield pb.ReadContentResponse(offset=offset, data=data)
            offset += len(data)

    def _place(self, digest: Digest) -> Place:
        place = self._records.document(digest)
        if place is not None:
            return place
        path = self._context.images.blob(digest)
        if path is None:
            raise NotFound(f"content {digest}: not found")
        return Place(path, 0, path.stat().st_size)
