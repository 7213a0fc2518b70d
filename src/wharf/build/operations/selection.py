"""Which files of a tree a copy is about, and a digest of just these. Nothing leaves the tree; nothing is trusted."""

from __future__ import annotations

import hashlib
import os
import posixpath
import re
import stat
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from wharf.build.graph.operations import Copy
from wharf.errors import InvalidArgument, NotFound
from wharf.kernel.openat2 import open_in_root
from wharf.lib.ignore import Matcher, pattern_regex
from wharf.storage.trees import FOLDER, Node, walk

_CHUNK: Final = 1 << 20
_WILDCARDS: Final = frozenset("*?[")
_KEPT_DIGESTS: Final = 200_000
_MOST_LINKS: Final = 40  # as the kernel (path_resolution(7))


@dataclass(frozen=True, slots=True)
class Match:
    """One path that a source names, inside its tree."""

    path: str  # absolute
    status: os.stat_result

    @property
    def is_folder(self) -> bool:
        """Whether it is a folder."""
        return stat.S_ISDIR(self.status.st_mode)


class Filter:
    """The include and exclude patterns of a copy, asked by path relative to what is copied."""

    def __init__(self, action: Copy) -> None:
        """Read the patterns.

        Raises:
            InvalidArgument: one is malformed.
        """
        try:
            self._exclude = Matcher(action.exclude)
            self._include = Matcher(action.include) if action.include else None
        except ValueError as error:
            raise InvalidArgument(str(error)) from None

    @property
    def selective(self) -> bool:
        """Whether folders are copied only with what is in them."""
        return self._include is not None

    def wants(self, path: str) -> bool:
        """Return whether a path is copied."""
        if self._exclude and self._exclude.matches(path):
            return False
        return self._include is None or self._include.matches(path)


def matches(root: int, action: Copy) -> list[Match]:
    """Return what the source of a copy names, in order.

    Raises:
        NotFound: nothing, in BuildKit's words.
    """
    for path in action.required:
        _require(root, path)
    if not (action.wildcards and _WILDCARDS & set(action.source)):
        return [Match(action.source, _status(root, action.source, follow=action.follow_links))]
    found = [Match(path, status) for path in _expand(root, action.source) if (status := _look(root, path, action))]
    if not found and not action.allow_empty:
        raise NotFound(f'"{action.source}": not found')
    return found


def _look(root: int, path: str, action: Copy) -> os.stat_result | None:
    try:
        return _status(root, path, follow=action.follow_links)
    except NotFound:
        return None  # a link to nowhere


def _require(root: int, path: str) -> None:
    _status(root, path, follow=False)


def _status(root: int, path: str, *, follow: bool) -> os.stat_result:
    flags = os.O_PATH | (0 if follow else os.O_NOFOLLOW)
    try:
        fd = open_in_root(root, path, flags)
    except OSError:
        raise NotFound(f'"{path}": not found') from None
    try:
        return os.fstat(fd)
    finally:
        os.close(fd)


def _expand(root: int, pattern: str) -> Iterator[str]:
    """Yield the paths that a pattern matches; each part is matched in its own folder."""
    found = ["/"]
    for part in pattern.strip("/").split("/"):
        if not _WILDCARDS & set(part):
            found = [posixpath.join(folder, part) for folder in found]
            continue
        try:
            regex = re.compile(pattern_regex(part) + r"\Z", re.DOTALL)
        except ValueError as error:
            raise InvalidArgument(str(error)) from None
        found = [
            posixpath.join(folder, name) for folder in found for name in _names(root, folder) if regex.match(name)
        ]
    yield from found


def _names(root: int, folder: str) -> list[str]:
    try:
        fd = open_in_root(root, folder, FOLDER & ~os.O_NOFOLLOW)
    except OSError:
        return []
    try:
        return sorted(os.listdir(fd))
    finally:
        os.close(fd)


