"""Copy files from one tree into another. Both are hostile: no path leaves its root, no link is followed out of it."""

from __future__ import annotations

import errno
import os
import posixpath
import stat
from dataclasses import replace
from typing import Final

from wharf.build.graph.operations import Copy
from wharf.build.operations.dress import Dress
from wharf.build.operations.selection import Digests, Filter, Match, followed, matches, readlink_in_root
from wharf.build.operations.unpacking import is_archive, unpack_into
from wharf.errors import InvalidArgument
from wharf.kernel.openat2 import ensure_folder, open_in_root
from wharf.kernel.owner import give
from wharf.storage import overlay_marks as marks
from wharf.storage.trees import FOLDER, Node, walk

_NEW: Final = os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW | os.O_CLOEXEC
_READ: Final = os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK | os.O_CLOEXEC
_PIECE: Final = 1 << 30
_LEAST_SHARED_BYTES: Final = 1 << 14
"""Smaller files are copied: that costs no more, and what is refused for having two names (cron's tables) is small."""
_KEPT_ATTRIBUTES: Final = ("security.capability", "user.")


def copy(source: int, target: int, action: Copy, dress: Dress) -> None:
    """Do one copy from the tree ``source`` into the tree ``target``; blocking.

    Raises:
        NotFound: the source names nothing.
        InvalidArgument: a folder stands where a file should go, or the reverse; or a layer would have it as a mark.
    """
    found = matches(source, action)
    copier = Copier(source, target, action, dress)
    for match in found:
        copier.copy(match)
    copier.finish()


