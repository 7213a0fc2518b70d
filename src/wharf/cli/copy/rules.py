"""What goes where: docker cp's rules for source and destination (its reference page, "Description"). Pure."""

from __future__ import annotations

import posixpath
from typing import NamedTuple

from wharf.errors import InvalidArgument


class Place(NamedTuple):
    """One end of a copy."""

    path: str
    exists: bool = True
    folder: bool = False
    renamed: str = ""  # what the source's name was before a symlink was followed


class Plan(NamedTuple):
    """Into which folder the archive goes, and how its first name changes: from ``old`` to ``new``; "" for not."""

    folder: str
    old: str = ""
    new: str = ""


def parse_end(text: str) -> tuple[str, str]:
    """Return (container, path) of ``container:path``; the container is "" for a path here, as is that of "-"."""
    if text.startswith(("/", "./", "../")) or text in (".", "..", "-"):
        return "", text
    container, colon, path = text.partition(":")
    return (container, path) if colon and "/" not in container else ("", text)


def split_entry(path: str) -> tuple[str, str]:
    """Return the folder of a path and its last name; a path that ends in "." names the folder's content."""
    clean = posixpath.normpath(path)
    if path.rpartition("/")[2] == ".":
        return clean, "."
    return posixpath.dirname(clean) or ".", posixpath.basename(clean) or "/"


def asserts_folder(path: str) -> bool:
    """Whether a path can only mean a folder: it ends in "/" or "/."."""
    return path.endswith("/") or path.rpartition("/")[2] == "."


def plan(source: Place, target: Place) -> Plan:
    """Return where the archive of ``source`` is unpacked for it to become ``target``.

    Raises:
        InvalidArgument: a folder would become a file, or the destination is a folder that does not exist.
    """
    if target.exists and target.folder:
        return Plan(target.path)
    if target.exists and source.folder:
        raise InvalidArgument("cannot copy directory")
    if not target.exists and not source.folder and asserts_folder(target.path):
        raise InvalidArgument("no such directory")
    folder, name = split_entry(target.path)
    return Plan(folder, source.renamed or split_entry(source.path)[1], name)


def rename(name: str, old: str, new: str) -> str:
    """Return an archive's ``name`` with ``old`` at its beginning replaced by ``new``."""
    if not old or old == new:
        return name
    if old == "/":  # the root of a container: its names begin with what they are called
        return f"{new}/{name.lstrip('/')}".rstrip("/")
    return new + name[len(old) :] if name == old or name.startswith(f"{old}/") else name


def followed_name(path: str, target: str) -> tuple[str, str]:
    """Return where a symlink leads, with the end of ``path`` ("/", "/."), and its own name if that differs."""
    end = "/." if path.rpartition("/")[2] == "." else "/" if path.endswith("/") else ""
    old, new = split_entry(path)[1], split_entry(target + end)[1]
    return target + end, old if old != new else ""
