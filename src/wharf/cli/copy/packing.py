"""Local files as a tar stream, a piece at a time."""

from __future__ import annotations

import io
import os
import posixpath
import tarfile

from wharf.cli.copy.rules import Place, followed_name, rename, split_entry
from wharf.errors import InvalidArgument

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Iterator

    from wharf.cli.copy.rules import Plan

_CHUNK = 1 << 18


def local_source(path: str, *, follow: bool) -> Place:
    """Return what is at a local path; with ``follow`` what a symlink there leads to.

    Raises:
        InvalidArgument: there is nothing.
    """
    whole = os.path.abspath(path) + ("/." if path.rpartition("/")[2] == "." else "/" if path.endswith("/") else "")
    renamed = ""
    if follow or whole.endswith(("/", "/.")):
        whole, renamed = followed_name(whole, os.path.realpath(whole))
    try:
        folder = os.path.isdir(whole) and (follow or not os.path.islink(whole))
        os.lstat(whole)
    except OSError as error:
        raise InvalidArgument(f"lstat {path}: {(error.strerror or '').lower()}") from error
    return Place(whole, exists=True, folder=folder, renamed=renamed)


class Packed:
    """The archive of a local path; ``size`` counts what has been read."""

    def __init__(self, source: Place, plan: Plan) -> None:
        self.size = 0
        self._source = source
        self._plan = plan

    def __iter__(self) -> Iterator[bytes]:
        for chunk in self._chunks():
            self.size += len(chunk)
            yield chunk

    def _chunks(self) -> Iterator[bytes]:
        folder, name = split_entry(self._source.path)
        links: dict[tuple[int, int], str] = {}
        for path, inner in _walk(posixpath.join(folder, name), self._source.renamed or name):
            info = _entry(path, rename(inner, self._plan.old, self._plan.new), links)
            if info is None:
                continue
            yield info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
            if info.isreg() and info.size:
                yield from _content(path, info.size)
        yield bytes(2 * tarfile.BLOCKSIZE)


def _walk(path: str, name: str) -> Iterator[tuple[str, str]]:
    """Yield (local path, name in the archive) of a path and all below it; symlinks are not followed."""
    pending = [(path, name)]
    while pending:
        path, name = pending.pop()
        yield path, name
        if os.path.isdir(path) and not os.path.islink(path):
            pending += [(f"{path}/{inner}", f"{name}/{inner}") for inner in sorted(os.listdir(path), reverse=True)]


def _entry(path: str, name: str, links: dict[tuple[int, int], str]) -> tarfile.TarInfo | None:
    with tarfile.TarFile(fileobj=io.BytesIO(), mode="w", format=tarfile.PAX_FORMAT) as reader:  # only reads the entry
        info = reader.gettarinfo(path, arcname=name or ".")
    if info is None:  # a socket
        return None
    info.name = name  # as it is: gettarinfo takes a leading slash off
    if not info.isreg():
        return info
    status = os.lstat(path)
    if status.st_nlink > 1:
        first = links.setdefault((status.st_dev, status.st_ino), name)
        if first != name:
            info.type, info.linkname, info.size = tarfile.LNKTYPE, first, 0
    return info


def _content(path: str, size: int) -> Iterator[bytes]:
    """Yield exactly ``size`` bytes and the padding: a file that grows is cut, one that shrinks filled with zeros."""
    left = size
    with open(path, "rb", buffering=0) as file:
        while left:
            data = file.read(min(_CHUNK, left)) or bytes(min(_CHUNK, left))
            left -= len(data)
            yield data
    yield bytes(-size % tarfile.BLOCKSIZE)
