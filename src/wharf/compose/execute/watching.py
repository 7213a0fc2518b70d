"""Folders and files followed by inotify(7): batches of changed paths, told when there is quiet for a moment."""

from __future__ import annotations

import os
import select
import time
from collections.abc import Iterator, Mapping

from wharf.kernel import inotify
from wharf.kernel.inotify import Watch

_FOLLOWED = (
    Watch.CLOSE_WRITE | Watch.MODIFY | Watch.ATTRIB | Watch.MOVED_FROM | Watch.MOVED_TO | Watch.CREATE | Watch.DELETE
)
QUIET_S = 0.2
"""So long nothing more must happen before a batch is told."""


class Tree:
    """Everything below some paths; new folders are followed as they come."""

    def __init__(self, paths: Mapping[str, bool]) -> None:
        """Begin to follow; each path with whether what is below it counts too (a folder), or it alone (a file)."""
        self._fd = inotify.inotify_init()
        self._enough = os.eventfd(0, os.EFD_CLOEXEC)
        self._folders: dict[int, str] = {}
        self._known: set[str] = set()  # what is there below the folders, for when the kernel drops events
        self._paths = dict(paths)
        for path, is_folder in paths.items():
            if is_folder:
                self._follow(path)
            else:
                self._add(os.path.dirname(path))

    def close(self) -> None:
        """Follow no more."""
        os.close(self._fd)
        os.close(self._enough)

    def stop(self) -> None:
        """Let the batches end; from any thread."""
        os.eventfd_write(self._enough, 1)

    def _add(self, folder: str) -> None:
        try:
            self._folders[inotify.add_watch(self._fd, folder, _FOLLOWED | Watch.ONLYDIR)] = folder
        except (FileNotFoundError, NotADirectoryError):
            return  # it has gone again

    def _follow(self, folder: str) -> list[str]:
        """Follow a folder and all below it; return the files in them."""
        found: list[str] = []
        self._add(folder)
        for at, folders, files in os.walk(folder):
            for name in folders:
                self._add(os.path.join(at, name))
            found += [os.path.join(at, name) for name in files]
            self._known.update(os.path.join(at, name) for name in (*folders, *files))
        return found

    def batches(self) -> Iterator[set[str]]:
        """Yield what changed, appeared or went, until it is stopped; a batch ends when there is quiet.

        Raises:
            OSError: the kernel's limit of watches is reached.
        """
        poll, either = select.poll(), select.poll()
        for one in (poll, either):
            one.register(self._fd, select.POLLIN)
        either.register(self._enough, select.POLLIN)
        while True:
            if any(descriptor == self._enough for descriptor, _ in either.poll()):
                return
            changed = self._read()
            until = time.monotonic() + 10 * QUIET_S  # who writes all the time is told in between
            while poll.poll(QUIET_S * 1000) and time.monotonic() < until:
                changed |= self._read()
            if changed:
                yield changed

    def _read(self) -> set[str]:
        changed: set[str] = set()
        for watch, events, name in inotify.read(self._fd):
            if events & Watch.Q_OVERFLOW:
                changed |= self._everything()
                continue
            if events & Watch.IGNORED:
                self._folders.pop(watch, None)
                continue
            folder = self._folders.get(watch)
            if folder is None or not name:
                continue
            path = os.path.join(folder, name)
            changed.add(path)
            if events & (Watch.DELETE | Watch.MOVED_FROM):
                self._known.discard(path)
            else:
                self._known.add(path)
            if events & (Watch.CREATE | Watch.MOVED_TO) and os.path.isdir(path) and not os.path.islink(path):
                changed |= set(self._follow(path))  # what came into it before it was followed
        return changed

    def _everything(self) -> set[str]:
        """Return all files that are followed, and what has gone, for the kernel has dropped events."""
        changed = {path for path in self._known if not os.path.lexists(path)}
        self._known -= changed
        for path, is_folder in self._paths.items():
            changed |= set(self._follow(path)) if is_folder else {path}
        return changed
