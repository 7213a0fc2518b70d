"""Reading, writing, making and removing folders of one control group hierarchy."""

from __future__ import annotations

import errno
import os
import time

_POLL_S = 0.001
_PIECE_BYTES = 16 * 1024


def write(path: str, value: str) -> None:
    """Put ``value`` into a file, in one system call.

    Raises:
        OSError: the kernel's errno, with the file and the value.
    """
    writer = Writer()
    try:
        writer.write(path, value)
    finally:
        writer.close()


class Writer:
    """Writes as :func:`write` does, and keeps the file open while the next value goes to the same."""

    __slots__ = ("_fd", "_path")

    def __init__(self) -> None:
        self._fd = -1
        self._path = ""

    def write(self, path: str, value: str) -> None:
        """Put ``value`` into a file, in one system call.

        Raises:
            OSError: the kernel's errno, with the file and the value.
        """
        try:
            if path != self._path:
                self.close()
                self._fd = os.open(path, os.O_WRONLY | os.O_CLOEXEC | os.O_TRUNC)
                self._path = path
            os.write(self._fd, value.encode())
        except OSError as error:
            number = error.errno or errno.EIO
            raise OSError(number, f"{os.strerror(number)}: writing {value!r}", path) from error

    def close(self) -> None:
        """Close the last file; idempotent."""
        if self._fd != -1:
            os.close(self._fd)
            self._fd, self._path = -1, ""


def write_if_there(path: str, value: str) -> None:
    """Write ``value`` unless the group or the file does not exist."""
    try:
        write(path, value)
    except OSError as error:
        if error.errno not in {errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP}:
            raise


def read(path: str) -> str:
    """Return the whole text of a file.

    Raises:
        OSError: with the file.
    """
    fd, pieces = os.open(path, os.O_RDONLY | os.O_CLOEXEC), []
    try:
        while piece := os.read(fd, _PIECE_BYTES):
            pieces.append(piece)
    finally:
        os.close(fd)
    return b"".join(pieces).decode("utf-8", "surrogateescape")


def make_folders(root: str, path: str) -> list[str]:
    """Create ``path`` below ``root``; return the folders of the path, topmost first."""
    folder, folders = root, []
    try:
        os.mkdir(root + path)  # the common case: the parents are there
    except FileExistsError:
        pass
    except FileNotFoundError:
        for part in path.split("/")[1:]:
            folder = f"{folder}/{part}"
            if not os.path.isdir(folder):
                _unless_there(folder)
    folder = root
    for part in path.split("/")[1:]:
        folder = f"{folder}/{part}"
        folders.append(folder)
    return folders


def _unless_there(folder: str) -> None:
    try:
        os.mkdir(folder)
    except FileExistsError:  # another engine or shim was faster
        return


def create_cpuset(root: str, path: str) -> None:
    """Create folders and copy cpus and mems down: in v1 they start empty, and an empty cpuset takes no process."""
    folders = [root, *make_folders(root, path)]
    if not _inherit(folders[-1], folders[-2]):
        for number in range(1, len(folders)):
            _inherit(folders[number], folders[number - 1])


def _inherit(folder: str, parent: str) -> bool:
    """Copy to a folder what its parent has; return whether it has both now."""
    for file in ("cpuset.cpus", "cpuset.mems"):
        if not read(f"{folder}/{file}").strip():
            present = read(f"{parent}/{file}").strip()
            if not present:
                return False
            write(f"{folder}/{file}", present)
    return True


def create_unified(root: str, path: str, controllers: list[str]) -> None:
    """Create folders and hand the controllers down to the group (each parent must enable them)."""
    folders = make_folders(root, path)
    parents = [root, *folders[:-1]] if controllers else []
    if not parents or not _missing(parents[-1], controllers):
        return  # what the parent hands down, those above it do too
    for parent in parents:
        if missing := _missing(parent, controllers):
            write(f"{parent}/cgroup.subtree_control", " ".join(missing))


def _missing(parent: str, controllers: list[str]) -> list[str]:
    enabled = read(f"{parent}/cgroup.subtree_control").split()
    return [f"+{name}" for name in controllers if name not in enabled]


def tree(top: str) -> list[str]:
    """Return the folder and all below it, parents first; empty when it does not exist."""
    folders, found = [top], []
    while folders:
        folder = folders.pop()
        try:
            with os.scandir(folder) as entries:
                folders += [entry.path for entry in entries if entry.is_dir(follow_symlinks=False)]
        except FileNotFoundError:
            continue
        found.append(folder)
    return found


def procs(folder: str) -> list[int]:
    """Return the ids of the processes in this folder alone; none when it is gone."""
    try:
        return [int(line) for line in read(f"{folder}/cgroup.procs").split()]
    except OSError as error:
        # Gone meanwhile, or a threaded v2 group, whose processes its domain lists.
        if error.errno in {errno.ENOENT, errno.ENODEV, errno.EOPNOTSUPP}:
            return []
        raise


def remove_if_empty(path: str) -> bool:
    """Remove a group, if it is there; return False when it has processes or groups of its own (cgroups(7))."""
    try:
        os.rmdir(path)
    except FileNotFoundError:
        return True
    except OSError as error:
        if error.errno not in (errno.EBUSY, errno.ENOTEMPTY):
            raise
        return False
    return True


def remove_tree(top: str, deadline: float) -> None:
    """Remove a group and those below it, retrying EBUSY until ``deadline`` (monotonic); idempotent.

    Raises:
        OSError: EBUSY with the folder that still holds processes.
    """
    try:
        os.rmdir(top)  # the common case: nobody in it, nothing below it
    except FileNotFoundError:
        return
    except OSError as error:
        if error.errno not in {errno.EBUSY, errno.ENOTEMPTY}:
            raise
        for folder in reversed(tree(top)):
            _remove(folder, deadline)


def _remove(folder: str, deadline: float) -> None:
    while True:
        try:
            os.rmdir(folder)
        except FileNotFoundError:
            return
        except OSError as error:
            if error.errno != errno.EBUSY or time.monotonic() > deadline:
                raise
            time.sleep(_POLL_S)
        else:
            return