class Copier:
    """Does one copy, match by match; :meth:`finish` it."""

    def __init__(self, source: int, target: int, action: Copy, dress: Dress, shared: Digests | None = None) -> None:
        """Begin.

        Args:
            source: the tree to copy from.
            target: the tree to copy into.
            action: what is copied, and how.
            dress: whose the copies are, and what they may.
            shared: files get a second name in the target, where they may; these digests learn of it.
        """
        self._shared = shared
        self._source = source
        self._target = target
        self._action = replace(action, destination=followed(target, action.destination))
        self._dress = dress
        self._filter = Filter(action)
        self._links: dict[tuple[int, int], str] = {}
        self._times: list[tuple[str, tuple[int, int]]] = []  # of folders: set last, for filling them changes them

    def copy(self, match: Match) -> None:
        """Copy what a source names."""
        if match.is_folder:
            self._folder(match, self.place_of(match))
        else:
            self._copy_one(match)

    def place_of(self, match: Match) -> str:
        """Return the path that a folder gets."""
        destination = self._action.destination
        if not self._action.contents_only and self._is_folder(destination):
            destination = posixpath.join(destination, posixpath.basename(match.path))
        return destination.rstrip("/") or "/"

    def finish(self) -> None:
        """Give folders their times."""
        for path, times in reversed(self._times):
            fd = open_in_root(self._target, path, FOLDER & ~os.O_NOFOLLOW)
            try:
                os.utime(fd, ns=times)
            finally:
                os.close(fd)

    def _is_folder(self, path: str) -> bool:
        try:
            fd = open_in_root(self._target, path, os.O_PATH | os.O_DIRECTORY)
        except OSError:
            return path.endswith("/")
        os.close(fd)
        return True

    def _copy_one(self, match: Match) -> None:
        name = posixpath.basename(match.path)
        destination = self._action.destination
        if not self._filter.wants(match.path.lstrip("/") if self._filter.selective else name):
            return
        if self._action.unpack and stat.S_ISREG(match.status.st_mode) and self._unpacked(match):
            return
        if self._is_folder(destination):
            destination = posixpath.join(destination, name)
        marks.refuse(os.fsencode(destination), match.status)
        parent = self._parent(posixpath.dirname(destination))
        try:
            if stat.S_ISREG(match.status.st_mode):
                fd = open_in_root(self._source, match.path, os.O_RDONLY | os.O_NONBLOCK)
                try:
                    self._file(fd, parent, os.fsencode(posixpath.basename(destination)))
                finally:
                    os.close(fd)
            else:
                self._special(match, parent, os.fsencode(posixpath.basename(destination)))
        finally:
            os.close(parent)

    def _unpacked(self, match: Match) -> bool:
        fd = open_in_root(self._source, match.path, os.O_RDONLY | os.O_NONBLOCK)
        with os.fdopen(fd, "rb") as file:
            if not is_archive(file):
                return False
            folder = self._parent(self._action.destination.rstrip("/") or "/")
            try:
                owner = None if self._dress.uid is None else (self._dress.uid, self._dress.gid or 0)
                unpack_into(file, folder, owner=owner, into_layer=True)
            finally:
                os.close(folder)
        return True

    def _parent(self, path: str) -> int:
        """Return the folder of that path in the target; what is missing of it is made and dressed."""
        try:
            return open_in_root(self._target, path, FOLDER & ~os.O_NOFOLLOW)
        except FileNotFoundError:
            if not self._action.create_parents:
                raise
        except NotADirectoryError:
            raise InvalidArgument(f"cannot copy to non-directory: {path}") from None
        above = self._parent(posixpath.dirname(path)) if path != "/" else -1
        if above != -1:
            os.close(above)
        try:
            fd = ensure_folder(self._target, path)
        except NotADirectoryError:
            raise InvalidArgument(f"cannot copy to non-directory: {path}") from None
        os.close(fd)
        fd = open_in_root(self._target, path, FOLDER & ~os.O_NOFOLLOW)
        give(fd, self._dress.uid or 0, self._dress.gid or 0)
        if self._dress.created_ns is not None:
            self._times.append((path, (self._dress.created_ns, self._dress.created_ns)))
        return fd

    def _folder(self, match: Match, destination: str) -> None:
        source = open_in_root(self._source, match.path, FOLDER & ~os.O_NOFOLLOW)
        try:
            top = self.made(match, destination)
            try:
                self.fill(source, top, destination)
            finally:
                os.close(top)
        finally:
            os.close(source)

    def made(self, match: Match, destination: str) -> int:
        """Return the folder that a folder is copied to, open; made and dressed if need be."""
        existed = self._is_folder(destination) and self._exists(destination)
        top = self._parent(destination)
        try:
            if not existed:
                # A folder whose contents are copied is not copied itself: the new one is made for them.
                dress = self._dress.of_a_parent() if self._action.contents_only else self._dress
                self._dress_folder(top, match.status, destination, dress)
        except BaseException:
            os.close(top)
            raise
        return top

    def _exists(self, path: str) -> bool:
        try:
            os.close(open_in_root(self._target, path, os.O_PATH))
        except OSError:
            return False
        return True

    def _dress_folder(self, fd: int, status: os.stat_result, path: str, dress: Dress | None = None) -> None:
        dress = dress or self._dress
        give(fd, *dress.owner(status))
        os.fchmod(fd, dress.permissions(status))
        self._times.append((path, dress.times(status)))

    def fill(self, source: int, top: int, destination: str) -> None:
        """Copy what is in a folder. One descriptor of the target is kept: entries of a folder follow each other."""
        kept_path, kept = b"", -1
        folders: dict[bytes, os.stat_result] = {}  # wanted only when something in them is
        try:
            for node in walk(source):
                path = os.fsdecode(node.path)
                if stat.S_ISDIR(node.status.st_mode) and self._filter.selective:
                    folders[node.path] = node.status
                if not self._filter.wants(path):
                    continue
                marks.refuse(node.path, node.status)
                parent_path = node.path[: -len(node.name) - 1] if b"/" in node.path else b""
                if kept == -1 or kept_path != parent_path:
                    if kept != -1:
                        os.close(kept)
                        kept = -1
                    kept = self._open_below(top, parent_path, destination, folders)
                    kept_path = parent_path
                self._node(node, kept, destination)
        finally:
            if kept != -1:
                os.close(kept)

    def _open_below(self, top: int, path: bytes, destination: str, folders: dict[bytes, os.stat_result]) -> int:
        fd = os.open(".", FOLDER, dir_fd=top)
        walked = b""
        for part in path.split(b"/") if path else []:
            walked = walked + b"/" + part if walked else part
            try:
                inner = self._enter(fd, part, walked, destination, folders.get(walked))
            finally:
                os.close(fd)
            fd = inner
        return fd

    def _enter(self, fd: int, name: bytes, path: bytes, destination: str, missing: os.stat_result | None) -> int:
        try:
            return os.open(name, FOLDER, dir_fd=fd)
        except FileNotFoundError:
            if missing is None:
                raise
            return self._make_folder(fd, name, missing, posixpath.join(destination, os.fsdecode(path)))
        except OSError as error:
            if error.errno not in (errno.ENOTDIR, errno.ELOOP):
                raise
            inner = open_in_root(self._target, posixpath.join(destination, os.fsdecode(path)), os.O_PATH)
            os.close(inner)
            return open_in_root(self._target, posixpath.join(destination, os.fsdecode(path)), FOLDER & ~os.O_NOFOLLOW)

    def _node(self, node: Node, parent: int, destination: str) -> None:
        mode = node.status.st_mode
        if stat.S_ISDIR(mode):
            path = posixpath.join(destination, os.fsdecode(node.path))
            self._sub_folder(node, parent, path)
        elif stat.S_ISREG(mode):
            self._linked_or_file(node, parent, posixpath.join(destination, os.fsdecode(node.path)))
        elif not stat.S_ISSOCK(mode):
            self._make_special(node.status, self._link_of(node), parent, node.name)

    def _sub_folder(self, node: Node, parent: int, path: str) -> None:
        try:
            os.close(self._make_folder(parent, node.name, node.status, path))
        except FileExistsError:
            if self._is_folder(path):
                return
            raise InvalidArgument(f"cannot copy directory to non-directory: {path}") from None

    def _make_folder(self, parent: int, name: bytes, status: os.stat_result, path: str) -> int:
        os.mkdir(name, 0o700, dir_fd=parent)
        fd = os.open(name, FOLDER, dir_fd=parent)
        try:
            self._dress_folder(fd, status, path)
        except BaseException:
            os.close(fd)
            raise
        return fd

    def _linked_or_file(self, node: Node, parent: int, path: str) -> None:
        inode = (node.status.st_dev, node.status.st_ino)
        if node.status.st_nlink > 1:
            first = self._links.get(inode)
            if first is not None and self._hard_link(first, parent, node.name):
                return
            self._links[inode] = path
        if self._shared is not None and self._share(node, parent, self._shared):
            return
        fd = os.open(node.name, _READ, dir_fd=node.folder_fd)
        try:
            self._file(fd, parent, node.name)
        finally:
            os.close(fd)

    def _share(self, node: Node, parent: int, digests: Digests) -> bool:
        """Give a file a second name, if its copy would be the same; whether that was done."""
        status = node.status
        if status.st_size < _LEAST_SHARED_BYTES or not self._dress.keeps(status):
            return False
        names = os.listxattr(b"/proc/self/fd/%d/%s" % (node.folder_fd, node.name), follow_symlinks=False)
        if not all(name.startswith(_KEPT_ATTRIBUTES) for name in names):
            return False
        try:
            os.link(node.name, node.name, src_dir_fd=node.folder_fd, dst_dir_fd=parent, follow_symlinks=False)
        except OSError as error:
            if error.errno not in (errno.EXDEV, errno.EMLINK, errno.EPERM):
                raise
            return False
        digests.follow(status, os.stat(node.name, dir_fd=parent, follow_symlinks=False))
        return True

    def _hard_link(self, first: str, parent: int, name: bytes) -> bool:
        folder, base = posixpath.split(first)
        source = open_in_root(self._target, folder, os.O_PATH | os.O_DIRECTORY)
        try:
            self._clear(parent, name)
            os.link(os.fsencode(base), name, src_dir_fd=source, dst_dir_fd=parent, follow_symlinks=False)
        except FileNotFoundError:
            return False
        finally:
            os.close(source)
        return True

    def _file(self, source: int, parent: int, name: bytes) -> None:
        status = os.fstat(source)
        try:
            fd = os.open(name, _NEW, 0o600, dir_fd=parent)
        except FileExistsError:
            self._clear(parent, name)
            fd = os.open(name, _NEW, 0o600, dir_fd=parent)
        try:
            _transfer(source, fd, status.st_size)
            give(fd, *self._dress.owner(status))
            os.fchmod(fd, self._dress.permissions(status))
            for attribute in os.listxattr(source):
                if attribute.startswith(_KEPT_ATTRIBUTES):
                    os.setxattr(fd, attribute, os.getxattr(source, attribute))
            os.utime(fd, ns=self._dress.times(status))
        finally:
            os.close(fd)

    def _clear(self, parent: int, name: bytes) -> None:
        try:
            os.unlink(name, dir_fd=parent)
        except IsADirectoryError:
            raise InvalidArgument(f"cannot copy to directory with a file: {os.fsdecode(name)}") from None
        except FileNotFoundError:
            return

    def _link_of(self, node: Node) -> bytes:
        return os.readlink(node.name, dir_fd=node.folder_fd) if stat.S_ISLNK(node.status.st_mode) else b""

    def _special(self, match: Match, parent: int, name: bytes) -> None:
        link = readlink_in_root(self._source, match.path) if stat.S_ISLNK(match.status.st_mode) else b""
        self._make_special(match.status, link, parent, name)

    def _make_special(self, status: os.stat_result, link: bytes, parent: int, name: bytes) -> None:
        self._clear(parent, name)
        if stat.S_ISLNK(status.st_mode):
            os.symlink(link, name, dir_fd=parent)
        else:
            os.mknod(name, stat.S_IFMT(status.st_mode) | 0o600, status.st_rdev, dir_fd=parent)
        uid, gid = self._dress.owner(status)
        give(name, uid, gid, dir_fd=parent)
        if not stat.S_ISLNK(status.st_mode):
            os.chmod(name, self._dress.permissions(status), dir_fd=parent)
        os.utime(name, ns=self._dress.times(status), dir_fd=parent, follow_symlinks=False)


def _transfer(source: int, target: int, size: int) -> None:
    left = size
    while left:
        sent = os.sendfile(target, source, size - left, min(left, _PIECE))
        if not sent:
            raise OSError(errno.EIO, "a file shrank while it was copied")
        left -= sent