class Digests:
    """Digests of files' contents, kept by what the file system says of a file: nothing is read twice."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, int, int, int, int], str] = {}

    def known(self, status: os.stat_result) -> str | None:
        """Return the digest of a file's content, if it was read or written as it is now."""
        return self._known.get(_identity(status))

    def follow(self, before: os.stat_result, now: os.stat_result) -> None:
        """Remember a file whose content is what it was, though the file system says otherwise: of a new name."""
        known = self._known.pop(_identity(before), None)
        if known is not None:
            self.learn(now, known)

    def of(self, fd: int) -> str:
        """Return the digest of an open file's content."""
        status = os.fstat(fd)
        known = self._known.get(_identity(status))
        if known is None:
            known = _read_digest(fd)
            self.learn(status, known)
        return known

    def learn(self, status: os.stat_result, digest: str) -> None:
        """Remember the digest of a file that was read or written just now."""
        if len(self._known) >= _KEPT_DIGESTS:
            self._known.clear()
        self._known[_identity(status)] = digest


def _identity(status: os.stat_result) -> tuple[int, int, int, int, int]:
    return (status.st_dev, status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns)


def _read_digest(fd: int) -> str:
    hashed = hashlib.sha256()
    while data := os.read(fd, _CHUNK):
        hashed.update(data)
    return hashed.hexdigest()


def digest_of(root: int, action: Copy, digests: Digests) -> str:
    """Return a digest of all that a copy takes: names, kinds, modes, owners, contents; no times. Blocking.

    Raises:
        NotFound: the source names nothing.
    """
    hashed = hashlib.sha256()
    chosen = Filter(action)
    for match in matches(root, action):
        name = "" if match.is_folder and action.contents_only else posixpath.basename(match.path)
        hashed.update(f"\0{name}\0".encode("utf-8", "surrogateescape"))
        if not match.is_folder:
            _add_file(root, match, hashed, digests)
            continue
        top = open_in_root(root, match.path, FOLDER & ~os.O_NOFOLLOW)
        try:
            _add_folder(top, chosen, hashed, digests)
        finally:
            os.close(top)
    return hashed.hexdigest()


def _add_file(root: int, match: Match, hashed: hashlib._Hash, digests: Digests) -> None:
    hashed.update(_facts(match.status))
    if stat.S_ISREG(match.status.st_mode):
        fd = open_in_root(root, match.path, os.O_RDONLY | os.O_NONBLOCK)
        try:
            hashed.update(digests.of(fd).encode())
        finally:
            os.close(fd)
    elif stat.S_ISLNK(match.status.st_mode):
        hashed.update(readlink_in_root(root, match.path))


def followed(root: int, path: str) -> str:
    """Return where a path leads if its last part is a symbolic link, which may point to nothing yet.

    Raises:
        InvalidArgument: links lead in a circle.
    """
    for _ in range(_MOST_LINKS):
        try:
            link = os.fsdecode(readlink_in_root(root, path.rstrip("/")))
        except OSError:
            return path  # no link, or nothing
        path = posixpath.join(posixpath.dirname(path.rstrip("/")), link) + "/" * path.endswith("/")
    raise InvalidArgument(f"too many symbolic links: {path}")


def readlink_in_root(root: int, path: str) -> bytes:
    """Return where a symbolic link inside ``root`` points."""
    folder, name = posixpath.split(path)
    fd = open_in_root(root, folder, os.O_PATH | os.O_DIRECTORY)
    try:
        return os.readlink(os.fsencode(name), dir_fd=fd)
    finally:
        os.close(fd)


def _add_folder(top: int, chosen: Filter, hashed: hashlib._Hash, digests: Digests) -> None:
    hashed.update(_facts(os.fstat(top)))
    for node in walk(top):
        path = os.fsdecode(node.path)
        if not chosen.wants(path):
            continue
        hashed.update(b"\0" + node.path + b"\0" + _facts(node.status))
        if stat.S_ISREG(node.status.st_mode):
            hashed.update((digests.known(node.status) or _digest_in(node, digests)).encode())
        elif stat.S_ISLNK(node.status.st_mode):
            hashed.update(os.readlink(node.name, dir_fd=node.folder_fd))


def _digest_in(node: Node, digests: Digests) -> str:
    fd = os.open(node.name, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC, dir_fd=node.folder_fd)
    try:
        return digests.of(fd)
    finally:
        os.close(fd)


def _facts(status: os.stat_result) -> bytes:
    device = status.st_rdev if stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode) else 0
    return f"{status.st_mode:o} {status.st_uid}:{status.st_gid} {device}\0".encode()
