"""Records of builds on the disk, so that they outlive the engine: one file a build, written whole or not at all.

A file is a row of frames, each a kind, a length and so many bytes: the record, all that the build told, and the
documents that the record refers to.
"""

from __future__ import annotations

import hashlib
import os
import struct
import threading
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
_ALL: Final = _RECORD + _TOLD + _DOCUMENT
_MOST_TOLD_BYTES: Final = 16 << 20
_NEW: Final = ".new"


@dataclass(frozen=True, slots=True)
class Place:
    """Where a document is."""

    path: Path
    offset: int
    size: int


class Records:
    """Those of one data root. All blocks, for a moment; to be called on any thread."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._documents: dict[Digest, dict[Path, Place]] = {}  # several records may have the same one
        self._lock = threading.Lock()  # of the places alone

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
        places: dict[Digest, Place] = {}
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
                places[digest_of(document)] = Place(path, file.tell() - len(document), len(document))
        new.replace(path)
        self._note(path, places)

    def change(self, record: pb.BuildHistoryRecord) -> None:
        """Write a record anew, with what belongs to it as it is."""
        frames = list(_frames(self._path(record.Ref)))
        told = [pb.StatusResponse.FromString(data) for kind, _, data in frames if kind == _TOLD]
        self.save(record, told, [data for kind, _, data in frames if kind == _DOCUMENT])

    def told(self, ref: str) -> list[pb.StatusResponse]:
        """Return all that a build told; nothing for one that is not here."""
        with suppress(FileNotFoundError):
            return [pb.StatusResponse.FromString(data) for _, _, data in _frames(self._path(ref), _TOLD)]
        return []

    def remove(self, ref: str) -> None:
        """Forget a build; idempotent."""
        path = self._path(ref)
        self._note(path, {})
        path.unlink(missing_ok=True)

    def document(self, digest: Digest) -> Place | None:
        """Return where a document is that a record refers to; None when there is none of that digest."""
        with self._lock:
            return next(iter(self._documents.get(digest, {}).values()), None)

    def _note(self, path: Path, places: dict[Digest, Place]) -> None:
        """Note which documents a file has, and that it has no others."""
        with self._lock:
            for digest in [digest for digest, files in self._documents.items() if path in files]:
                del self._documents[digest][path]
                if not self._documents[digest]:
                    del self._documents[digest]
            for digest, place in places.items():
                self._documents.setdefault(digest, {})[path] = place

    def _path(self, ref: str) -> Path:
        return self._folder / hashlib.sha256(ref.encode("utf-8", "surrogateescape")).hexdigest()

    def _record(self, path: Path) -> pb.BuildHistoryRecord | None:
        """Return what a file is about, and note its documents; None when it is no record."""
        record: pb.BuildHistoryRecord | None = None
        places: dict[Digest, Place] = {}
        with suppress(DecodeError, ValueError):
            for kind, offset, data in _frames(path, _RECORD + _DOCUMENT):
                if kind == _RECORD:
                    record = pb.BuildHistoryRecord.FromString(data)
                else:
                    places[digest_of(data)] = Place(path, offset, len(data))
            self._note(path, places)
            return record
        return None


def _write(file: BinaryIO, kind: bytes, data: bytes) -> None:
    file.write(_HEAD.pack(kind, len(data)) + data)


def _frames(path: Path, kinds: bytes = _ALL) -> Iterator[tuple[bytes, int, bytes]]:
    """Yield what is in a file, with where it begins, and read no other kinds; raises ValueError when it was cut."""
    with path.open("rb") as file:
        size, at = os.fstat(file.fileno()).st_size, 0
        while head := file.read(_HEAD.size):
            if len(head) < _HEAD.size:
                raise ValueError(f"{path}: a frame was cut")
            kind, length = _HEAD.unpack(head)
            at += _HEAD.size
            if at + length > size:
                raise ValueError(f"{path}: a frame was cut")
            if kind in kinds:
                yield kind, at, file.read(length)
            else:
                file.seek(length, os.SEEK_CUR)
            at += length
