"""Records of builds on the disk, so that they outlive the engine: one file a build, written whole or not at all.

A file is a row of frames, each a kind, a length and so many bytes: the record, all that the build told, and the
documents that the record refers to.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import BinaryIO, Final

from google.protobuf.message import DecodeError

from wharf.lib.digest import Digest, digest_of
from wharf.spec.buildkit import control_pb2 as pb

_HEAD: Final = struct.Struct(">cQ")
_RECORD, _TOLD, _DOCUMENT = b"R", b"T", b"D"
_MOST_TOLD_BYTES: Final = 16 << 20
_NEW: Final = ".new"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is."""

    path: Path
    offset: int
    size: int


class Records:
    """Those of one data root. All blocks, for a moment."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._documents: dict[Digest, Place] = {}

    def load(self) -> list[pb.BuildHistoryRecord]:
        """Return all records, the oldest first; what was not written whole is removed."""
        self._folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        found = []
        for path in sorted(self._folder.iterdir()):
            record = None if path.suffix == _NEW else self._record(path)
            if record is None:
                path.unlink()
            else:
                found.append(record)
        return sorted(found, key=lambda one: one.CreatedAt.ToNanoseconds())

    def save(
        self, record: pb.BuildHistoryRecord, told: Iterable[pb.StatusResponse], documents: Iterable[bytes] = ()
    ) -> None:
        """Write a record with all that belongs to it; output beyond what anybody reads is left out."""
        path = self._path(record.Ref)
        new = path.with_suffix(_NEW)
        with new.open("wb") as file:
            _write(file, _RECORD, record.SerializeToString())
            left = _MOST_TOLD_BYTES
            for response in told:
                data = response.SerializeToString()
                left -= len(data)
                if left >= 0 or not response.logs:
                    _write(file, _TOLD, data)
            for document in documents:
                _write(file, _DOCUMENT, document)
        new.replace(path)
        self._record(path)

    def change(self, record: pb.BuildHistoryRecord) -> None:
        """Write a record anew, with what belongs to it as it is."""
        frames = list(_frames(self._path(record.Ref)))
        told = [pb.StatusResponse.FromString(data) for kind, data in frames if kind == _TOLD]
        self.save(record, told, [data for kind, data in frames if kind == _DOCUMENT])

    def told(self, ref: str) -> list[pb.StatusResponse]:
        """Return all that a build told; nothing for one that is not here."""
        with suppress(FileNotFoundError):
            return [pb.StatusResponse.FromString(data) for kind, data in _frames(self._path(ref)) if kind == _TOLD]
        return []

    def remove(self, ref: str) -> None:
        """Forget a build; idempotent."""
        path = self._path(ref)
        self._documents = {digest: place for digest, place in self._documents.items() if place.path != path}
        path.unlink(missing_ok=True)

    def document(self, digest: Digest) -> Place | None:
        """Return where a document is that a record refers to; None when there is none of that digest."""
        return self._documents.get(digest)

    def _path(self, ref: str) -> Path:
        return self._folder / hashlib.sha256(ref.encode("utf-8", "surrogateescape")).hexdigest()

    def _record(self, path: Path) -> pb.BuildHistoryRecord | None:
        """Return what a file is about, and note its documents; None when it is no record."""
        record: pb.BuildHistoryRecord | None = None
        offset = 0
        with suppress(DecodeError, ValueError):
            for kind, data in _frames(path):
                offset += _HEAD.size
                if kind == _RECORD:
                    record = pb.BuildHistoryRecord.FromString(data)
                elif kind == _DOCUMENT:
                    self._documents[digest_of(data)] = Place(path, offset, len(data))
                offset += len(data)
            return record
        return None


def _write(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(_HEAD.pack(kind, len(data)) + data)


def _frames(path: Path) -> Iterator[tuple[bytes, bytes]]:
    """Yield what is in a file; raises ValueError when it was cut."""
    with path.open("rb") as file:
        left = os.fstat(file.fileno()).st_size
        while head := file.read(_HEAD.size):
            if len(head) < _HEAD.size:
                raise ValueError(f"{path}: a frame was cut")
            kind, length = _HEAD.unpack(head)
            left -= _HEAD.size + length
            if left < 0:
                raise ValueError(f"{path}: a frame was cut")
            yield kind, file.read(length)
