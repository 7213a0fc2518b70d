"""Folders of remote resources, by what they hold; each appears whole or not at all."""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping

from wharf.client.drafts import draft_folder, sweep
from wharf.errors import WharfError

_DRAFT = ".new-"


def cache_folder(environment: Mapping[str, str]) -> str:
    """Return where remote Compose files are kept: below ``XDG_CACHE_HOME``, or .cache in the home folder."""
    base = environment.get("XDG_CACHE_HOME") or os.path.join(environment.get("HOME") or "/root", ".cache")
    return os.path.join(base, "wharf", "compose")


def kept(folder: str, name: str, fill: Callable[[str], None]) -> str:
    """Return the path of a folder of the cache, filled when it is not there yet.

    Args:
        folder: The cache.
        name: Says what is in it for good: a digest or a commit.
        fill: Fills an empty folder; what it leaves when it fails is removed,
            and after a kill when the next one is filled.

    Raises:
        WharfError: the cache cannot be written, or as ``fill`` does.
    """
    path = os.path.join(folder, name)
    if os.path.isdir(path):
        return path
    try:
        os.makedirs(folder, mode=0o700, exist_ok=True)
        sweep(folder, _DRAFT)
        with draft_folder(folder, _DRAFT) as scratch:
            fill(scratch)
            os.rename(scratch, path)
    except OSError as error:
        if not os.path.isdir(path):  # else another process was first
            raise WharfError(f"cannot keep {name} in {folder}: {(error.strerror or str(error)).lower()}") from error
    return path
