"""Folders that may hold so many bytes and no more: each limited set of folders is a project of its own.

The file system is the record: a project that has a file or a limit is taken, whoever took it. So nothing is lost with
an engine, and no number is handed out twice.
"""

from __future__ import annotations

import hashlib
import itertools
import threading
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path
from typing import Final, Protocol

from wharf.errors import NotImplementedHere, WharfError
from wharf.kernel import project_quota
from wharf.storage.trees import opened_folder

_FIRST: Final = 1 << 30  # administrators number theirs from 1 (projid(5)), and dockerd does too
_COUNT: Final = 1 << 30


class Kernel(Protocol):
    """What :mod:`wharf.kernel.project_quota` does."""

    def project_of(self, fd: int) -> int:
        """Return the project of a file."""

    def set_project(self, fd: int, project: int) -> None:
        """Put a folder, and what is made in it, into a project."""

    def enforced(self, fd: int) -> bool:
        """Return whether limits hold."""

    def in_use(self, fd: int, project: int) -> bool:
        """Return whether a project has files or a limit."""

    def set_limit(self, fd: int, project: int, size_bytes: int) -> None:
        """Limit a project; 0 lifts the limit."""


class ProjectLimits:
    """The limited folders of one engine. Everything blocks."""

    def __init__(self, kernel: Kernel = project_quota) -> None:
        self._kernel = kernel
        self._choosing = threading.Lock()

    def supported(self, folder: Path) -> bool:
        """Return whether folders of this one's file system can be limited."""
        with opened_folder(folder) as fd:
            return self._kernel.enforced(fd)

    def limit(self, folders: Sequence[Path], size_bytes: int) -> None:
        """Let folders of one file system hold no more than that together; idempotent.

        They are empty, or have been limited before: what is there already is not counted.

        Raises:
            NotImplementedHere: the file system has no such quotas.
            WharfError: the kernel says no.
        """
        try:
            with ExitStack() as stack:
                fds = [stack.enter_context(opened_folder(folder)) for folder in folders]
                self._limit(fds, str(folders[0]), size_bytes)
        except OSError as error:
            reason = (error.strerror or str(error)).lower()
            raise WharfError(f"{folders[0]} cannot be limited to {size_bytes} bytes: {reason}") from error

    def _limit(self, fds: Sequence[int], name: str, size_bytes: int) -> None:
        if not self._kernel.enforced(fds[0]):
            raise NotImplementedHere(f"the file system of {name} has no project quotas")
        with self._choosing:
            project = next(filter(_is_ours, map(self._kernel.project_of, fds)), 0) or self._unused(fds[0], name)
            for fd in fds:
                if self._kernel.project_of(fd) != project:
                    self._kernel.set_project(fd, project)
        self._kernel.set_limit(fds[0], project, size_bytes)

    def _unused(self, fd: int, name: str) -> int:
        return next(project for project in candidates(name) if not self._kernel.in_use(fd, project))

    def lift(self, folder: Path) -> None:
        """Let a folder hold as much as there is room for, before it is removed: its project is nobody's then.

        Nothing is done for one that is not there or is not limited; idempotent.
        """
        try:
            with opened_folder(folder) as fd:
                if self._kernel.enforced(fd) and _is_ours(project := self._kernel.project_of(fd)):
                    self._kernel.set_limit(fd, project, 0)
        except FileNotFoundError:
            return


def candidates(name: str) -> Iterator[int]:
    """Yield the projects that a folder may be, in the order in which they are tried. Pure."""
    for attempt in itertools.count():
        digest = hashlib.sha256(f"{attempt}:{name}".encode()).digest()
        yield _FIRST + int.from_bytes(digest[:8]) % _COUNT


def _is_ours(project: int) -> bool:
    return _FIRST <= project < _FIRST + _COUNT
