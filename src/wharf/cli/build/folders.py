"""What of a folder is sent to a build over its session: names, kinds and, when asked for, contents (fsutil)."""

from __future__ import annotations

import os
import stat
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from wharf.build.session.entries import go_mode_of
from wharf.errors import InvalidArgument
from wharf.lib.ignore import Matcher
from wharf.spec.buildkit.stat_pb2 import Stat

_WILDCARDS = "*?["
_MOST_LINKS = 40


@dataclass(frozen=True, slots=True)
class Selection:
    """Which files are asked for: all but ``exclude``, or of these only ``include`` and what is in it."""

    include: Sequence[str] = ()
    exclude: Sequence[str] = ()

    def walk(self, folder: str) -> Iterator[tuple[str, os.stat_result]]:
        """Yield paths relative to ``folder`` in a walk's order, folders before what is in them.

        Raises:
            InvalidArgument: a pattern is malformed.
        """
        try:
            excluded, included = Matcher(self.exclude), Matcher(self.include)
        except ValueError as error:
            raise InvalidArgument(f"invalid pattern: {error}") from error
        yield from self._below(folder, "", excluded, included if self.include else None)

    def _below(
        self, folder: str, prefix: str, excluded: Matcher, included: Matcher | None
    ) -> Iterator[tuple[str, os.stat_result]]:
        with os.scandir(os.path.join(folder, prefix)) as found:
            entries = sorted(found, key=lambda entry: os.fsencode(entry.name))
        for entry in entries:
            path = prefix + entry.name
            is_folder = entry.is_dir(follow_symlinks=False)
            out = excluded.matches(path) or (included is not None and not included.matches(path))
            if not out:
                yield path, entry.stat(follow_symlinks=False)
            if not is_folder or (out and not self._may_have(path, excluded, included)):
                continue
            inner = self._below(folder, path + "/", excluded, included)
            if out and (first := next(inner, None)) is not None:  # a folder that is sent for what is in it
                yield path, entry.stat(follow_symlinks=False)
                yield first
            yield from inner

    def _may_have(self, path: str, excluded: Matcher, included: Matcher | None) -> bool:
        """Return whether something below a folder that is not sent itself may be."""
        if excluded.matches(path):
            return excluded.has_exceptions
        return included is not None and any(
            pattern.startswith(f"{path}/") or set(_WILDCARDS) & set(pattern) for pattern in self.include
        )


def followed(folder: str, paths: Sequence[str]) -> list[str]:
    """Return the paths, and where symbolic links on them lead within the folder; empty for all of it.

    One with wildcards may be anywhere: then all is sent, which is more than need be, and right.
    """
    found: dict[str, None] = {}
    for path in paths:
        clean = os.path.normpath(path).lstrip("/")
        if clean in ("", ".") or set(_WILDCARDS) & set(clean):
            return []
        _follow(folder, clean, found)
    return list(found)


def _follow(folder: str, path: str, found: dict[str, None]) -> None:
    pending, place = path.split("/"), ""
    links = 0
    while pending:
        part = pending.pop(0)
        place = os.path.normpath(os.path.join(place, part)) if part != ".." else os.path.dirname(place)
        full = os.path.join(folder, place)
        if os.path.islink(full) and (links := links + 1) <= _MOST_LINKS:
            found[place] = None
            target = os.readlink(full)
            pending = [*target.strip("/").split("/"), *pending]
            place = "" if target.startswith("/") else os.path.dirname(place)
    found[place or "."] = None


def link_of(folder: str, path: str, status: os.stat_result, first: dict[tuple[int, int], str]) -> str:
    """Return where a symbolic link points, or of which earlier file another is one more name; "" for neither."""
    if stat.S_ISLNK(status.st_mode):
        return os.readlink(os.path.join(folder, path))
    if stat.S_ISREG(status.st_mode) and status.st_nlink > 1:
        known = first.setdefault((status.st_dev, status.st_ino), path)
        return known if known != path else ""
    return ""


def stat_of(folder: str, path: str, status: os.stat_result, first: dict[tuple[int, int], str]) -> Stat:
    """Return what is told of a file; ``first`` knows where one with several names was told of first."""
    is_device = stat.S_ISCHR(status.st_mode) or stat.S_ISBLK(status.st_mode)
    return Stat(
        path=os.fsencode(path),
        mode=go_mode_of(status.st_mode),
        size=status.st_size if stat.S_ISREG(status.st_mode) else 0,
        modTime=status.st_mtime_ns,
        linkname=os.fsencode(link_of(folder, path, status, first)),
        devmajor=os.major(status.st_rdev) if is_device else 0,
        devminor=os.minor(status.st_rdev) if is_device else 0,
    )
