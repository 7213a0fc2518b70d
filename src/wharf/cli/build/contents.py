"""Folders of blobs that a build reads and writes over its session (containerd, services/content)."""

from __future__ import annotations

import asyncio
import hashlib
import os
import re
from collections.abc import Mapping

from google.protobuf.message import Message

from wharf.client.drafts import draft_file, sweep
from wharf.errors import InvalidArgument, NotFound
from wharf.rpc.call import Call
from wharf.rpc.methods import Method, decoded, unary
from wharf.rpc.status import ALREADY_EXISTS, CallFailed
from wharf.spec.buildkit import content_pb2 as pb

_SERVICE = "/containerd.services.content.v1.Content/"
_STORE = "buildkit-attachable-store-id"
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_CHUNK = 1 << 18
_BLOBS = "blobs/sha256"
_DRAFT = ".part-"


class Contents:
    """Image layouts by the names that the engine has for them; blobs alone, their index is not touched."""

    def __init__(self, folders: Mapping[str, str]) -> None:
        self._folders = folders
        self._swept: set[str] = set()

    def methods(self) -> dict[str, Method]:
        """Return what is answered to, by path."""
        return {
            f"{_SERVICE}Info": unary(pb.InfoRequest, self.info),
            f"{_SERVICE}Read": self.read,
            f"{_SERVICE}Write": self.write,
        }

    async def info(self, request: pb.InfoRequest, call: Call) -> Message:
        """Tell a blob's size."""
        path = _blob(self._folder(call), request.digest)
        try:
            return pb.InfoResponse(info=pb.Info(digest=request.digest, size=os.stat(path).st_size))
        except FileNotFoundError:
            raise NotFound(f"content {request.digest}: not found") from None

    async def read(self, call: Call) -> None:
        """Send a blob, or a part of it."""
        request = decoded(pb.ReadContentRequest, await call.receive() or b"")
        try:
            file = await asyncio.to_thread(open, _blob(self._folder(call), request.digest), "rb", 0)
        except FileNotFoundError:
            raise NotFound(f"content {request.digest}: not found") from None
        with file:
            at = file.seek(request.offset)
            left = request.size or os.fstat(file.fileno()).st_size - at
            while left > 0 and (data := await asyncio.to_thread(file.read, min(_CHUNK, left))):
                await call.send(pb.ReadContentResponse(offset=at, data=data).SerializeToString())
                at += len(data)
                left -= len(data)

    async def write(self, call: Call) -> None:
        """Take a blob; it has its name once all of it is here and is what was promised."""
        folder = self._folder(call)
        if folder not in self._swept:
            self._swept.add(folder)
            await asyncio.to_thread(sweep, os.path.join(folder, _BLOBS), _DRAFT)
        arriving = await asyncio.to_thread(_Arriving, folder)
        try:
            async for message in call.messages():
                request = decoded(pb.WriteContentRequest, message)
                answer = await asyncio.to_thread(arriving.take, request)
                await call.send(answer.SerializeToString())
        finally:
            await asyncio.to_thread(arriving.close)

    def _folder(self, call: Call) -> str:
        name = next(iter(call.metadata.get(_STORE, [])), "")
        if name not in self._folders:
            raise NotFound(f"unknown store {name}")
        return self._folders[name]


def _blob(folder: str, digest: str) -> str:
    match = _DIGEST.fullmatch(digest)
    if match is None:
        raise InvalidArgument(f"invalid digest {digest!r}")
    return os.path.join(folder, _BLOBS, match[1])


class _Arriving:
    """A blob on its way into a folder; everything blocks."""

    def __init__(self, folder: str) -> None:
        self._folder = folder
        self._hash = hashlib.sha256()
        self._size = 0
        blobs = os.path.join(folder, _BLOBS)
        os.makedirs(blobs, exist_ok=True)
        self._path, fd = draft_file(blobs, _DRAFT)
        self._file = open(fd, "wb")  # noqa: SIM115  # closed by close

    def take(self, request: pb.WriteContentRequest) -> pb.WriteContentResponse:
        """Do what is asked, and tell how far the blob is."""
        if request.expected and os.path.exists(_blob(self._folder, request.expected)):
            raise CallFailed(ALREADY_EXISTS, f"content {request.expected}: already exists")
        if request.data and request.offset != self._size:
            raise InvalidArgument(f"a write at {request.offset}, where {self._size} bytes are")
        self._file.write(request.data)
        self._hash.update(request.data)
        self._size += len(request.data)
        digest = f"sha256:{self._hash.hexdigest()}"
        if request.action == pb.COMMIT:
            if request.expected not in ("", digest) or request.total not in (0, self._size):
                raise InvalidArgument(f"unexpected content: {self._size} bytes with the digest {digest}")
            self._file.flush()
            os.rename(self._path, _blob(self._folder, digest))
            self._file.close()
        return pb.WriteContentResponse(action=request.action, offset=self._size, digest=digest)

    def close(self) -> None:
        """Forget what did not become a blob."""
        self._file.close()
        if os.path.exists(self._path):
            os.unlink(self._path)
