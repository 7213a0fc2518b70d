"""Blobs by digest, in a folder that is a valid OCI image layout (image-spec image-layout.md).

A blob enters under a temporary name, is hashed on the way, and renamed to its digest: what has its name is whole. It
is fsynced before, or noted (:mod:`wharf.storage.unsettled`). A download keeps its temporary name
(``ingest/<hex>.part``), so that a later one goes on where it broke off.
``index.json`` is written from the images table; it is for other tools to read, never read back.
"""

from __future__ import annotations

import hashlib
import os
import secrets
import threading
from collections.abc import Collection, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self

from wharf.errors import DataLoss, InvalidArgument, Unavailable
from wharf.kernel.sync import syncfs
from wharf.lib.digest import Digest, digest_of, hex_of, is_digest
from wharf.spec.oci_image import OCI_INDEX
from wharf.storage.layout import DataRoot

_LAYOUT: Final = b'{"imageLayoutVersion":"1.0.0"}'
_MAX_DOCUMENT_BYTES: Final = 16 * 1024 * 1024
_PART: Final = ".part"
_CHUNK: Final = 1024 * 1024


class Writer:
    """A blob on its way in; used with ``with``, which removes what was not committed."""

    def __init__(self, store: ContentStore, path: Path, *, resumed: bool = False) -> None:
        self._store = store
        self.path = path
        """The temporary file; may be read again until it is committed."""
        self._file = path.open("ab" if resumed else "xb", buffering=0)
        self._hash = hashlib.sha256()
        self._growth = threading.Condition()
        self._given_up = False
        self.size = 0

    def replay(self) -> Iterator[bytes]:
        """Yield what an earlier attempt has left of a resumed blob, and count it as written; before any write."""
        with self.path.open("rb") as earlier:
            while data := earlier.read(_CHUNK):
                self._hash.update(data)
                self._grow(len(data))
                yield data

    def write(self, data: bytes) -> None:
        """Append to the blob."""
        written = self._file.write(data)
        while written < len(data):
            written += self._file.write(memoryview(data)[written:])
        self._grow(len(data))
        self._hash.update(data)

    def _grow(self, size: int) -> None:
        with self._growth:
            self.size += size
            self._growth.notify_all()

    def open(self) -> int:
        """Return a descriptor of the caller's own to read what there is, from the beginning."""
        return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def grown(self, beyond: int) -> int:
        """Return how many bytes there are, once these are more than ``beyond`` or the blob is finished; blocking.

        Raises:
            Unavailable: whoever writes it has given up.
        """
        with self._growth:
            self._growth.wait_for(lambda: self._given_up or self._file.closed or self.size > beyond)
            if self._given_up:
                raise Unavailable("the blob was given up before it was whole")
            return self.size

    @property
    def digest(self) -> Digest:
        """The digest of what has been written so far."""
        return Digest(f"sha256:{self._hash.hexdigest()}")

    def finish(self) -> None:
        """Close the file, which is on its way to the disk; idempotent."""
        if self._file.closed:
            return
        with self._growth:
            self._file.close()
            self._growth.notify_all()

    def commit(self, digest: Digest | None = None, size: int | None = None) -> Digest:
        """Give the blob its name, on the disk; a blob that exists already is left as it is. Idempotent.

        Raises:
            InvalidArgument: digest or size are not the expected ones.
        """
        if not self._file.closed:
            os.fsync(self._file.fileno())
        self.finish()
        if digest is not None and digest != self.digest:
            raise InvalidArgument(f"blob has digest {self.digest}, expected {digest}")
        if size is not None and size != self.size:
            raise InvalidArgument(f"blob {self.digest} has {self.size} bytes, expected {size}")
        if self.take_name():
            fsync_folder(self._store.path(self.digest).parent)
        return self.digest

    def take_name(self) -> bool:
        """Give a finished blob its name; return whether it was the first: one that exists is left as it is."""
        target = self._store.path(self.digest)
        if target.exists():
            self.path.unlink(missing_ok=True)
            return False
        self.path.chmod(0o444)
        self.path.rename(target)
        return True

    def keep(self) -> None:
        """Leave a resumed blob as far as it came, for a later attempt; idempotent."""
        with self._growth:
            self._given_up = self._given_up or not self._file.closed
            self._file.close()
            self._growth.notify_all()

    def abort(self) -> None:
        """Forget the blob unless it was committed; idempotent."""
        self.keep()
        self.path.unlink(missing_ok=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.abort()


@dataclass(frozen=True, slots=True)
class Blob:
    """A stored blob, to be read as one that is still written is."""

    path: Path
    digest: Digest
    size: int

    def open(self) -> int:
        """Return a descriptor of the caller's own."""
        return os.open(self.path, os.O_RDONLY | os.O_CLOEXEC)

    def grown(self, _beyond: int, /) -> int:
        """Return its bytes: it grows no more."""
        return self.size


class ContentStore:
    """The store of one data root; it is made when it does not exist."""

    def __init__(self, data: DataRoot) -> None:
        self.root = root = data.content
        self._blobs = root / "blobs" / "sha256"
        self._ingest = root / "ingest"
        self._blobs.mkdir(parents=True, exist_ok=True)
        self._ingest.mkdir(exist_ok=True)
        if not (root / "index.json").exists():
            self.write_index([])

    def sweep(self, unfinished: Collection[Digest] = ()) -> None:
        """Remove what earlier processes left half-written, but not the downloads of ``unfinished``.

        Call it only while no writer is at work.
        """
        kept = {self._part(digest) for digest in unfinished}
        for path in [*self._ingest.iterdir(), *self.root.glob(".*.tmp")]:
            if path not in kept:
                path.unlink()

    def writer(self) -> Writer:
        """Start a blob."""
        return Writer(self, self._ingest / secrets.token_hex(8))

    def resume(self, digest: Digest) -> Writer:
        """Start or go on with a download; one at a time for each digest, and :meth:`Writer.replay` first."""
        return Writer(self, self._part(digest), resumed=True)

    def begun(self, digest: Digest) -> int:
        """Return how many bytes of a download an earlier attempt has left."""
        try:
            return self._part(digest).stat().st_size
        except FileNotFoundError:
            return 0

    def discard(self, digest: Digest) -> None:
        """Forget what there is of an unfinished download; idempotent."""
        self._part(digest).unlink(missing_ok=True)

    def _part(self, digest: Digest) -> Path:
        return self._ingest / f"{hex_of(digest)}{_PART}"

    def add(self, data: bytes) -> Digest:
        """Store a small blob."""
        with self.writer() as writer:
            writer.write(data)
            return writer.commit()

    def document(self, data: bytes) -> Writer:
        """Return a small blob that is finished."""
        writer = self.writer()
        try:
            writer.write(data)
            writer.finish()
        except BaseException:
            writer.abort()
            raise
        return writer

    def make_durable(self, *folders: Path) -> None:
        """Bring all that has been written to the disk, here and below ``folders``."""
        sync_system(self._ingest, *folders)

    def commit(self, writers: Iterable[Writer]) -> None:
        """Give finished blobs their names; those of them that exist already are left as they are.

        They are noted as unsettled.
        """
        for writer in writers:
            writer.take_name()

    def path(self, digest: Digest) -> Path:
        """Return where a blob is, or would be."""
        assert is_digest(digest), digest
        return self._blobs / hex_of(digest)

    def exists(self, digest: Digest) -> bool:
        """Return whether a blob is in the store."""
        return self.path(digest).exists()

    def size(self, digest: Digest) -> int:
        """Return a blob's bytes; DataLoss when it is missing."""
        try:
            return self.path(digest).stat().st_size
        except FileNotFoundError:
            raise DataLoss(f"blob {digest} is missing from the content store") from None

    def blob(self, digest: Digest) -> Blob:
        """Return a blob; DataLoss when it is missing."""
        return Blob(self.path(digest), digest, self.size(digest))

    def open(self, digest: Digest) -> BinaryIO:
        """Open a blob for reading; it stays readable when it is deleted. DataLoss when it is missing."""
        try:
            return self.path(digest).open("rb")
        except FileNotFoundError:
            raise DataLoss(f"blob {digest} is missing from the content store") from None

    def read(self, digest: Digest) -> bytes:
        """Return a document (manifest, config), verified: one that is damaged must not decide what is deleted.

        Raises:
            DataLoss: it is missing, damaged, or not of a document's size.
        """
        with self.open(digest) as blob:
            data = blob.read(_MAX_DOCUMENT_BYTES + 1)
        if len(data) > _MAX_DOCUMENT_BYTES:
            raise DataLoss(f"blob {digest} is too large for a document")
        if digest_of(data) != digest:
            raise DataLoss(f"blob {digest} is damaged: its bytes have the digest {digest_of(data)}")
        return data

    def find(self, digest: Digest) -> bytes | None:
        """Return a document that is whole; None for one that is missing or damaged."""
        try:
            return self.read(digest)
        except DataLoss:
            return None

    def verify(self, digest: Digest) -> bool:
        """Return whether a blob's bytes are what its name says; True for one that has gone meanwhile."""
        hashed = hashlib.sha256()
        try:
            with self.path(digest).open("rb", buffering=0) as blob:
                while data := blob.read(_CHUNK):
                    hashed.update(data)
        except FileNotFoundError:
            return True
        return hashed.hexdigest() == hex_of(digest)

    def replace(self, data: bytes, *, durable: bool = True) -> Digest:
        """Store a small blob in the place of one that is damaged; noted as unsettled unless it is to be durable."""
        digest = digest_of(data)
        if self.find(digest) is None:
            self.delete(digest)
        if durable:
            return self.add(data)
        with self.document(data) as writer:
            writer.take_name()
        return digest

    def delete(self, digest: Digest) -> int:
        """Remove a blob and return the bytes it had; 0 when there was none."""
        path = self.path(digest)
        try:
            size = path.stat().st_size
            path.unlink()
        except FileNotFoundError:
            return 0
        return size

    def digests(self) -> Iterator[Digest]:
        """Yield the digest of every blob."""
        for path in self._blobs.iterdir():
            yield Digest(f"sha256:{path.name}")

    def write_index(self, manifests: Iterable[bytes]) -> None:
        """Replace ``index.json``; atomic, and nothing when it says the same already.

        ``manifests`` are encoded descriptors, one or some with a comma between. The disk is not waited for: each
        start of an engine writes it again, when it is not what it should be.
        """
        for name, data in (("oci-layout", _LAYOUT), ("index.json", _index(manifests))):
            if _read(self.root / name) != data:
                _replace(self.root / name, data)

    def index_is(self, manifests: Iterable[bytes]) -> bool:
        """Return whether ``index.json`` is there with these, and the layout's own mark beside it."""
        return (_read(self.root / "oci-layout"), _read(self.root / "index.json")) == (_LAYOUT, _index(manifests))


def _index(manifests: Iterable[bytes]) -> bytes:
    return b'{"schemaVersion":2,"mediaType":"%s","manifests":[%s]}' % (OCI_INDEX.encode(), b",".join(manifests))


def _replace(path: Path, data: bytes) -> None:
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.tmp")
    with temporary.open("xb") as file:
        file.write(data)
    temporary.rename(path)


def _read(path: Path) -> bytes | None:
    try:
        return path.read_bytes()
    except FileNotFoundError:
        return None


def sync_system(*folders: Path) -> None:
    """Bring all of the file systems that folders are on to the disk, each once (syncfs(2))."""
    for folder in {folder.stat().st_dev: folder for folder in folders}.values():
        fd = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
        try:
            syncfs(fd)
        finally:
            os.close(fd)


def fsync_folder(path: Path) -> None:
    """Make the names in a folder durable (fsync(2), "Calling fsync() does not necessarily ensure ...")."""
    fd = os.open(path, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        os.fsync(fd)
    finally:
        os.close(fd)
