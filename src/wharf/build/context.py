"""One build's own folder: contexts and downloads. It goes when the build ends, or when an engine starts."""

from __future__ import annotations

import os
import posixpath
import secrets
import stat
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

from wharf.build.operations.unpacking import is_archive, unpack_into
from wharf.errors import InvalidArgument
from wharf.kernel.openat2 import open_in_root
from wharf.lib.ignore import Matcher, read_patterns
from wharf.storage import trees
from wharf.storage.diff import Learn
from wharf.storage.layout import DataRoot
from wharf.storage.places import spread
from wharf.storage.tar_reader import Source
from wharf.storage.trees import FOLDER

MAX_DOCKERFILE_BYTES: Final = 16 * 1024 * 1024
DEFAULT_DOCKERFILE: Final = "Dockerfile"


@contextmanager
def workplace(data: DataRoot) -> Iterator[Path]:
    """Give a build a folder of its own, on the file system of the layers."""
    path = data.build_work / secrets.token_hex(8)
    path.mkdir(mode=0o700, parents=True)
    try:
        yield path
    finally:
        trees.remove(path, data.ingest)


def sweep(data: DataRoot) -> None:
    """Remove what killed builds left; call once, before the first one."""
    data.build_work.mkdir(mode=0o711, parents=True, exist_ok=True)
    data.build_mounts.mkdir(mode=0o711, parents=True, exist_ok=True)
    trees.empty(data.build_work)
    spread(data.build_work)


def receive(source: Source, folder: Path, learn: Learn | None = None) -> None:
    """Unpack a context's archive; everything in it becomes root's. Blocking.

    Args:
        source: the archive.
        folder: is made.
        learn: told of each file's content as it comes by, so that it need not be read for it.

    Raises:
        InvalidArgument: it is no archive, a corrupt one, or one that leaves its folder.
    """
    folder.mkdir()
    folder.chmod(0o755)
    fd = os.open(folder, FOLDER)
    try:
        unpack_into(source, fd, owner=(0, 0), learn=learn)
    finally:
        os.close(fd)


def receive_file(path: Path, folder: Path) -> int | None:
    """Make a context of a downloaded file: an archive is unpacked, anything else is the Dockerfile.

    Returns the time of an archive's newest file, in seconds; None for anything else.
    """
    with path.open("rb") as file:
        if is_archive(file):
            receive(file, folder)
            return _newest(folder)
    folder.mkdir()
    folder.chmod(0o755)
    path.rename(folder / DEFAULT_DOCKERFILE)
    return None


def _newest(folder: Path) -> int | None:
    with trees.opened_folder(folder) as fd:
        files = (node.status for node in trees.walk(fd) if stat.S_ISREG(node.status.st_mode))
        return max((int(one.st_mtime) for one in files), default=None)


def read_file(folder: Path, name: str) -> bytes | None:
    """Return a file of a context, None when it is not there; nothing outside of it is read.

    Raises:
        InvalidArgument: it is too large, or no file.
    """
    fd = os.open(folder, FOLDER)
    try:
        inner = open_in_root(fd, name, os.O_RDONLY | os.O_NONBLOCK)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise InvalidArgument(f"failed to read {name}: {(error.strerror or '').lower()}") from None
    finally:
        os.close(fd)
    try:
        with os.fdopen(inner, "rb") as file:
            data = file.read(MAX_DOCKERFILE_BYTES + 1)
    except IsADirectoryError:
        raise InvalidArgument(f"failed to read {name}: is a directory") from None
    if len(data) > MAX_DOCKERFILE_BYTES:
        raise InvalidArgument(f"{name} is too large")
    return data


def read_dockerfile(folder: Path, name: str) -> bytes:
    """Return the Dockerfile of a context.

    Raises:
        InvalidArgument: there is none, in Docker's words, or it is empty.
    """
    wanted = posixpath.normpath(name or DEFAULT_DOCKERFILE)
    data = read_file(folder, wanted)
    if data is None and not name:
        data = read_file(folder, DEFAULT_DOCKERFILE.lower())
    if data is None:
        raise InvalidArgument(f"Cannot locate specified Dockerfile: {wanted}")
    if not data:
        raise InvalidArgument(f"the Dockerfile ({wanted}) cannot be empty")
    return data


def read_ignored(folder: Path, dockerfile: str) -> Matcher:
    """Return what a context ignores: a Dockerfile may have a file of its own for that, named after it.

    Raises:
        InvalidArgument: a pattern is malformed.
    """
    for name in (f"{posixpath.normpath(dockerfile or DEFAULT_DOCKERFILE)}.dockerignore", ".dockerignore"):
        text = read_file(folder, name)
        if text is None:
            continue
        try:
            return Matcher(read_patterns(text.decode("utf-8", "replace")))
        except ValueError as error:
            raise InvalidArgument(f"error reading {name}: {error}") from None
    return Matcher(())


def drop_ignored(folder: Path, dockerfile: str, matcher: Matcher) -> None:
    """Remove the Dockerfile and the ignore file from a context that ignores them, as Docker's engine does.

    What else is ignored a client leaves out before it sends the context.
    """
    fd = os.open(folder, FOLDER)
    try:
        for name in (".dockerignore", posixpath.normpath(dockerfile or DEFAULT_DOCKERFILE)):
            if matcher.matches(name):
                _unlink_file(fd, name)
    finally:
        os.close(fd)


def _unlink_file(root: int, name: str) -> None:
    """Remove a plain file, if it is one; a link on the way to it leads to where it does inside of ``root``."""
    parent, _, last = name.rpartition("/")
    try:
        fd = open_in_root(root, parent or ".", os.O_PATH | os.O_DIRECTORY)
    except (FileNotFoundError, NotADirectoryError):
        return
    try:
        if stat.S_ISREG(os.stat(last, dir_fd=fd, follow_symlinks=False).st_mode):
            os.unlink(last, dir_fd=fd)
    except FileNotFoundError:
        return
    finally:
        os.close(fd)
